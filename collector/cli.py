"""The command line of the collector: every command is a module under `collector.commands`.

Other packages add commands under the entry-point group `collector.commands`.
"""

from typing import Final

from genrebase.runtime import plugins
from genrebase.runtime.command_line import CommandLine, run_app

COMMANDS: Final = {
    "genres": "collector.commands.genres:app",
    "harvest": "collector.commands.harvest:harvest",
    "enrich": "collector.commands.enrich:enrich",
    "listen": "collector.commands.listen:listen",
    "analyse": "collector.commands.analyse:analyse",
    "import": "collector.commands.import_dataset:import_",
    "imports": "collector.commands.imports:app",
    "sources": "collector.commands.sources:app",
    "import-audio": "collector.commands.import_audio:import_audio",
    "download": "collector.commands.download:app",
    "add": "collector.commands.add:add",
    "label": "collector.commands.label:label",
    "run": "collector.commands.run:run",
    "status": "collector.commands.status:status",
    "health": "collector.commands.health:health",
    "forget": "collector.commands.forget:forget",
}

app = CommandLine(
    name="collector",
    help_text="Harvest unique tracks per genre into the database.",
    commands=COMMANDS | plugins.registered_targets("collector.commands"),
)


def main() -> None:
    run_app(app)

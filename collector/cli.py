"""The collector's command line: every command is one file under `commands`.

Other packages add commands under the entry-point group `collector.commands`.
"""

import typer

from collector.commands import (
    add,
    analyse,
    enrich,
    forget,
    genres,
    harvest,
    health,
    import_audio,
    import_dataset,
    label,
    run,
    status,
)
from genrebase.runtime import plugins
from genrebase.runtime.console import run_app

app = typer.Typer(
    name="collector",
    help="Harvest unique tracks per genre into the database.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # it would print local variables, secrets among them
)
app.add_typer(genres.app, name="genres")
app.command("harvest")(harvest.harvest)
app.command("enrich")(enrich.enrich)
app.command("analyse")(analyse.analyse)
app.command("import")(import_dataset.import_)
app.command("import-audio")(import_audio.import_audio)
app.command("add")(add.add)
app.command("label")(label.label)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("health")(health.health)
app.command("forget")(forget.forget)
for _name in plugins.registered_names("collector.commands"):
    app.command(_name)(plugins.load("collector.commands", _name))


def main() -> None:
    """Run the command line."""
    run_app(app)

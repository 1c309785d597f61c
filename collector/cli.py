"""The collector's command line: every command is one file under `commands`."""

import typer

from collector.commands import (
    adding,
    analysing,
    enriching,
    forgetting,
    genres,
    harvesting,
    health,
    importing,
    labels,
    listening,
    running,
    status,
)
from collector.sandbox.command import sandbox
from genrebase.runtime.output import run_app

app = typer.Typer(
    name="collector",
    help="Harvest unique tracks per genre into the database.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # it would print local variables, secrets among them
)
app.command("sandbox")(sandbox)
app.add_typer(genres.app, name="genres")
app.command("harvest")(harvesting.harvest)
app.command("enrich")(enriching.enrich)
app.command("analyse")(analysing.analyse)
app.command("import")(importing.import_)
app.command("import-audio")(listening.import_audio)
app.command("add")(adding.add)
app.command("label")(labels.label)
app.command("run")(running.run)
app.command("status")(status.status)
app.command("health")(health.health)
app.command("forget")(forgetting.forget)


def main() -> None:
    """Run the command line."""
    run_app(app)

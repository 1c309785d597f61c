"""The classifier's command line: every command is one file under `commands`."""

import typer

from classifier.commands import (
    card,
    clusters,
    compare,
    explain,
    explore,
    export,
    health,
    learning_curve,
    match,
    models,
    plot,
    predict,
    run,
    separability,
    snapshot,
    status,
    train,
    tune,
)
from genrebase.runtime.console import run_app

app = typer.Typer(
    name="classifier",
    help="Train genre models on the database, and store what they say about every track.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # it would print local variables, secrets among them
)
app.command("train")(train.train)
app.command("compare")(compare.compare)
app.command("tune")(tune.tune)
app.command("learning-curve")(learning_curve.learning_curve)
app.command("predict")(predict.predict)
app.command("models")(models.models)
app.command("promote")(models.promote)
app.command("pin")(models.pin)
app.command("unpin")(models.unpin)
app.command("prune")(models.prune)
app.command("snapshot")(snapshot.snapshot)
app.command("card")(card.card)
app.command("explain")(explain.explain)
app.command("clusters")(clusters.clusters)
app.command("separability")(separability.separability)
app.command("match")(match.match)
app.command("explore")(explore.explore)
app.command("export")(export.export)
app.command("plot")(plot.plot)
app.command("run")(run.run)
app.command("status")(status.status)
app.command("health")(health.health)


def main() -> None:
    """Run the command line."""
    run_app(app)

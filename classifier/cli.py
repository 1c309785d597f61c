"""The classifier's command line: every command is one file under `commands`."""

import typer

from classifier.commands import (
    carding,
    clustering,
    comparing,
    curving,
    explaining,
    exploring,
    exporting,
    freezing,
    health,
    matching,
    models,
    plotting,
    predicting,
    running,
    separating,
    status,
    training,
    tuning,
)
from genrebase.runtime.output import run_app

app = typer.Typer(
    name="classifier",
    help="Train genre models on the database, and store what they say about every track.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # it would print local variables, secrets among them
)
app.command("train")(training.train)
app.command("compare")(comparing.compare)
app.command("tune")(tuning.tune)
app.command("learning-curve")(curving.learning_curve)
app.command("predict")(predicting.predict)
app.command("models")(models.models)
app.command("promote")(models.promote)
app.command("pin")(models.pin)
app.command("unpin")(models.unpin)
app.command("prune")(models.prune)
app.command("snapshot")(freezing.snapshot)
app.command("card")(carding.card)
app.command("explain")(explaining.explain)
app.command("clusters")(clustering.clusters)
app.command("separability")(separating.separability)
app.command("match")(matching.match)
app.command("explore")(exploring.explore)
app.command("export")(exporting.export)
app.command("plot")(plotting.plot)
app.command("run")(running.run)
app.command("status")(status.status)
app.command("health")(health.health)


def main() -> None:
    """Run the command line."""
    run_app(app)

"""The command line of the classifier: every command is a function under `classifier.commands`."""

from typing import Final

from genrebase.runtime.command_line import CommandLine, run_app

COMMANDS: Final = {
    "train": "classifier.commands.train:train",
    "compare": "classifier.commands.compare:compare",
    "tune": "classifier.commands.tune:tune",
    "learning-curve": "classifier.commands.learning_curve:learning_curve",
    "predict": "classifier.commands.predict:predict",
    "models": "classifier.commands.models:models",
    "promote": "classifier.commands.models:promote",
    "pin": "classifier.commands.models:pin",
    "unpin": "classifier.commands.models:unpin",
    "prune": "classifier.commands.models:prune",
    "snapshot": "classifier.commands.snapshot:snapshot",
    "card": "classifier.commands.card:card",
    "explain": "classifier.commands.explain:explain",
    "clusters": "classifier.commands.clusters:clusters",
    "separability": "classifier.commands.separability:separability",
    "match": "classifier.commands.match:match",
    "explore": "classifier.commands.explore:explore",
    "annotate-next": "classifier.commands.annotation:annotate_next",
    "verdicts": "classifier.commands.annotation:verdicts",
    "export": "classifier.commands.export:export",
    "plot": "classifier.commands.plot:plot",
    "run": "classifier.commands.run:run",
    "status": "classifier.commands.status:status",
    "health": "classifier.commands.health:health",
}

app = CommandLine(
    name="classifier",
    help_text="Train genre models on the database, and store their predictions for every track.",
    commands=COMMANDS,
)


def main() -> None:
    run_app(app)

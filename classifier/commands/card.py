"""The command `classifier card`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from classifier import threads
from classifier.commands.reproduce import choice_words, param_words
from classifier.records import MAIN, Choice
from genrebase.runtime.console import Output


def card(
    number: Annotated[
        int | None, typer.Argument(metavar="ID", help="A model's number [the champion].")
    ] = None,
    task: Annotated[str, typer.Option(help="Whose champion.")] = MAIN,
    file: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write it into a new file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Write the model card: data, labels, folds, figures, worst genres, limits, terms.

    Markdown on standard output, or in a file that is not there yet. A refit shows the figures
    of its parent, named so.
    """
    threads.settle()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.data import dataset
    from classifier.registry import stored_metrics
    from classifier.reports.card import Card
    from classifier.reports.new_file import making
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    model = dataset.champion(database, task) if number is None else dataset.model(database, number)
    parent = None if model.parent_id is None else dataset.model(database, model.parent_id)
    words = ["classifier", "train", "--task", model.task, "--refit"]
    if parent is None:
        choice = Choice.of(model)
        words = ["classifier", "train", *choice_words(choice), "--estimator", choice.estimator]
        words += param_words(choice.params)
    made = Card(
        model,
        parent,
        stored_metrics.of_model(database, model.id if parent is None else parent.id),
        stored_metrics.origins(database),
        shlex.join(words),
    )
    if file is not None:
        with making(file) as place:
            place.write_text(made.as_markdown(), encoding="utf-8")
        output.say(f"The card of model {model.id} is in {file}.")
    elif not as_json:
        sys.stdout.write(made.as_markdown())
    output.document(made.as_json())

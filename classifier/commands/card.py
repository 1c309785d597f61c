"""The command `classifier card`."""

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from classifier import threads
from classifier.training_config import DEFAULT_TASK, TrainingConfig
from genrebase.runtime.console import Output
from genrebase.runtime.control_characters import escape_control_characters


def card(
    number: Annotated[
        int | None, typer.Argument(metavar="ID", help="The model's ID (default: the champion).")
    ] = None,
    task: Annotated[str, typer.Option(help="The task of the champion.")] = DEFAULT_TASK,
    file: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write to a new file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Write the model card: data, labels, evaluation, metrics, worst genres, limits, terms.

    Markdown is written to standard output or to a new file. A refit's card has the metrics of
    its parent, which it names.

    Examples:
      classifier card -o model-card.md
    """
    threads.configure_openmp()
    from classifier.registry import stored_models
    from classifier.reports.card import ModelCard
    from genrebase.new_file import create_atomically
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    model = stored_models.model_or_champion(database, number, task)
    parent = None if model.parent_id is None else stored_models.model(database, model.parent_id)
    words = ["classifier", "train", "--task", model.task, "--refit"]
    if parent is None:
        words = ["classifier", "train", *TrainingConfig.from_model(model).command_args()]
    model_card = ModelCard(
        model,
        parent,
        stored_models.metrics_of_model(database, model.id if parent is None else parent.id),
        stored_models.track_origins(database),
        shlex.join(words),
    )
    if file is not None:
        with create_atomically(file) as place:
            place.write_text(model_card.as_markdown(), encoding="utf-8")
        output.print(f"The card of model {model.id} is in {file}.")
    elif not as_json:
        sys.stdout.write(escape_control_characters(model_card.as_markdown()))
    output.write_json(model_card.as_json())

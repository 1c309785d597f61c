"""The command `classifier train`."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from classifier import threads
from classifier.commands.training_options import (
    SnapshotOption,
    load_snapshot,
    training_config,
    with_training_options,
)
from classifier.errors import BadTrainingConfig
from classifier.settings import ClassifierSettings
from classifier.training_config import TrainingConfig
from genrebase.runtime.console import Output


@with_training_options()
def train(
    config: TrainingConfig,
    snapshot: SnapshotOption = None,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit",
            help="The champion's recipe on all labelled tracks but the validation ones, to serve.",
        ),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Train even where nothing is new.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    niceness: Annotated[int, typer.Option(hidden=True, min=0, max=19)] = 0,
) -> None:
    """Train a model on the database, evaluate it honestly, and make it champion if it earned it.

    Ends with 0 whatever becomes of the model. Where tracks, parameters and code are those of a
    model that is there, that one is shown again.

    A refit has no honest figures of its own: those of the champion, its parent, are shown. It
    answers for music that is not in the database, as long as its parent is champion. Left out are
    the validation tracks alone, by which the recipe ends its learning and weighs its experts.
    """
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.data.training_data import format_counts
    from classifier.training import refit as refitting
    from classifier.training import train as training
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, settings = Output(as_json=as_json), ClassifierSettings.load()
    cores = settings.threads
    if refit:
        _check_alone(config, snapshot)
        tell = _teller(output)
        database = connect()
        with interrupts.report_training_on_interrupt(output, database):
            model = refitting.run(database, config.task, SystemClock(), log=tell, cores=cores)
        tables.print_model(output, model)
        output.write_json(model.as_json())
        return
    frozen, config = load_snapshot(snapshot, config)
    database = connect()
    with _in_the_background(niceness), interrupts.report_training_on_interrupt(output, database):
        done = training.run(
            database,
            config,
            SystemClock(),
            log=_teller(output),
            cores=cores,
            again=again,
            snapshot=frozen,
            keep_last=settings.models_remembered,
        )
    if done.left_out:
        output.warn(f"Left out for too few tracks: {format_counts(done.left_out)}.")
    if done.unmapped:
        output.warn(
            f"Not in the mapping: {format_counts(done.unmapped)}; --unmapped says where they go "
            f"(here: {config.unmapped})."
        )
    for warning in done.warnings:
        output.warn(warning)
    if done.nothing_new:
        output.print("Nothing new: same tracks, parameters and code as this model.")
    tables.print_model(output, done.model)
    output.write_json(done.as_json())


def _teller(output: Output) -> Callable[[str], None]:
    return lambda what: output.print(f"Training: {what}.")


def _check_alone(config: TrainingConfig, snapshot: Path | None) -> None:
    """Raise `BadTrainingConfig` where something is asked of a refit that its parent decides."""
    plain = training_config(ClassifierSettings.load(), task=config.task)
    if config != plain or snapshot is not None:
        raise BadTrainingConfig(
            "--refit takes the champion's own recipe: leave out all other options but --task."
        )


@contextmanager
def _in_the_background(niceness: int) -> Iterator[None]:
    """Step back behind others, and let a SIGTERM end the training as Ctrl-C does."""
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

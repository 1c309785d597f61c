"""The command `classifier train`."""

import os
import signal
from collections.abc import Iterator
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
from genrebase.runtime.command_line import OnCluster
from genrebase.runtime.console import Output


@with_training_options()
def train(
    config: TrainingConfig,
    snapshot: SnapshotOption = None,
    refit: Annotated[
        bool,
        typer.Option(
            "--refit",
            help="Retrain the champion on all labelled tracks but the validation ones.",
        ),
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Train even if nothing is new.")] = False,
    on: OnCluster = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    niceness: Annotated[int, typer.Option(hidden=True, min=0, max=19)] = 0,
) -> None:
    """Train a model, evaluate it on held-out tracks, and promote it if the metrics allow it.

    The exit code is 0, also if the model is not promoted. If tracks, parameters and code equal
    those of a stored model, nothing is trained, and the stored model is printed.

    With --refit the champion's configuration is trained once more, also on the test tracks, but
    not on the validation tracks, which early stopping and ensemble weights need. The refit
    predicts music that is not in the database, as long as its parent is champion. It cannot be
    evaluated, so the metrics of its parent are printed.

    Examples:
      classifier train
      classifier train --estimator logistic --genres rock,pop,jazz
    """
    threads.configure_openmp()
    from classifier.commands import interrupts, model_tables
    from classifier.data.training_data import format_counts
    from classifier.distributed_fits import fits_on
    from classifier.training import refit as refitting
    from classifier.training import train as training
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.cluster import open_cluster
    from genrebase.store import connect

    output, settings, clock = Output(as_json=as_json), ClassifierSettings.load(), SystemClock()
    if refit:
        _check_refit_options(config, snapshot)
    loaded_snapshot, config = load_snapshot(snapshot, config)
    database, cores = connect(), settings.threads

    def log(message: str) -> None:
        output.print(f"Training: {message}.")

    with (
        _in_the_background(niceness),
        refreshed_after(database, clock),
        interrupts.report_training_on_interrupt(output, database),
        open_cluster(on) as cluster,
        fits_on(cluster),
    ):
        if refit:
            result = refitting.run(database, config.task, clock, log=log, cores=cores)
        else:
            result = training.run(
                database,
                config,
                clock,
                log=log,
                cores=cores,
                again=again,
                snapshot=loaded_snapshot,
                keep_last=settings.models_remembered,
            )
    if result.left_out:
        output.warn(f"Left out for too few tracks: {format_counts(result.left_out)}.")
    if result.unmapped:
        output.warn(
            f"Not in the mapping: {format_counts(result.unmapped)}; --unmapped sets what becomes "
            f"of them (here: {config.unmapped})."
        )
    if result.sources is not None:
        model_tables.print_left_out(output, result.sources)
    for warning in result.warnings:
        output.warn(warning)
    if result.nothing_new:
        output.print(
            f"Nothing new: already stored as model {result.model.id}, trained on the same tracks "
            "with the same parameters and code."
        )
    model_tables.print_model(output, result.model)
    output.write_json(result.as_json())


def _check_refit_options(config: TrainingConfig, snapshot: Path | None) -> None:
    """Raise `BadTrainingConfig` for options of a refit that its parent determines."""
    default = training_config(ClassifierSettings.load(), task=config.task)
    if config != default or snapshot is not None:
        raise BadTrainingConfig(
            "--refit uses the champion's config: leave out all other options except --task."
        )


@contextmanager
def _in_the_background(niceness: int) -> Iterator[None]:
    """Lower the priority, and let SIGTERM end the training as Ctrl-C does."""
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

"""Shared by `compare`, `learning-curve` and `tune`: options, progress, and the resume notice."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifier.commands import interrupts
from classifier.commands.training_options import load_snapshot
from classifier.config_options import parse_list
from classifier.data_sources import TrainingSources
from classifier.errors import BadTrainingConfig
from classifier.settings import ClassifierSettings
from classifier.training_config import TrainingConfig
from genrebase.counts import counted
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.experiments.runner import ExperimentContext, ExperimentResult

ALL = "all"
_N_ROTATIONS = 10

Rotations = Annotated[
    str,
    typer.Option(help="Number of cross-validation rotations of the ten folds: 1 to 10, or all."),
]
Again = Annotated[bool, typer.Option("--again", help="Repeat stored trials, too.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@contextmanager
def experiment(
    output: Output,
    title: str,
    config: TrainingConfig,
    snapshot: Path | None,
    *,
    again: bool,
    on: str | None = None,
) -> "Iterator[tuple[ExperimentContext, TrainingConfig]]":
    """Yield what an experiment needs, and the config with the snapshot's defaults.

    Workers of the cluster `on` fit the trials. On Ctrl-C print how many trials are stored.
    """
    from classifier.experiments.runner import ExperimentContext
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.cluster import open_cluster
    from genrebase.store import connect

    loaded, config = load_snapshot(snapshot, config)
    describe_kept = partial(describe_stored_trials, again=again)
    with (
        interrupts.progress_on_interrupt(output, title, describe_kept) as progress,
        open_cluster(on) as cluster,
    ):
        context = ExperimentContext(
            connect(),
            SystemClock(),
            progress,
            None if loaded is None else loaded.dataset,
            ClassifierSettings.load().threads,
            again,
            cluster,
        )
        yield context, config


def describe_stored_trials(done: int, total: int, *, again: bool) -> str:
    """Return how many trials an interrupted experiment has stored."""
    if not total:
        return "nothing new is stored, because no trial was run yet."
    without = " without --again" if again else ""
    return (
        f"{done:,} of {counted(total, 'trial')} are stored; the same command{without} resumes "
        "there."
    )


def print_notices(output: Output, result: "ExperimentResult") -> None:
    """Warn of genres and sources that were left out; report if all trials were stored already."""
    from classifier.commands import model_tables
    from classifier.data.training_data import format_counts

    if result.left_out:
        output.warn(f"Left out for too few tracks: {format_counts(result.left_out)}.")
    model_tables.print_left_out(output, TrainingSources.from_json(result.sources))
    if result.nothing_new:
        output.print("Nothing new: all trials on these tracks are stored already.")


def parse_rotations(text: str) -> tuple[int, ...]:
    """Return the rotations of `--rotations`; raise `BadTrainingConfig`."""
    if text.strip() == ALL:
        return tuple(range(_N_ROTATIONS))
    if not text.strip().isdecimal() or not 1 <= int(text) <= _N_ROTATIONS:
        raise BadTrainingConfig(
            f"--rotations is a number from 1 to {_N_ROTATIONS}, or all; not {text!r}."
        )
    return tuple(range(int(text)))


def parse_sizes(text: str | None) -> tuple[int | None, ...]:
    """Return numbers of tracks per genre, None for all; raise `BadTrainingConfig`."""
    if text is None:
        return (None,)
    parts = parse_list(text)
    for part in parts:
        if part != ALL and (not part.isdecimal() or int(part) < 1):
            raise BadTrainingConfig(f"Tracks per genre are numbers, or all; not {part!r}.")
    return tuple(None if part == ALL else int(part) for part in parts) or (None,)

"""The command `classifier tune`."""

import json
import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier import threads
from classifier.commands.training_options import (
    SnapshotOption,
    load_snapshot,
    with_training_options,
)
from classifier.errors import BadTrainingConfig
from classifier.settings import ClassifierSettings
from classifier.training_config import TrainingConfig, parse_list
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.experiments.tune import TuningResult

_COLUMNS = ("point", "genre", "parameters", "per genre", "score", "folds", "seconds")
_SHOWN = 15
"""Rows that people are shown; the database has all."""
_EVERY = "all"


@with_training_options(without=("split",))
def tune(
    choice: TrainingConfig,
    space: Annotated[
        Path | None,
        typer.Option(help="What to vary, TOML or JSON (default: the estimator's own space)."),
    ] = None,
    search: Annotated[
        str, typer.Option(help="halving (few tracks first), random or exhaustive.")
    ] = "halving",
    trials: Annotated[int, typer.Option(min=1, help="Points to try, beside the defaults.")] = 20,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Begin nothing new after so long.")
    ] = None,
    folds: Annotated[
        int, typer.Option(min=1, max=9, help="On how many of the nine folds each is judged.")
    ] = 3,
    metric: Annotated[
        str | None,
        typer.Option(
            help="accuracy (default), macro_f1, top3 or log_loss; binary: "
            "average_precision (default) or f1."
        ),
    ] = None,
    regime: Annotated[
        str, typer.Option(help="new_artist, seen_artist or both (their mean).")
    ] = "both",
    binary: Annotated[
        str | None,
        typer.Option(help="Each of these genres against the rest, for itself: a,b or all."),
    ] = None,
    train: Annotated[bool, typer.Option("--train", help="Train what came out best.")] = False,
    snapshot: SnapshotOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what stands there already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Look for better parameters of an estimator, by validation tracks alone.

    Folds are of artists, one after another held out; the test fold is never looked at. Every
    trial is stored when it is done, and the same command goes on where it was left off.
    """
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.data.training_data import format_counts
    from classifier.experiments import search as study
    from classifier.experiments import search_spaces, tune
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    if train and binary is not None:
        raise BadTrainingConfig(
            "--train trains one model: leave out --binary, or train what it prints."
        )
    if train and snapshot is not None:
        raise BadTrainingConfig("--train trains on the database: leave out --snapshot.")
    output = Output(as_json=as_json)
    frozen, choice = load_snapshot(snapshot, choice)
    genres = None if binary is None else _genres(binary)
    asked = study.SearchSettings(
        search_spaces.default_space(choice.estimator)
        if space is None
        else search_spaces.read_space(space),
        search,
        trials,
        folds,
        metric or (study.TUNING_METRICS if genres is None else study.ONE_VS_REST_METRICS)[0],
        regime,
        genres,
    )
    database, clock = connect(), SystemClock()
    settings = ClassifierSettings.load()
    cores = settings.threads
    with interrupts.report_trials_on_interrupt(output, "Tuning", again=again) as progress:
        done = tune.run(
            database,
            choice,
            asked,
            clock,
            seconds=None if minutes is None else minutes * 60,
            snapshot=None if frozen is None else frozen.dataset,
            progress=progress,
            cores=cores,
            again=again,
        )
    if done.left_out:
        output.warn(f"Left out for too few tracks: {format_counts(done.left_out)}.")
    _show(output, done, asked.metric)
    line = train_command(choice, done)
    if line is not None:
        output.print(f"To use it: {line}")
    tables.print_origin(output, done.origin)
    document: dict[str, Any] = {**asdict(done), "metric": asked.metric, "command": line}
    if train and line is not None:
        from classifier.training import train as training

        best = replace(choice, params=dict(done.found[0].params))
        with interrupts.report_training_on_interrupt(output, database):
            trained = training.run(
                database,
                best,
                clock,
                log=output.print,
                cores=cores,
                keep_last=settings.models_remembered,
            )
        tables.print_model(output, trained.model)
        document["model"] = trained.as_json()
    output.write_json(document)


def train_command(choice: TrainingConfig, done: "TuningResult") -> str | None:
    """Return the command that trains what came out best; None where nothing did."""
    found = [one for one in done.found if one.score is not None]
    if not found:
        return None
    if found[0].genre is None:
        best = replace(choice, params=dict(found[0].params))
    else:
        by_genre = {one.genre: dict(one.params) for one in found if one.params}
        params = {"member": choice.estimator, "by_genre": by_genre}
        best = replace(choice, estimator="voting", params=params)
    return shlex.join(["classifier", "train", *best.command_args()])


def _genres(text: str) -> tuple[str, ...]:
    return () if text.strip() == _EVERY else tuple(parse_list(text))


def _show(output: Output, done: "TuningResult", metric: str) -> None:
    if done.nothing_new:
        output.print("Nothing new: all of it was tried on these tracks already.")
    output.table(
        f"Experiment {done.experiment}: {metric} on validation tracks",
        _COLUMNS,
        (
            (
                row["number"],
                row["genre"],
                " ".join(f"{name}={value}" for name, value in row["params"].items()),
                row["per_genre"] or _EVERY,
                row["score"],
                row["folds"],
                f"{row['seconds']:.1f}",
            )
            for row in done.table[:_SHOWN]
        ),
    )
    for one in done.failed[:_SHOWN]:
        output.warn(f"{json.dumps(one['params'])} failed: {one['error']}")
    for best in done.found:
        if best.score is None:
            output.print("Nothing was tried to its end yet.")
            continue
        named = "" if best.genre is None else f"{best.genre}: "
        beside = "" if best.default is None else f", the defaults {best.default:.4f}"
        output.print(
            f"{named}{metric} {best.score:.4f} by {dict(best.params) or 'the defaults'}{beside}."
        )
    if done.stopped is not None:
        output.print("The time is up: the same command goes on where this ends.")

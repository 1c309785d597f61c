"""The command `classifier tune`."""

import json
import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier import bootstrap, threads
from classifier.commands.options import with_choice
from classifier.commands.reproduce import choice_words, param_words
from classifier.commands.snapshot_option import thawed
from classifier.errors import BadChoice
from classifier.records import Choice
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.experiments.tune import Tuned

_COLUMNS = ("point", "genre", "parameters", "per genre", "score", "folds", "seconds")
_SHOWN = 15
"""Rows that people are shown; the database has all."""
_EVERY = "all"


@with_choice()
def tune(
    choice: Choice,
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
    snapshot: Annotated[
        Path | None, typer.Option(help="Frozen rows in the place of the database's.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also what stands there already.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Look for better parameters of an estimator, by validation tracks alone.

    Folds are of artists, one after another held out; the test fold is never looked at. Every
    trial is stored when it is done, and the same command goes on where it was left off.
    """
    threads.settle()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.data.training_data import named
    from classifier.experiments import search as study
    from classifier.experiments import search_spaces, tune
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    if train and binary is not None:
        raise BadChoice("--train trains one model: leave out --binary, or train what it prints.")
    if train and snapshot is not None:
        raise BadChoice("--train trains on the database: leave out --snapshot.")
    output = Output(as_json=as_json)
    frozen, choice = thawed(snapshot, choice)
    genres = None if binary is None else _genres(binary)
    asked = study.Study(
        search_spaces.default(choice.estimator) if space is None else search_spaces.read(space),
        search,
        trials,
        folds,
        metric or (study.METRICS if genres is None else study.BINARY_METRICS)[0],
        regime,
        genres,
    )
    database, clock = connect(), SystemClock()
    settings = bootstrap.load_settings()
    cores = settings.threads
    with interrupts.trying(output, "Tuning", again=again) as progress:
        done = tune.run(
            database,
            choice,
            asked,
            clock,
            seconds=None if minutes is None else minutes * 60,
            found=None if frozen is None else frozen.found,
            progress=progress,
            cores=cores,
            again=again,
        )
    if done.left_out:
        output.warn(f"Left out for too few tracks: {named(done.left_out)}.")
    _show(output, done, asked.metric)
    line = train_line(choice, done)
    if line is not None:
        output.say(f"To use it: {line}")
    tables.show_origin(output, done.origin)
    document: dict[str, Any] = {**asdict(done), "metric": asked.metric, "command": line}
    if train and line is not None:
        from classifier.training import train as training

        best = replace(choice, params=dict(done.found[0].params))
        with interrupts.training(output, database):
            trained = training.run(
                database,
                best,
                clock,
                tell=output.say,
                cores=cores,
                remembered=settings.models_remembered,
            )
        tables.show_model(output, trained.model)
        document["model"] = trained.as_json()
    output.document(document)


def train_line(choice: Choice, done: "Tuned") -> str | None:
    """Return the command that trains what came out best; None where nothing did."""
    found = [one for one in done.found if one.score is not None]
    if not found:
        return None
    words = ["classifier", "train", *choice_words(choice)]
    if found[0].genre is None:
        words += ["--estimator", choice.estimator, *param_words(found[0].params)]
        return shlex.join(words)
    told: dict[str, Any] = {"member": choice.estimator}
    told["by_genre"] = {one.genre: dict(one.params) for one in found if one.params}
    return shlex.join([*words, "--estimator", "voting", *param_words(told)])


def _genres(text: str) -> tuple[str, ...]:
    return () if text.strip() == _EVERY else tuple(bootstrap.listed(text))


def _show(output: Output, done: "Tuned", metric: str) -> None:
    if done.nothing_new:
        output.say("Nothing new: all of it was tried on these tracks already.")
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
            output.say("Nothing was tried to its end yet.")
            continue
        named = "" if best.genre is None else f"{best.genre}: "
        beside = "" if best.default is None else f", the defaults {best.default:.4f}"
        output.say(
            f"{named}{metric} {best.score:.4f} by {dict(best.params) or 'the defaults'}{beside}."
        )
    if done.stopped is not None:
        output.say("The time is up: the same command goes on where this ends.")

"""The command `classifier train`."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from classifier import bootstrap, threads
from classifier.records import MAIN
from genrebase.runtime.output import Output


def train(
    task: Annotated[
        str, typer.Option(help="The question; only models of the same task compete.")
    ] = MAIN,
    estimator: Annotated[
        str | None,
        typer.Option(help="dummy, logistic, random_forest, gradient_boosting or a plug-in's."),
    ] = None,
    genres: Annotated[str | None, typer.Option(help="Only these genres: a,b,c.")] = None,
    exclude: Annotated[str | None, typer.Option(help="All genres but these: a,b,c.")] = None,
    features: Annotated[
        str | None, typer.Option(help="What to look at: audio, metadata or both (default).")
    ] = None,
    labels: Annotated[
        str, typer.Option(help="claim: one genre a track; exclusive: leave out tracks with two.")
    ] = "claim",
    per_genre: Annotated[
        int | None, typer.Option(min=1, help="Learn from at most so many tracks of each genre.")
    ] = None,
    min_tracks: Annotated[
        int | None, typer.Option(min=2, help="Leave out genres with fewer labelled tracks [30].")
    ] = None,
    param: Annotated[
        list[str] | None, typer.Option(help="A parameter of the estimator: name=value.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of everything random.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Train even where nothing is new.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
    niceness: Annotated[int, typer.Option(hidden=True, min=0, max=19)] = 0,
) -> None:
    """Train a model on the database, evaluate it honestly, and make it champion if it earned it.

    Ends with 0 whatever becomes of the model. Where tracks, parameters and code are those of a
    model that is there, that one is shown again.
    """
    settings = bootstrap.load_settings()
    choice = bootstrap.choice(
        settings,
        task=task,
        estimator=estimator,
        genres=genres,
        exclude=exclude,
        features=features,
        labels=labels,
        per_genre=per_genre,
        min_tracks=min_tracks,
        params=param or (),
        seed=seed,
    )
    threads.settle()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier import train as training
    from classifier.commands import showing
    from classifier.selection import named
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    with _in_the_background(niceness):
        done = training.run(
            connect(),
            choice,
            SystemClock(),
            tell=lambda what: output.say(f"Training: {what}."),
            cores=settings.threads,
            again=again,
        )
    if done.left_out:
        output.warn(f"Left out for too few tracks: {named(done.left_out)}.")
    for warning in done.warnings:
        output.warn(warning)
    if done.nothing_new:
        output.say("Nothing new: same tracks, parameters and code as this model.")
    showing.show_model(output, done.model)
    output.document(done.as_json())


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

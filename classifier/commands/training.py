"""The command `classifier train`."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from classifier import bootstrap, threads
from classifier.commands.options import with_choice
from classifier.records import Choice
from genrebase.runtime.output import Output


@with_choice()
def train(
    choice: Choice,
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
            cores=bootstrap.load_settings().threads,
            again=again,
        )
    if done.left_out:
        output.warn(f"Left out for too few tracks: {named(done.left_out)}.")
    if done.unmapped:
        output.warn(
            f"Not in the mapping: {named(done.unmapped)}; --unmapped says where they go "
            f"(here: {choice.unmapped})."
        )
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

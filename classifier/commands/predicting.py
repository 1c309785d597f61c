"""The command `classifier predict`."""

from dataclasses import asdict
from typing import Annotated

import typer

from classifier import bootstrap, threads
from classifier.errors import BadChoice
from classifier.records import MAIN
from genrebase.runtime.output import Output


def predict(
    track: Annotated[
        str | None,
        typer.Option(help="One track: a source's id, a Spotify address or URI, or its number."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All tracks without an answer (the default).")
    ] = False,
    task: Annotated[str, typer.Option(help="Whose champion to ask.")] = MAIN,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Store the champion's answers for every track that has none yet, or show those for one.

    Tracks it learned from keep the answers that refits gave which had not learned from them.
    """
    if track is not None and every:
        raise BadChoice("Say either --track or --all.")
    threads.settle()
    output = Output(as_json=as_json)
    if track is None:
        _score(output, task)
    else:
        _answer(output, task, track)


def _score(output: Output, task: str) -> None:
    settings = bootstrap.load_settings()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier import score
    from classifier.commands import showing
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    with output.progress("Predicting") as bar:
        done = score.run(
            connect(),
            SystemClock(),
            task=task,
            cores=settings.threads,
            progress=lambda scored, of: bar(scored, total=of),
        )
    output.say(
        f"Model {done.model} answered for {done.scored:,} tracks ({done.written:,} rows) "
        f"in {done.seconds:.1f} s."
    )
    showing.show_origin(output, done.origin)
    output.document(asdict(done))


def _answer(output: Output, task: str, track: str) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier import predict as predicting
    from classifier.commands import showing
    from genrebase.store import connect

    found = predicting.answer(connect(), track, task=task)
    output.say(f"{found.title} - {found.artists} (track {found.track})")
    output.table("", ("genre", "probability"), found.top)
    knows = "an artist it knows" if found.regime == "seen_artist" else "an artist it never met"
    output.say(f"Model {found.model}, {knows}.")
    if found.in_training:
        output.say("It learned from this track; the answer is of a refit that did not.")
    showing.show_origin(output, found.origin)
    output.document(found.as_json())

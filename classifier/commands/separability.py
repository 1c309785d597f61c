"""The command `classifier separability`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier import bootstrap, threads
from classifier.records import MAIN
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.pairwise_auc import Held
    from classifier.findings.separability import Separated

_HARDEST = 10


def separability(
    size: Annotated[int, typer.Option("--k", min=2, help="How many genres.")] = 6,
    number: Annotated[
        int | None, typer.Option("--model", metavar="ID", help="By this model [the champion].")
    ] = None,
    task: Annotated[str, typer.Option(help="By whose champion.")] = MAIN,
    regime: Annotated[
        str, typer.Option(help="On which tracks: all, new_artist or seen_artist.")
    ] = "all",
    train: Annotated[
        bool, typer.Option("--train", help="Train a model on them, as task separable-K.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Find the genres that can be told apart best.

    For every pair, how often a track of the one ranks above one of the other by the model's own
    probabilities (area under the ROC curve, validation tracks); the set with the best mean is
    taken, and held against the test tracks. Pairs are stored (view `genre_separabilities`).
    """
    settings = bootstrap.load_settings()
    threads.settle()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.findings import separability as separating
    from classifier.training import train as training
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    with output.if_stopped(lambda: interrupts.AS_IT_WAS):
        found = separating.run(
            database,
            size,
            number=number,
            task=task,
            regime=regime,
            seed=settings.seed,
            cores=settings.threads,
        )
    _show(output, found)
    document: dict[str, Any] = found.as_json()
    if train:
        with interrupts.training(output, database):
            done = training.run(
                database,
                found.choice,
                SystemClock(),
                tell=lambda what: output.say(f"Training: {what}."),
                cores=settings.threads,
                remembered=settings.models_remembered,
            )
        tables.show_model(output, done.model)
        document["trained"] = done.as_json()
    else:
        tables.show_origin(output, found.origin)
    output.document(document)


def _show(output: Output, found: "Separated") -> None:
    output.say(f"By model {found.model}, {len(found.genres)} genres: {', '.join(found.genres)}.")
    how = {
        "exhaustive": f"all {found.best.looked_at:,} sets were compared",
        "greedy": f"a search, {found.best.looked_at:,} steps: nothing proves it the best",
    }
    output.say(f"Mean area of their pairs {found.best.mean:.3f}; {how[found.best.search]}.")
    output.say(
        f"Hardest of them: {found.worst[0]} and {found.worst[1]} ({found.best.worst.auc:.3f})."
    )
    output.table(
        "Among these genres only, mean share recognised",
        ("", "accuracy", "95% interval", "guessing", "tracks"),
        (
            _row(name, held)
            for name, held in (("validation", found.validation), ("test", found.test))
            if held is not None
        ),
    )
    output.table("Hardest pairs of all", ("genre", "other genre", "area"), found.pairs[:_HARDEST])
    if found.left_out:
        output.warn(f"Too few validation tracks: {', '.join(found.left_out)}.")


def _row(name: str, held: "Held") -> tuple[object, ...]:
    interval = held.interval
    span = "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
    return name, held.accuracy, span, held.baseline, held.n

"""The command `classifier separability`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier import threads
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.pairwise_auc import SubsetAccuracy
    from classifier.findings.separability import SeparabilityResult

_HARDEST = 10


def separability(
    size: Annotated[int, typer.Option("--k", min=2, help="How many genres.")] = 6,
    number: Annotated[
        int | None, typer.Option("--model", metavar="ID", help="By this model [the champion].")
    ] = None,
    task: Annotated[str, typer.Option(help="By whose champion.")] = DEFAULT_TASK,
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
    settings = ClassifierSettings.load()
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.findings import separability as separating
    from classifier.training import train as training
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    with output.on_interrupt(lambda: interrupts.NOTHING_STORED):
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
        with interrupts.report_training_on_interrupt(output, database):
            done = training.run(
                database,
                found.choice,
                SystemClock(),
                log=lambda what: output.print(f"Training: {what}."),
                cores=settings.threads,
                keep_last=settings.models_remembered,
            )
        tables.print_model(output, done.model)
        document["trained"] = done.as_json()
    else:
        tables.print_origin(output, found.origin)
    output.write_json(document)


def _show(output: Output, found: "SeparabilityResult") -> None:
    output.print(f"By model {found.model}, {len(found.genres)} genres: {', '.join(found.genres)}.")
    how = {
        "exhaustive": f"all {found.best_subset.sets_compared:,} sets were compared",
        "greedy": f"a search, {found.best_subset.sets_compared:,} steps: nothing proves it the best",
    }
    output.print(
        f"Mean area of their pairs {found.best_subset.mean_auc:.3f}; {how[found.best_subset.search]}."
    )
    output.print(
        f"Hardest of them: {found.worst_pair[0]} and {found.worst_pair[1]} ({found.best_subset.worst_pair.auc:.3f})."
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


def _row(name: str, held: "SubsetAccuracy") -> tuple[object, ...]:
    interval = held.interval
    span = "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
    return name, held.accuracy, span, held.baseline, held.n

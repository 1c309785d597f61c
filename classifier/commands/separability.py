"""The command `classifier separability`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier import threads
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.counts import counted
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.pairwise_auc import SubsetAccuracy
    from classifier.findings.separability import SeparabilityResult

_MAX_PAIRS = 10


def separability(
    size: Annotated[
        int, typer.Option("--genres-count", min=2, help="Number of genres in the subset.")
    ] = 6,
    number: Annotated[
        int | None,
        typer.Option("--model", metavar="ID", help="The model's ID (default: the champion)."),
    ] = None,
    task: Annotated[str, typer.Option(help="The task of the champion.")] = DEFAULT_TASK,
    regime: Annotated[str, typer.Option(help="Tracks: all, new_artist or seen_artist.")] = "all",
    train: Annotated[
        bool, typer.Option("--train", help="Train a model on that subset, as task separable-N.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Find the most separable subset of genres by pairwise AUC.

    Pairwise AUC: the probability that the model ranks a random pair of tracks, one per genre,
    correctly. The subset with the best mean is evaluated on the test tracks. Pairs are stored
    (view `genre_separabilities`).

    Examples:
      classifier separability --genres-count 3
    """
    settings = ClassifierSettings.load()
    threads.configure_openmp()
    from classifier.commands import interrupts, model_tables
    from classifier.findings import separability as separating
    from classifier.training import train as training
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, database = Output(as_json=as_json), connect()
    with output.on_interrupt(lambda: interrupts.NOTHING_STORED):
        result = separating.run(
            database,
            size,
            number=number,
            task=task,
            regime=regime,
            seed=settings.seed,
            cores=settings.threads,
        )
    _print_result(output, result)
    document: dict[str, Any] = result.as_json()
    if train:
        with interrupts.report_training_on_interrupt(output, database):
            done = training.run(
                database,
                result.config,
                SystemClock(),
                log=lambda what: output.print(f"Training: {what}."),
                cores=settings.threads,
                keep_last=settings.models_remembered,
            )
        model_tables.print_model(output, done.model)
        document["trained"] = done.as_json()
    else:
        model_tables.print_origin(output, result.origin)
    output.write_json(document)


def _print_result(output: Output, result: "SeparabilityResult") -> None:
    genres = ", ".join(result.genres)
    output.print(f"By model {result.model}, {len(result.genres)} genres: {genres}.")
    how = {
        "exhaustive": f"all {counted(result.sets_compared, 'subset')} were compared",
        "greedy": f"a greedy search, {counted(result.sets_compared, 'step')}: not proven optimal",
    }
    output.print(f"Mean AUC of their pairs {result.mean_auc:.3f}; {how[result.search]}.")
    one, other = result.worst_pair["genres"]
    output.print(f"Hardest of them: {one} and {other} ({result.worst_pair['auc']:.3f}).")
    output.table(
        "Among these genres only",
        ("", "mean recall", "95% interval", "random baseline", "tracks"),
        (
            _row(name, accuracy)
            for name, accuracy in (("validation", result.validation), ("test", result.test))
            if accuracy is not None
        ),
    )
    hardest = [tuple(pair.values()) for pair in result.pairs[:_MAX_PAIRS]]
    output.table("Hardest pairs of all", ("genre", "other genre", "AUC"), hardest)
    if result.left_out:
        output.warn(f"Too few validation tracks: {', '.join(result.left_out)}.")


def _row(name: str, accuracy: "SubsetAccuracy") -> tuple[object, ...]:
    interval = accuracy.interval
    span = "" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}"
    return name, accuracy.accuracy, span, accuracy.baseline, accuracy.n

"""The command `classifier explain`."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier import threads
from classifier.commands import interrupts
from classifier.errors import BadTrainingConfig
from classifier.model_records import REGIME_TITLES, Interval
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.counts import counted
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.explain import GenreComparison, ModelExplanation

_KINDS = {
    "alone": "Accuracy with one feature group only",
    "expert": "Accuracy lost without an expert",
    "group": "Accuracy lost when a feature group is permuted",
    "feature": "Accuracy lost when a column is permuted",
}


def explain(
    number: Annotated[
        int | None, typer.Argument(metavar="ID", help="The model's ID (default: the champion).")
    ] = None,
    task: Annotated[str, typer.Option(help="The task of the champion.")] = DEFAULT_TASK,
    genre: Annotated[
        str | None,
        typer.Option(help="Compare the features of this genre instead of explaining a model."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="Compare --genre with this one (default: all others).")
    ] = None,
    side: Annotated[str, typer.Option(help="The tracks: validation or test.")] = "validation",
    repeats: Annotated[int, typer.Option(min=1, help="Permutations of each column.")] = 3,
    sample: Annotated[
        int, typer.Option(min=1, help="Maximum number of tracks of each regime.")
    ] = 2_000,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Compute the feature importance of a model, or the effect sizes between two genres.

    For a model, it computes the accuracy with one feature group only, without one expert, and with
    one group or column permuted among the held-out tracks of a regime. With --genre, it computes
    Cliff's delta of each feature. Confidence intervals are by bootstrap over artists. The views
    `feature_importances` and `genre_traits` have the results.

    Examples:
      classifier explain --repeats 2
    """
    if against is not None and genre is None:
        raise BadTrainingConfig("--against needs --genre: which two genres?")
    if genre is not None and number is not None:
        raise BadTrainingConfig("Give either a model's ID or --genre.")
    threads.configure_openmp()
    from classifier.commands import model_tables
    from classifier.findings import explain as explaining
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, settings = Output(as_json=as_json), ClassifierSettings.load()
    origin: str | None
    cores = settings.threads or threads.idle_cores()
    with output.on_interrupt(lambda: interrupts.NOTHING_STORED), threads.limit_threads(cores):
        if genre is not None:
            compared = explaining.explain_genre(
                connect(), genre, against, SystemClock(), seed=settings.seed
            )
            _print_genre(output, compared)
            origin, document = compared.origin, compared.as_json()
        else:
            with output.progress("Predicting") as progress:
                explained = explaining.explain_model(
                    connect(),
                    number,
                    task=task,
                    side=side,
                    repeats=repeats,
                    sample=sample,
                    seed=settings.seed,
                    progress=progress,
                )
            _print_model(output, explained)
            origin, document = explained.origin, asdict(explained)
    model_tables.print_origin(output, origin)
    output.write_json(document)


def _print_genre(output: Output, result: "GenreComparison") -> None:
    genre, others = result.genre, result.others_name
    output.table(
        f"{genre} ({counted(result.tracks, 'track')}) and {others} ({result.other_tracks:,})",
        ("", "Cliff's delta", "95% interval", "effect", genre, others),
        (
            (
                one.feature,
                one.delta,
                _format_interval(one.interval),
                one.size,
                f"{one.value:.4g}",
                f"{one.other_value:.4g}",
            )
            for one in result.effects
            if one.size != "negligible"
        ),
    )
    output.print("Values are medians; of boolean features, proportions.")
    negligible = [one.feature for one in result.effects if one.size == "negligible"]
    if negligible:
        output.print(f"Negligible: {', '.join(negligible)}.")


def _print_model(output: Output, result: "ModelExplanation") -> None:
    output.print(f"Model {result.model} (task {result.task}) on {result.side} tracks.")
    for kind, title in _KINDS.items():
        rows = list(_rows(result, kind))
        if rows:
            output.table(title, ("", *REGIME_TITLES.values()), rows)
    if {"text", "history"} <= {one.feature for one in result.found if one.kind == "group"}:
        output.print("Groups are columns: text and history share artist and album.")


def _rows(result: "ModelExplanation", kind: str) -> Iterator[tuple[Any, ...]]:
    by_regime = [
        {one.feature: one for one in result.overall(kind, regime)} for regime in REGIME_TITLES
    ]
    for name in dict.fromkeys(name for rows in by_regime for name in rows):
        cells = [rows.get(name) for rows in by_regime]
        yield (
            name,
            *(
                "" if one is None else f"{one.importance:.3f} {_format_interval(one.interval)}"
                for one in cells
            ),
        )


def _format_interval(interval: Interval | None) -> str:
    return "" if interval is None else f"({interval.low:.3f} to {interval.high:.3f})"

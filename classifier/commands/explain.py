"""The command `classifier explain`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from classifier import threads
from classifier.errors import BadTrainingConfig
from classifier.records import Interval
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.explain import ModelExplanation

_REGIMES = {"new_artist": "new artists", "seen_artist": "artists it knows"}
_KINDS = {
    "alone": "Accuracy where nothing else is known",
    "expert": "Accuracy lost where one expert is silent",
    "group": "Accuracy lost where a group is dealt out anew",
    "feature": "Accuracy lost where one column is dealt out anew",
}


def explain(
    number: Annotated[
        int | None, typer.Argument(metavar="ID", help="A model's number [the champion].")
    ] = None,
    task: Annotated[str, typer.Option(help="Whose champion.")] = DEFAULT_TASK,
    genre: Annotated[
        str | None, typer.Option(help="Not a model: what sets this genre apart.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="From which genre [all others together].")
    ] = None,
    side: Annotated[str, typer.Option(help="On which tracks: validation or test.")] = "validation",
    repeats: Annotated[int, typer.Option(min=1, help="Times a column is dealt out anew.")] = 3,
    sample: Annotated[
        int, typer.Option(min=1, help="Tracks of each regime to ask about, at most.")
    ] = 2_000,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Find out what a model's answers hang on, or what sets a genre apart from another.

    Of a model: the accuracy with the sound alone (or any other group), without each expert, and
    with the values of each group and column dealt out anew among the held-out tracks of the same
    regime. Of a genre: Cliff's delta of each feature. Intervals resample artists. Both are stored
    (views `feature_importances`, `genre_traits`).
    """
    if against is not None and genre is None:
        raise BadTrainingConfig("--against needs --genre: which two genres?")
    if genre is not None and number is not None:
        raise BadTrainingConfig("Say either a model's number or --genre.")
    threads.configure_openmp()
    output = Output(as_json=as_json)
    if genre is not None:
        _genre(output, genre, against)
    else:
        _model(output, number, {"task": task, "side": side, "repeats": repeats, "sample": sample})


def _genre(output: Output, genre: str, against: str | None) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.findings import explain as explaining
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    seed = ClassifierSettings.load().seed
    with output.on_interrupt(lambda: interrupts.NOTHING_STORED):
        found = explaining.explain_genre(connect(), genre, against, SystemClock(), seed=seed)
    output.table(
        f"{found.genre} ({found.tracks:,} tracks) and {found.others_name} ({found.other_tracks:,})",
        ("", "Cliff's delta", "95% interval", "effect", found.genre, found.others_name),
        (
            (
                one.feature,
                one.delta,
                _span(one.interval),
                one.size,
                f"{one.value:.4g}",
                f"{one.other_value:.4g}",
            )
            for one in found.effects
            if one.size != "negligible"
        ),
    )
    small = [one.feature for one in found.effects if one.size == "negligible"]
    output.print("Values are medians; of what is either so or not, shares.")
    if small:
        output.print(f"Negligible: {', '.join(small)}.")
    tables.print_origin(output, found.origin)
    output.write_json(found.as_json())


def _model(output: Output, number: int | None, asked: dict[str, Any]) -> None:
    settings = ClassifierSettings.load()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.findings import explain as explaining
    from genrebase.store import connect

    with output.on_interrupt(lambda: interrupts.NOTHING_STORED), output.progress("Asking") as bar:
        found = explaining.explain_model(
            connect(),
            number,
            **asked,
            seed=settings.seed,
            cores=settings.threads,
            progress=bar,
        )
    output.print(f"Model {found.model} (task {found.task}) on {found.side} tracks.")
    for kind, title in _KINDS.items():
        rows = list(_rows(found, kind))
        if rows:
            output.table(title, ("", *_REGIMES.values()), rows)
    if {"text", "history"} <= {one.feature for one in found.importances if one.kind == "group"}:
        output.print("Groups are columns: text and history share artist and album.")
    tables.print_origin(output, found.origin)
    output.write_json(found.as_json())


def _rows(explained: "ModelExplanation", kind: str) -> Iterator[tuple[str, ...]]:
    """Yield a row per feature, the most important for new artists first."""
    by_regime = [
        {one.feature: one for one in explained.overall(kind, regime)} for regime in _REGIMES
    ]
    for name in dict.fromkeys(name for rows in by_regime for name in rows):
        found = [rows.get(name) for rows in by_regime]
        yield (
            name,
            *(
                "" if one is None else f"{one.importance:.3f} {_span(one.interval)}"
                for one in found
            ),
        )


def _span(interval: Interval | None) -> str:
    return "" if interval is None else f"({interval.low:.3f} to {interval.high:.3f})"

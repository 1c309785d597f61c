"""How models and figures are shown to people."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from classifier.records import FEW_TRACKS, StoredModel
from genrebase.runtime.console import Output

_REGIMES: Final = {
    "new_artist": "new artists",
    "seen_artist": "artists it knows",
    "other": "on a seen side, without a known artist",
}
_FIGURES: Final = {
    "macro_f1": "macro F1",
    "top3": "top 3",
    "log_loss": "log-loss",
    "ece": "calibration error",
    "any_genre_accuracy": "any genre it was seen under",
    "broad_accuracy": "right broad genre",
}
SYNTHETIC_NOTICE: Final = (
    "Trained on an invented catalogue ({origin}): none of this is real music."
)


def print_model(output: Output, model: StoredModel) -> None:
    """Show what a model is and how good it is."""
    output.print(
        f"Model {model.id} ({model.estimator}, task {model.task}) is {model.status}: "
        f"{model.reason or 'no reason given'}"
    )
    output.print(
        f"{len(model.classes)} genres from {model.trained_rows:,} tracks in {model.seconds:.1f} s."
    )
    if model.status == "refit":
        output.print(
            f"It has no figures of its own; those below are of model {model.parent_id}, whose "
            "recipe it is."
        )
    measured = {regime: name for regime, name in _REGIMES.items() if _n(model.metrics, regime)}
    output.table(
        f"On test tracks{_of_split(model)}, which it did not learn from",
        ("", *measured.values()),
        _rows([model.metrics[regime] for regime in measured], len(model.classes)),
    )
    for sentence in _proportions(model.metrics):
        output.print(sentence)
    print_origin(output, model.origin)


def print_origin(output: Output, origin: str | None) -> None:
    """Say so where a model learned from an invented catalogue."""
    if origin is not None:
        output.print(SYNTHETIC_NOTICE.format(origin=origin))


def _of_split(model: StoredModel) -> str:
    return " of the published split" if model.training_config.get("split") == "official" else ""


def _n(metrics: Mapping[str, Any], regime: str) -> int:
    return int(metrics.get(regime, {}).get("n", 0))


def _rows(regimes: Sequence[Mapping[str, Any]], genres: int) -> Iterator[Sequence[object]]:
    """Yield a row per figure, a column per regime; `genres` are what a guess is among."""
    if not regimes:
        return
    few = [
        f"{one['n']:,}" + (" (too few to say)" if one["n"] < FEW_TRACKS else "") for one in regimes
    ]
    yield ("tracks", *few)
    yield ("accuracy", *(one["accuracy"] for one in regimes))
    yield ("  95% interval", *(_span(one["interval"]) for one in regimes))
    yield ("majority baseline", *(one.get("baseline") for one in regimes))
    yield (f"guessing among {genres} genres", *[1 / genres] * len(regimes))
    for name, title in _FIGURES.items():
        if any(one.get(name) is not None for one in regimes):
            yield (title, *(one.get(name) for one in regimes))


def _span(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _proportions(metrics: Mapping[str, Any]) -> list[str]:
    said = []
    trained = metrics.get("train", {}).get("accuracy")
    if trained is not None:
        said.append(f"On the tracks it learned from: {trained:.3f}.")
    leaking = metrics.get("random_split", {}).get("accuracy")
    if leaking is not None:
        said.append(
            f"A random 80/20 split of these rows, as usually published, would have said "
            f"{leaking:.3f}."
        )
    return said

"""Print models and metrics as tables; `classifier.model_records.StoredModel` has their JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from classifier.data_sources import TrainingSources
from classifier.model_records import (
    FEW_TRACKS,
    REGIME_TITLES,
    SIBLINGS_REGIME,
    STATUS_TITLES,
    StoredModel,
    siblings_caution,
)
from genrebase.counts import counted
from genrebase.runtime.console import Output

_REGIMES: Final = {
    **REGIME_TITLES,
    "other": "other",
}
_METRICS: Final = {
    "macro_f1": "macro F1",
    "top3": "top 3",
    "log_loss": "log-loss",
    "ece": "calibration error",
    "any_genre_accuracy": "one of the track's genres",
    "broad_accuracy": "correct broad genre",
}
_OTHER: Final = (
    "other: test tracks of artists that are not held out, but have no training track either."
)
_TOO_FEW: Final = (
    f"too few: fewer than {FEW_TRACKS} test tracks, so the metrics of this column are imprecise. "
    "They do not influence which model becomes champion."
)
SYNTHETIC_NOTICE: Final = (
    "Trained on a synthetic catalogue ({origin}): none of this is real music."
)


def print_model(output: Output, model: StoredModel) -> None:
    """Print a model and its test metrics."""
    output.print(
        f"Model {model.id} ({model.estimator}, task {model.task}) is "
        f"{STATUS_TITLES[model.status]}: "
        f"{model.reason or 'no reason given'}"
    )
    output.print(
        f"{len(model.classes)} genres from {counted(model.trained_rows, 'track')} in "
        f"{model.seconds:.1f} s."
    )
    tested = "it" if model.status != "refit" else f"model {model.parent_id}"
    if model.status == "refit":
        output.print(f"The metrics below are of model {model.parent_id}, whose config it has.")
    measured = {
        regime: name for regime, name in _REGIMES.items() if _test_tracks(model.metrics, regime)
    }
    split = " of the published split" if model.training_config.get("split") == "official" else ""
    output.table(
        f"On test tracks{split}, which {tested} was not trained on",
        ("", *measured.values()),
        _rows([model.metrics[regime] for regime in measured], len(model.classes)),
    )
    if any(_test_tracks(model.metrics, regime) < FEW_TRACKS for regime in measured):
        output.print(_TOO_FEW)
    if "other" in measured:
        output.print(_OTHER)
    siblings = model.metrics.get(SIBLINGS_REGIME, {})
    if siblings.get("n"):
        span = _format_interval(siblings["interval"])
        output.print(
            f"Unseen artists with their other tracks: {siblings['accuracy']:.3f}"
            f"{f' ({span})' if span else ''}. {siblings_caution(siblings)}"
        )
    for sentence in _other_accuracies(model.metrics):
        output.print(sentence)
    if model.sources is not None:
        for sentence in TrainingSources.from_json(model.sources).used():
            output.print(sentence)
    print_origin(output, model.origin)


def print_left_out(output: Output, sources: TrainingSources) -> None:
    """Warn about labels and features that licence and level left out, by source."""
    for sentence in sources.left_out.sentences(sources.licence, sources.min_level):
        output.warn(sentence)


def print_origin(output: Output, origin: str | None) -> None:
    """Print a notice if a model was trained on a synthetic catalogue."""
    if origin is not None:
        output.print(SYNTHETIC_NOTICE.format(origin=origin))


def _test_tracks(metrics: Mapping[str, Any], regime: str) -> int:
    return int(metrics.get(regime, {}).get("n", 0))


def _rows(regimes: Sequence[Mapping[str, Any]], genres: int) -> Iterator[Sequence[object]]:
    """Yield a row per metric, a column per regime; a random guess is 1 of `genres`."""
    if not regimes:
        return
    few = [f"{one['n']:,}" + (" (too few)" if one["n"] < FEW_TRACKS else "") for one in regimes]
    yield ("tracks", *few)
    yield ("accuracy", *(one["accuracy"] for one in regimes))
    yield ("  95% interval", *(_format_interval(one["interval"]) for one in regimes))
    yield ("majority baseline", *(one.get("baseline") for one in regimes))
    yield (f"random guess among {genres} genres", *[1 / genres] * len(regimes))
    for name, title in _METRICS.items():
        if any(one.get(name) is not None for one in regimes):
            yield (title, *(one.get(name) for one in regimes))


def _format_interval(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"


def _other_accuracies(metrics: Mapping[str, Any]) -> list[str]:
    sentences = []
    training = metrics.get("train", {}).get("accuracy")
    if training is not None:
        sentences.append(f"Accuracy on its training tracks: {training:.3f}.")
    leaking = metrics.get("random_split", {}).get("accuracy")
    if leaking is not None:
        sentences.append(
            f"A random 80/20 split of these rows, as is usual in publications, gives "
            f"{leaking:.3f}."
        )
    return sentences

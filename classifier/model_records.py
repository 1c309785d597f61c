"""Frozen records of the classifier: models, metrics, decisions, predictions, and their JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from classifier.errors import BrokenArtifact

Regime = Literal["seen_artist", "new_artist", "new_artist_with_siblings", "other", "all"]
"""The test condition of a metric (see `data.regimes`, `training.sibling_evaluation`)."""

Status = Literal["candidate", "champion", "retired", "rejected", "refit"]

STATUS_TITLES: Final[Mapping[Status, str]] = {
    "candidate": "a candidate",
    "champion": "the champion",
    "retired": "a former champion",
    "rejected": "rejected",
    "refit": "a refit",
}
"""A model's status after "is"."""

REGIME_TITLES: Final = {"new_artist": "unseen artists", "seen_artist": "seen artists"}

SIBLINGS_REGIME: Final[Regime] = "new_artist_with_siblings"
"""Unseen artists, predicted from the track and the artist's other tracks (siblings)."""

SIBLING_POOL: Final = "sibling_pool"
"""Key of a model's `feature_schema`: the weights for pooling a track with its siblings."""

_SHOWN: Final = (
    *("id", "task", "status", "reason", "estimator", "params", "trained_rows", "seconds"),
    *("created_at", "origin", "licence_class", "sources", "pinned", "metrics"),
)
"""Fields of a model that its JSON has under their own names."""

FEW_TRACKS: Final = 30
"""Metrics of fewer test tracks are marked as too few."""


def siblings_caution(metrics: Mapping[str, Any]) -> str:
    """Return a caution about the metrics with siblings; `metrics` are those of a model."""
    share = metrics.get("siblings_seen_under_own_genre")
    selection = "" if share is None else f"{share:.0%} were found under the track's own genre. "
    values = [
        f"{metrics[name]:.3f} {what}"
        for name, what in (
            ("accuracy_with_0_siblings", "with the track alone"),
            ("accuracy_with_siblings_seen_elsewhere", "without those siblings"),
        )
        if metrics.get(name) is not None
    ]
    return (
        "With siblings: the other tracks of the artist are used, too, without their labels. "
        "They are no independent evidence: most are stored because a search for the genre found "
        "them. "
        f"{selection}Accuracy on the same tracks: {', '.join(values)}."
    )


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training tracks; the fields are columns of `training_epoch`."""

    epoch: int
    """From 1."""
    train_loss: float
    """Log-loss in nats, on the mean of the networks, with regularisation."""
    validation_loss: float | None
    """The same on the validation tracks, without regularisation; None without any."""
    validation_accuracy: float | None
    """Of all networks together, before their weights are fitted."""
    learning_rate: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One measured metric."""

    side: str
    """`test`, `validation`, `train`, or `random`: the split that leaks, for comparison."""
    regime: Regime
    genre: str | None
    """None: over all genres."""
    metric: str
    value: float | None
    """None: undefined on these tracks."""
    low: float | None
    """Lower 95% bound by resampling artists; None if not computed."""
    high: float | None
    n: int
    """Number of tracks it was measured on."""


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """A cell of the confusion matrix: test tracks of one genre predicted as another or itself."""

    regime: Regime
    genre: str
    predicted: str
    tracks: int


class Interval(NamedTuple):
    """A 95% interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate compared with what it must beat, on the validation tracks of one regime."""

    n: int
    difference: float
    """Accuracy of the candidate minus the other's."""
    interval: Interval
    """Of the difference, by a paired bootstrap over artists."""


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """The decision about a candidate."""

    status: Literal["champion", "rejected", "refit"]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """What a training stores of its model; the fields are columns of `model`."""

    created_at: datetime
    task: str
    estimator: str
    params: Mapping[str, Any]
    training_config: Mapping[str, Any]
    feature_schema: Mapping[str, Any]
    """`columns` that it uses, `classes` that it predicts, and `sibling_pool` (see there)."""
    data_fingerprint: str
    origin: str | None
    """Describes the synthetic catalogue it was trained on; None: real music."""
    trained_rows: int
    seconds: float
    metrics: Mapping[str, Any]
    versions: Mapping[str, Any]
    golden_rows: Mapping[str, Any]
    artifact_sha256: str | None
    parent_id: int | None = None
    """Of a refit: the model whose config it has, and whose metrics it shows."""
    sources: Mapping[str, Any] | None = None
    """`TrainingSources` as JSON; None: an earlier version trained it."""
    licence_class: str | None = None
    """The most restrictive licence class among its labels and features."""
    track_counts: Mapping[str, Any] | None = None
    """Tracks of the database at its training: all, trained, left out by reason; empty for a refit
    and on a snapshot; None: an earlier version trained it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredModel(TrainedModel):
    """A row of `model` without its artifact."""

    id: int
    status: Status
    reason: str | None
    pinned: bool
    promoted_at: datetime | None = None
    """When it last became champion."""

    @property
    def has_artifact(self) -> bool:
        """Return whether its artifact is kept, so that it can predict."""
        return self.artifact_sha256 is not None

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the genres that it predicts."""
        return tuple(self.feature_schema["classes"])

    @property
    def is_archived(self) -> bool:
        """Return whether only main metrics are kept."""
        return "genres" in self.feature_schema

    def refuse_earlier_version(self) -> None:
        """Raise `BrokenArtifact` if an earlier version trained it: it stored less."""
        if self.track_counts is None:
            raise BrokenArtifact(
                f"Model {self.id} cannot be used. It was trained by an earlier version. "
                "Train again with `classifier train`."
            )

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `train --json` and `models --json`."""
        return {
            **{name: getattr(self, name) for name in _SHOWN},
            "choice": self.training_config,
            "genres": self.feature_schema.get("genres", len(self.classes)),
            "kept": self.has_artifact,
            "parent": self.parent_id,
            "crowned_at": self.promoted_at,
        }


@dataclass(frozen=True, slots=True)
class TrackPrediction:
    """The prediction of a model for one track."""

    track: int | None
    """None: the track is described, not stored."""
    title: str
    artists: str
    top: tuple[tuple[str, float], ...]
    """(genre, probability), the best first."""
    model: int
    regime: str
    in_training: bool
    """It is a training track of the model; the prediction is out of fold."""
    origin: str | None
    held_out: str | None = None
    """`test` or `validation`: the track, or all tracks of a described artist, are held out so that
    the model can be evaluated on them; it was not trained on them."""
    siblings: int = 0
    """Other tracks of the artist that it was pooled with."""
    unused_texts: tuple[str, ...] = ()
    """The texts of a described track (title, artists, album) that the model does not use."""

    @property
    def note(self) -> str | None:
        """Return a sentence on what the model does not use of a description; None: nothing."""
        if not self.unused_texts:
            return None
        *first, last = self.unused_texts
        listed = f"{', '.join(first)} and {last}" if first else last
        return f"Model {self.model} does not use the {listed}: it was trained without."

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `predict --track --json`: the best genre, then the fields."""
        fields = asdict(self)
        del fields["unused_texts"]
        top = [{"genre": genre, "probability": share} for genre, share in self.top]
        return {**top[0], **fields, "top": top, "note": self.note}

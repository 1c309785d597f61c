"""What the classifier passes around: frozen, typed, documented field by field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

DEFAULT_TASK: Final = "main"
"""The task that the view `predictions` shows."""

DEFAULT_FEATURE_GROUPS: Final = ("audio", "metadata", "text", "history")
"""What a model looks at unless told otherwise."""

FEATURE_GROUPS: Final = (*DEFAULT_FEATURE_GROUPS, "harmony", "timbre", "descriptors", "matrices")
"""What a model may look at."""

SPLITS: Final = ("frozen", "official")
"""By which sides a model is judged: the folds of the names, or those a dataset came with."""

SOFT_LABELS: Final = "shared"
"""The labels of a track that counts for every genre it was seen under, for each as much."""

LABEL_POLICIES: Final = ("claim", "exclusive", SOFT_LABELS)
"""Which labels a model learns: every claim, only those of tracks seen under one genre, or all."""

LEVELS: Final = ("fine", "broad")
"""What a mapping lets a model tell apart: the genres as they are, or the groups they belong to."""

UNMAPPED_POLICIES: Final = ("drop", "other", "own")
"""Where genres go that a mapping does not know: nowhere, into one group, each into its own."""

SCALINGS: Final = ("standard", "minmax", "none")
"""How numbers are brought to one scale: mean 0 and deviation 1, into 0..1, or not at all."""

OUTLIER_SCOPES: Final = ("genre", "overall")
"""Among which tracks one must lie alone to be no example: those of its genre, or all."""

BALANCING_METHODS: Final = ("weights", "smote")
"""How rare genres are made to count as much as common ones: by weight, or by invented tracks."""

Regime = Literal["seen_artist", "new_artist", "other", "all"]
"""On which tracks something was measured (see `regimes`)."""

Status = Literal["candidate", "champion", "retired", "rejected", "refit"]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What is done to the tracks before an estimator learns from them; None: what it needs.

    All of it is learned from, and done to, the tracks to learn from alone. What is asked about
    later is scaled and projected as these were; none of it is left out or invented.
    """

    scaling: str | None = None
    components: int | float | None = None
    """Principal components: so many (a whole number), or as many as explain this share."""
    outliers: str | None = None
    """Leave out tracks that lie alone (DBSCAN's noise), see `OUTLIER_SCOPES`."""
    balance: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return what was chosen, and nothing that was not."""
        chosen = {name: getattr(self, name) for name in self.__slots__}
        return {name: value for name, value in chosen.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """What a model is asked to learn; stored with it."""

    task: str = DEFAULT_TASK
    """Only models of the same task compete."""
    estimator: str = "blend"
    genres: tuple[str, ...] | None = None
    """Only these; None: all there are."""
    exclude: tuple[str, ...] = ()
    features: tuple[str, ...] = DEFAULT_FEATURE_GROUPS
    auto_features: bool = False
    """Look also at what was heard of enough tracks; `sounds.settled` decides it, once."""
    descriptors: str | None = None
    """The set of descriptors that is looked at; None: the one that most tracks have."""
    split: str = SPLITS[0]
    labels: str = "claim"
    mapping: str | None = None
    """Which mapping of fine genres to broad ones; None: the default one."""
    level: str = "fine"
    unmapped: str = "drop"
    within: str | None = None
    """Only the fine genres inside this broad one."""
    per_genre: int | None = None
    """Learn from at most so many tracks of each genre; evaluation keeps all."""
    min_tracks: int = 30
    """Genres with fewer labelled tracks are left out."""
    params: Mapping[str, Any] = field(default_factory=dict)
    """Parameters of the estimator that differ from its defaults."""
    seed: int = 0
    preparation: Preprocessing = Preprocessing()

    def as_json(self) -> dict[str, Any]:
        """Return the choice without its task, estimator and parameters, which have columns."""
        return {
            "genres": None if self.genres is None else list(self.genres),
            "exclude": list(self.exclude),
            "features": list(self.features),
            **({} if self.descriptors is None else {"descriptors": self.descriptors}),
            **({} if self.split == SPLITS[0] else {"split": self.split}),
            "labels": self.labels,
            "mapping": self.mapping,
            "level": self.level,
            "unmapped": self.unmapped,
            "within": self.within,
            "per_genre": self.per_genre,
            "min_tracks": self.min_tracks,
            "seed": self.seed,
            **({"preparation": prepared} if (prepared := self.preparation.as_json()) else {}),
        }

    @classmethod
    def from_model(cls, model: "StoredModel") -> "TrainingConfig":
        """Return what a stored model was asked to learn."""
        stored = dict(model.training_config)
        for name in ("genres", "exclude", "features"):
            if stored.get(name) is not None:
                stored[name] = tuple(stored[name])
        stored["preparation"] = Preprocessing(**stored.get("preparation", {}))
        return cls(task=model.task, estimator=model.estimator, params=dict(model.params), **stored)

    def same_question(self, other: "TrainingConfig") -> bool:
        """Tell whether both ask for labels and sides of one kind: whether models can compete."""
        return all(
            getattr(self, name) == getattr(other, name)
            for name in ("mapping", "level", "unmapped", "split")
        )


@dataclass(frozen=True, slots=True)
class Epoch:
    """One pass over the training tracks; the fields are columns of `training_epoch`."""

    epoch: int
    """From 1."""
    train_loss: float
    """Log-loss in nats, on the mean of the networks, regularised as it is learned."""
    validation_loss: float | None
    """The same on the validation tracks, as it is; None without any."""
    validation_accuracy: float | None
    """Of all networks together, before they are weighed."""
    learning_rate: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One measured figure."""

    side: str
    """`test`, `validation`, `train`, or `random`: the split that leaks, for comparison."""
    regime: Regime
    genre: str | None
    """None: over all genres."""
    metric: str
    value: float | None
    """None: cannot be measured on these tracks."""
    low: float | None
    """Lower 95% bound, resampling artists; None where there is none."""
    high: float | None
    n: int
    """Tracks it was measured on."""


@dataclass(frozen=True, slots=True)
class ConfusionCell:
    """How many test tracks of one genre were taken for another (or rightly for itself)."""

    regime: Regime
    genre: str
    predicted: str
    tracks: int


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95% interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A candidate beside what it must beat, on the validation tracks of one regime."""

    n: int
    difference: float
    """Accuracy of the candidate minus the other's."""
    interval: Interval
    """Of the difference, by a paired bootstrap over artists."""


@dataclass(frozen=True, slots=True)
class PromotionDecision:
    """What becomes of a candidate."""

    status: Literal["champion", "rejected", "refit"]
    reason: str


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A row of `model` without its artifact."""

    id: int
    created_at: datetime
    task: str
    status: Status
    reason: str | None
    estimator: str
    params: Mapping[str, Any]
    training_config: Mapping[str, Any]
    feature_schema: Mapping[str, Any]
    """`columns` it reads and `classes` it tells apart."""
    data_fingerprint: str
    origin: str | None
    """The catalogue it learned from, where that is invented."""
    trained_rows: int
    seconds: float
    metrics: Mapping[str, Any]
    versions: Mapping[str, Any]
    golden_rows: Mapping[str, Any]
    artifact_sha256: str | None
    pinned: bool
    parent_id: int | None = None
    """Of a refit: the honest model whose figures it borrows."""
    promoted_at: datetime | None = None
    """When it last became champion."""

    @property
    def has_artifact(self) -> bool:
        """Return whether its artifact is there still: whether it may answer."""
        return self.artifact_sha256 is not None

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the genres it tells apart."""
        return tuple(self.feature_schema["classes"])

    @property
    def is_archived(self) -> bool:
        """Return whether a line is all that is left of it."""
        return "genres" in self.feature_schema

    def as_json(self) -> dict[str, Any]:
        """Return the model as `train --json` and `models --json` show it."""
        return {
            "id": self.id,
            "task": self.task,
            "status": self.status,
            "reason": self.reason,
            "estimator": self.estimator,
            "params": dict(self.params),
            "choice": dict(self.training_config),
            "trained_rows": self.trained_rows,
            "genres": self.feature_schema.get("genres", len(self.classes)),
            "seconds": self.seconds,
            "created_at": self.created_at,
            "origin": self.origin,
            "pinned": self.pinned,
            "kept": self.has_artifact,
            "parent": self.parent_id,
            "crowned_at": self.promoted_at,
            "metrics": dict(self.metrics),
        }


@dataclass(frozen=True, slots=True)
class TrackPrediction:
    """What the champion says about one track."""

    track: int | None
    """None: the track is only described, not stored."""
    title: str
    artists: str
    top: tuple[tuple[str, float], ...]
    """(genre, probability), the best first."""
    model: int
    regime: str
    in_training: bool
    """The model learned from this track; the answer comes from a refit that did not."""
    origin: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the answer as `predict --track --json` shows it."""
        return {
            "track": self.track,
            "title": self.title,
            "artists": self.artists,
            "genre": self.top[0][0],
            "probability": self.top[0][1],
            "top": [{"genre": genre, "probability": share} for genre, share in self.top],
            "model": self.model,
            "regime": self.regime,
            "in_training": self.in_training,
            "origin": self.origin,
        }

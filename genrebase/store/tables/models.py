"""Model registry tables: models, their metrics, confusion matrices and predictions."""

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    false,
)

from genrebase.store.tables.columns import Json, Key, Name, UtcDateTime, metadata, one_of, where

MODEL_STATUSES: Final = ("candidate", "champion", "retired", "rejected", "refit")
REGIMES: Final = ("seen_artist", "new_artist")
PREDICTIONS_PER_TRACK: Final = 5
"""How many genres are stored for a track, the most probable first."""

model = Table(
    "model",
    metadata,
    Column("id", Key, primary_key=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("task", Name, nullable=False, server_default="main"),
    Column("estimator", Name, nullable=False),
    Column("params", Json, nullable=False),
    Column("training_config", Json, nullable=False, comment="genres, labels, features, limits"),
    Column("feature_schema", Json, nullable=False, comment="columns in order, and classes"),
    Column("data_fingerprint", Text, nullable=False),
    Column("origin", Text, comment="the synthetic catalogue it was trained on; NULL: a real one"),
    Column("trained_rows", Integer, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("status", Text, nullable=False, server_default="candidate"),
    Column("reason", Text, comment="why it has this status"),
    Column("pinned", Boolean, nullable=False, server_default=false()),
    Column("artifact", LargeBinary),
    Column("artifact_sha256", Text),
    Column("metrics", Json, nullable=False, comment="headline metrics per regime"),
    Column("versions", Json, nullable=False, comment="Python, libraries, project"),
    Column(
        "golden_rows",
        Json,
        nullable=False,
        comment="20 rows and their probabilities, to check the artifact",
    ),
    Column(
        "parent_id",
        Key,
        ForeignKey("model.id", ondelete="CASCADE"),
        comment="of a refit: the evaluated model whose metrics it reports",
    ),
    Column("promoted_at", UtcDateTime, comment="when it last became champion; NULL: never"),
    Column("sources", Json, comment="sources and licences of its labels and features"),
    Column("licence_class", Text, comment="the most restrictive class among them"),
    Column(
        "track_counts",
        Json,
        comment="tracks of the database at its training: all, trained, left out by reason",
    ),
    Index("uq_model_champion", "task", unique=True, **where("status = 'champion'")),
    CheckConstraint(one_of("status", MODEL_STATUSES), name="status_known"),
)

model_metric = Table(
    "model_metric",
    metadata,
    Column("id", Key, primary_key=True),
    Column("model_id", Key, ForeignKey("model.id", ondelete="CASCADE"), nullable=False),
    Column("side", Text, nullable=False, comment="test, validation or train"),
    Column(
        "regime",
        Name,
        nullable=False,
        comment="seen_artist, new_artist, new_artist_with_siblings, other or all",
    ),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), comment="NULL: all"),
    Column("metric", Name, nullable=False),
    Column("value", Double),
    Column("low", Double, comment="lower 95% bound, resampling artists"),
    Column("high", Double, comment="upper 95% bound"),
    Column("n", Integer, nullable=False, comment="tracks it was measured on"),
    Index(None, "model_id"),
)

confusion = Table(
    "confusion",
    metadata,
    Column("model_id", Key, ForeignKey("model.id", ondelete="CASCADE"), primary_key=True),
    Column("regime", Name, primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), primary_key=True),
    Column("predicted_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), primary_key=True),
    Column("tracks", Integer, nullable=False),
)

model_comparison = Table(
    "model_comparison",
    metadata,
    Column("model_id", Key, ForeignKey("model.id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", Key, ForeignKey("model.id", ondelete="CASCADE"), primary_key=True),
    Column("compared_at", UtcDateTime, nullable=False),
    Column(
        "document", Json, nullable=False, comment="test conditions, genres and tracks, as rows"
    ),
    comment="two models on the test tracks that both predicted",
)

prediction = Table(
    "prediction",
    metadata,
    Column("model_id", Key, ForeignKey("model.id", ondelete="CASCADE"), primary_key=True),
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("rank", SmallInteger, primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), nullable=False),
    Column("probability", Double, nullable=False),
    Column("regime", Name, nullable=False),
    Column("in_training", Boolean, nullable=False, comment="predicted out of fold"),
    Column("predicted_at", UtcDateTime, nullable=False),
    Column(
        "siblings", Integer, comment="other tracks of the artist it was pooled with; NULL: none"
    ),
    Index(None, "track_id"),
    Index("ix_prediction_best", "model_id", "genre_id", "probability", **where("rank <= 2")),
    CheckConstraint(f"rank BETWEEN 1 AND {PREDICTIONS_PER_TRACK}", name="rank_range"),
    CheckConstraint("probability BETWEEN 0 AND 1", name="probability_range"),
    CheckConstraint(one_of("regime", REGIMES), name="regime_known"),
)

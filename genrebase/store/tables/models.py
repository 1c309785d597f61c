"""Tables of models and of experiments: metrics, confusion matrices, predictions, trials."""

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
    UniqueConstraint,
    false,
)

from genrebase.store.tables.columns import Json, Key, Name, UtcDateTime, metadata, one_of, where

MODEL_STATUSES: Final = ("candidate", "champion", "retired", "rejected", "refit")
REGIMES: Final = ("seen_artist", "new_artist")
PREDICTIONS_PER_TRACK: Final = 5
"""How many genres are stored for a track, the most probable first."""
EXPERIMENT_KINDS: Final = ("compare", "tune", "learning_curve")
TRIAL_OUTCOMES: Final = ("done", "failed")

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

experiment = Table(
    "experiment",
    metadata,
    Column("id", Key, primary_key=True),
    Column("kind", Text, nullable=False),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        comment="of question, data and code; finds an experiment to resume",
    ),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime, comment="NULL: some trials are missing"),
    Column("task", Name, nullable=False, server_default="main"),
    Column("question", Json, nullable=False, comment="the configurations to try"),
    Column("training_config", Json, nullable=False, comment="genres, labels, limits"),
    Column("seed", Integer, nullable=False),
    Column("data_fingerprint", Text, nullable=False),
    Column("versions", Json, nullable=False, comment="Python, libraries, project"),
    Column("origin", Text, comment="the synthetic catalogue it ran on; NULL: a real one"),
    Index(None, "fingerprint"),
    CheckConstraint(one_of("kind", EXPERIMENT_KINDS), name="kind_known"),
)

trial = Table(
    "trial",
    metadata,
    Column("id", Key, primary_key=True),
    Column("experiment_id", Key, ForeignKey("experiment.id", ondelete="CASCADE"), nullable=False),
    Column("number", Integer, nullable=False, comment="of the configuration, from 1"),
    Column("estimator", Name, nullable=False),
    Column("features", Name, nullable=False, comment="feature groups, joined by ','"),
    Column("params", Json, nullable=False),
    Column("per_genre", Integer, comment="maximum training tracks per genre; NULL: all"),
    Column(
        "binary_genre", Name, comment="positive class of a one-vs-rest model; NULL: multi-class"
    ),
    Column("test_fold", SmallInteger, nullable=False),
    Column("validation_fold", SmallInteger, nullable=False),
    Column("key", Name, nullable=False, comment="identifies it within its experiment"),
    Column("outcome", Text, nullable=False),
    Column("error", Text),
    Column("finished_at", UtcDateTime, nullable=False),
    Column("trained_rows", Integer, nullable=False),
    Column("seconds", Double, nullable=False, comment="of training and prediction"),
    Column("artifact_bytes", Integer, comment="NULL: was not measured"),
    Column("training_score", Double, comment="accuracy on training tracks"),
    Column("score", Double, comment="on validation tracks, the selection criterion; NULL: none"),
    UniqueConstraint("experiment_id", "key"),
    CheckConstraint("test_fold BETWEEN 0 AND 9", name="test_fold_range"),
    CheckConstraint("validation_fold BETWEEN 0 AND 9", name="validation_fold_range"),
    CheckConstraint(one_of("outcome", TRIAL_OUTCOMES), name="outcome_known"),
)

trial_metric = Table(
    "trial_metric",
    metadata,
    Column("id", Key, primary_key=True),
    Column("trial_id", Key, ForeignKey("trial.id", ondelete="CASCADE"), nullable=False),
    Column("side", Text, nullable=False, comment="test or validation"),
    Column("regime", Name, nullable=False, comment="seen_artist, new_artist, other or all"),
    Column("genre", Name, comment="NULL: over all genres"),
    Column("metric", Name, nullable=False),
    Column("value", Double),
    Column("low", Double, comment="lower 95% bound, resampling artists"),
    Column("high", Double, comment="upper 95% bound"),
    Column("n", Integer, nullable=False, comment="tracks it was measured on"),
    Index(None, "trial_id"),
)

training_epoch = Table(
    "training_epoch",
    metadata,
    Column("model_id", Key, ForeignKey("model.id", ondelete="CASCADE"), primary_key=True),
    Column("epoch", Integer, primary_key=True, autoincrement=False, comment="from 1"),
    Column("train_loss", Double, nullable=False),
    Column("validation_loss", Double),
    Column("validation_accuracy", Double),
    Column("learning_rate", Double),
    Column("seconds", Double, nullable=False),
    CheckConstraint("epoch >= 1", name="epoch_from_one"),
)

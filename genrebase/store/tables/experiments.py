"""Experiment tables: comparisons, hyperparameter searches, learning curves, their trials."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from genrebase.store.tables.columns import Json, Key, Name, UtcDateTime, metadata, one_of

EXPERIMENT_KINDS: Final = ("compare", "tune", "learning_curve")
TRIAL_OUTCOMES: Final = ("done", "failed")

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

"""Tables of analysis results: feature importance, traits, clusters, separability, matches."""

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from genrebase.store.tables.columns import Json, Key, Name, UtcDateTime, metadata, one_of

CLUSTER_METHODS: Final = ("kmeans", "agglomerative", "dbscan", "hdbscan")

feature_importance = Table(
    "feature_importance",
    metadata,
    Column("id", Key, primary_key=True),
    Column("model_id", Key, ForeignKey("model.id", ondelete="CASCADE"), nullable=False),
    Column("regime", Name, nullable=False),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), comment="NULL: all"),
    Column("feature", Name, nullable=False),
    Column("importance", Double, nullable=False),
    Column("low", Double),
    Column("high", Double),
    Column("kind", Name, nullable=False, server_default="feature"),
    Column("side", Name, nullable=False, server_default="validation"),
    Column("loss", Double, comment="increase of the log loss"),
    Column("n", Integer, comment="tracks it was measured on"),
    Index(None, "model_id"),
)

genre_trait = Table(
    "genre_trait",
    metadata,
    Column("id", Key, primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), nullable=False),
    Column(
        "against_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), comment="NULL: all others"
    ),
    Column("feature", Name, nullable=False),
    Column("delta", Double, nullable=False, comment="Cliff's delta, -1..1"),
    Column("low", Double, comment="lower 95% bound, resampling artists"),
    Column("high", Double, comment="upper 95% bound"),
    Column("value", Double, nullable=False, comment="median, or share"),
    Column("other_value", Double, nullable=False),
    Column("n", Integer, nullable=False),
    Column("other_n", Integer, nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Index(None, "genre_id"),
    CheckConstraint("delta BETWEEN -1 AND 1", name="delta_range"),
)

clustering = Table(
    "clustering",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Name, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("method", Text, nullable=False),
    Column("params", Json, nullable=False),
    Column("features", Json, nullable=False, comment="columns of `training_tracks`"),
    Column("genres", Json, nullable=False),
    Column("tracks", Integer, nullable=False, comment="tracks that were clustered"),
    Column("chosen", Integer, nullable=False, comment="labelled tracks of the genres"),
    Column("clusters", Integer, nullable=False),
    Column("noise", Integer, nullable=False, comment="tracks without a cluster"),
    Column("ari", Double, nullable=False, comment="adjusted Rand index"),
    Column("nmi", Double, nullable=False, comment="normalised mutual information"),
    Column("purity", Double, nullable=False),
    Column("silhouette", Double),
    UniqueConstraint("name"),
    CheckConstraint(one_of("method", CLUSTER_METHODS), name="method_known"),
)

cluster_member = Table(
    "cluster_member",
    metadata,
    Column(
        "clustering_id", Key, ForeignKey("clustering.id", ondelete="CASCADE"), primary_key=True
    ),
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("cluster", Integer, nullable=False, comment="0 is the largest, -1: noise"),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), nullable=False),
    Index(None, "track_id"),
)

genre_separability = Table(
    "genre_separability",
    metadata,
    Column("model_id", Key, ForeignKey("model.id", ondelete="CASCADE"), primary_key=True),
    Column("regime", Name, primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), primary_key=True),
    Column("auc", Double, nullable=False, comment="0.5: not separable; 1: perfectly separable"),
    Column("n", Integer, nullable=False, comment="validation tracks of the genre"),
    Column("other_n", Integer, nullable=False),
    CheckConstraint("auc BETWEEN 0 AND 1", name="auc_range"),
)

track_match = Table(
    "track_match",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), nullable=False),
    Column("distance", Double, nullable=False, comment="to the profile of its own genre"),
    Column("percentile", Double, nullable=False, comment="among the genre's tracks, 0..100"),
    Column("nearest_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), nullable=False),
    Column("nearest_distance", Double, nullable=False),
    Column("method", Text, nullable=False, comment="standardised or mahalanobis"),
    Column("computed_at", UtcDateTime, nullable=False),
    Index(None, "genre_id", "distance"),
    CheckConstraint("percentile BETWEEN 0 AND 100", name="percentile_range"),
)

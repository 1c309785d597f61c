"""Create the tables of analysis results: importance, traits, clusters, separability, matches.

Revision ID: 0004
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT, WHOLE, DOUBLE = sa.Text(), sa.Integer(), sa.Double()
KEY = sa.BigInteger().with_variant(WHOLE, "sqlite")
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


may = sa.Column


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=name)


def numbered(table: str) -> tuple[sa.Column[Any], sa.PrimaryKeyConstraint]:
    return must("id", KEY), primary(table, "id")


def primary(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def to(table: str, column: str, referred: str) -> sa.ForeignKey:
    name = f"fk_{table}_{column}_{referred}"
    return sa.ForeignKey(f"{referred}.id", name=name, ondelete="CASCADE")


def upgrade() -> None:
    for column in (
        must("kind", NAME, server_default="feature"),
        must("side", NAME, server_default="validation"),
        may("loss", DOUBLE, comment="by how much the log-loss grows"),
        may("n", WHOLE, comment="tracks it was measured on"),
    ):
        op.add_column("feature_importance", column)
    traits()
    clusterings()
    separabilities()
    matches()


def downgrade() -> None:
    for name in (
        "track_match", "genre_separability", "cluster_member", "clustering", "genre_trait",
    ):  # fmt: skip
        op.drop_table(name)
    with op.batch_alter_table("feature_importance") as batch:
        for column in ("n", "loss", "side", "kind"):
            batch.drop_column(column)


def traits() -> None:
    table = "genre_trait"
    op.create_table(
        table,
        *numbered(table),
        must("genre_id", KEY, to(table, "genre_id", "genre")),
        may("against_id", KEY, to(table, "against_id", "genre"), comment="NULL: all others"),
        must("feature", NAME),
        must("delta", DOUBLE, comment="Cliff's delta, -1..1"),
        may("low", DOUBLE, comment="lower 95% bound, resampling artists"),
        may("high", DOUBLE, comment="upper 95% bound"),
        must("value", DOUBLE, comment="median, or share"),
        must("other_value", DOUBLE),
        must("n", WHOLE),
        must("other_n", WHOLE),
        must("computed_at", MOMENT),
        check("ck_genre_trait_delta_range", "delta BETWEEN -1 AND 1"),
    )
    op.create_index("ix_genre_trait_genre_id", table, ["genre_id"])


def clusterings() -> None:
    table = "clustering"
    op.create_table(
        table,
        *numbered(table),
        must("name", NAME),
        must("created_at", MOMENT),
        must("method", TEXT),
        must("params", JSON),
        must("features", JSON, comment="columns of `training_tracks`"),
        must("genres", JSON),
        must("tracks", WHOLE, comment="clustered, of those that were chosen"),
        must("chosen", WHOLE, comment="labelled tracks of the genres"),
        must("clusters", WHOLE),
        must("noise", WHOLE, comment="tracks in no cluster"),
        must("ari", DOUBLE, comment="adjusted Rand index"),
        must("nmi", DOUBLE, comment="normalised mutual information"),
        must("purity", DOUBLE),
        may("silhouette", DOUBLE),
        check(
            "ck_clustering_method_known",
            "method IN ('kmeans', 'agglomerative', 'dbscan', 'hdbscan')",
        ),
        sa.UniqueConstraint("name", name="uq_clustering_name"),
    )
    member = "cluster_member"
    op.create_table(
        member,
        must("clustering_id", KEY, to(member, "clustering_id", table)),
        must("track_id", KEY, to(member, "track_id", "track")),
        must("cluster", WHOLE, comment="0 is the greatest, -1: in none"),
        must("genre_id", KEY, to(member, "genre_id", "genre")),
        primary(member, "clustering_id", "track_id"),
    )
    op.create_index("ix_cluster_member_track_id", member, ["track_id"])


def separabilities() -> None:
    table = "genre_separability"
    op.create_table(
        table,
        must("model_id", KEY, to(table, "model_id", "model")),
        must("regime", NAME),
        must("genre_id", KEY, to(table, "genre_id", "genre")),
        must("other_id", KEY, to(table, "other_id", "genre")),
        must("auc", DOUBLE, comment="0.5: cannot be told apart; 1: always"),
        must("n", WHOLE, comment="validation tracks of the genre"),
        must("other_n", WHOLE),
        check("ck_genre_separability_auc_range", "auc BETWEEN 0 AND 1"),
        primary(table, "model_id", "regime", "genre_id", "other_id"),
    )


def matches() -> None:
    table = "track_match"
    op.create_table(
        table,
        must("track_id", KEY, to(table, "track_id", "track")),
        must("genre_id", KEY, to(table, "genre_id", "genre")),
        must("distance", DOUBLE, comment="to the profile of its own genre"),
        must("percentile", DOUBLE, comment="among the genre's tracks, 0..100"),
        must("nearest_id", KEY, to(table, "nearest_id", "genre")),
        must("nearest_distance", DOUBLE),
        must("method", TEXT, comment="standardised or mahalanobis"),
        must("computed_at", MOMENT),
        check("ck_track_match_percentile_range", "percentile BETWEEN 0 AND 100"),
        primary(table, "track_id"),
    )
    op.create_index("ix_track_match_genre_id_distance", table, ["genre_id", "distance"])

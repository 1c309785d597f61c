"""Create the tables of the first version.

Revision ID: 0001
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT, BOOLEAN = sa.Text(), sa.Boolean()
WHOLE, SMALL, DOUBLE = sa.Integer(), sa.SmallInteger(), sa.Double()
KEY = sa.BigInteger().with_variant(WHOLE, "sqlite")
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


UNIT = (0.0, 1.0)
RANGES = {
    "danceability": UNIT, "energy": UNIT, "key": (0, 11), "loudness": (-100.0, 20.0),
    "mode": (0, 1), "speechiness": UNIT, "acousticness": UNIT, "instrumentalness": UNIT,
    "liveness": UNIT, "valence": UNIT, "tempo": (1.0, 400.0), "time_signature": (1, 16),
}  # fmt: skip


may = sa.Column


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def where(condition: str) -> dict[str, Any]:
    return {f"{engine}_where": sa.text(condition) for engine in ("sqlite", "postgresql")}


def to(name: str, ondelete: str | None = None) -> sa.ForeignKey:
    return sa.ForeignKey(f"{name.rpartition('_')[2]}.id", name=name, ondelete=ondelete)


def check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=name)


def numbered(table: str) -> tuple[sa.Column[Any], sa.PrimaryKeyConstraint]:
    return must("id", KEY), primary(f"pk_{table}", "id")


def primary(name: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=name)


def upgrade() -> None:
    catalogue()
    harvest()
    models()


def downgrade() -> None:
    drop("prediction", "feature_importance", "confusion", "model_metric", "model")
    drop("job_run", "budget_slot", "source_budget", "shard", "imported_file", "catalogue_origin")
    drop("feature_attempt", "audio_features", "verdict", "sighting", "track_artist")
    drop("track_alias", "track", "artist", "genre_playlist", "genre_mapping", "genre")


def drop(*names: str) -> None:
    for name in names:
        op.drop_table(name)


def catalogue() -> None:
    op.create_table(
        "genre",
        *numbered("genre"),
        must("name", NAME, comment="as it is asked for, byte for byte"),
        may("target", WHOLE, comment="tracks wanted; NULL: only filled by imports"),
        must("paused", BOOLEAN, server_default=sa.false()),
        must("sightings", WHOLE, server_default="0", comment="rows of `sighting`"),
        must("created_at", MOMENT),
        check("ck_genre_name_not_blank", "trim(name) <> ''"),
        check("ck_genre_target_not_negative", "target >= 0"),
        sa.UniqueConstraint("name", name="uq_genre_name"),
    )
    op.create_table(
        "genre_mapping",
        *(must(name, NAME) for name in ("mapping", "fine", "broad")),
        primary("pk_genre_mapping", "mapping", "fine"),
    )
    op.create_table(
        "genre_playlist",
        must("genre_id", KEY, to("fk_genre_playlist_genre_id_genre", "CASCADE")),
        must("playlist_id", TEXT),
        may("snapshot_id", TEXT, comment="the version last read whole"),
        primary("pk_genre_playlist", "genre_id", "playlist_id"),
    )
    op.create_table(
        "artist",
        *numbered("artist"),
        must("source", TEXT, comment="`name`: known by name only"),
        must("source_id", NAME),
        must("name", TEXT),
        must("name_key", NAME, comment="the normalised name"),
        must("fold", SMALL),
        check("ck_artist_fold_range", "fold BETWEEN 0 AND 9"),
        sa.UniqueConstraint("source", "source_id", name="uq_artist_source_source_id"),
    )
    op.create_index("ix_artist_name_key", "artist", ["name_key"])
    op.create_table(
        "track",
        *numbered("track"),
        must("identity", NAME),
        must("name_key", NAME, comment="normalised title | normalised artist"),
        may("genre_id", KEY, to("fk_track_genre_id_genre", "SET NULL"), comment="the claim"),
        must("claim_tied", BOOLEAN, server_default=sa.false()),
        must("title", TEXT),
        must("artists", TEXT, comment="credited names, joined by '; '"),
        may("album", TEXT),
        may("release_date", TEXT, comment="YYYY, YYYY-MM or YYYY-MM-DD"),
        may("release_year", SMALL),
        may("duration_ms", WHOLE),
        may("explicit", BOOLEAN),
        may("popularity", SMALL, comment="0..100"),
        may("isrc", TEXT),
        must("origin", TEXT, comment="who delivered it first"),
        must("track_fold", SMALL),
        must("side", TEXT),
        may("split", TEXT, comment="the side a published dataset put it on"),
        *(must(name, MOMENT) for name in ("first_seen_at", "last_seen_at")),
        must("updated_at", MOMENT, comment="when what describes it last changed"),
        check(
            "ck_track_side_known",
            "side IN ('train', 'validation_new', 'test_new', 'validation_seen', 'test_seen', "
            "'none')",
        ),
        check("ck_track_duration_positive", "duration_ms > 0"),
        check("ck_track_popularity_range", "popularity BETWEEN 0 AND 100"),
        check("ck_track_release_year_range", "release_year BETWEEN 1900 AND 2200"),
        check("ck_track_fold_range", "track_fold BETWEEN 0 AND 9"),
        sa.UniqueConstraint("identity", name="uq_track_identity"),
    )
    op.create_index("ix_track_claim_tied", "track", ["claim_tied"], **where("claim_tied"))
    op.create_index("ix_track_genre_id", "track", ["genre_id"])
    op.create_index("ix_track_isrc", "track", ["isrc"])
    op.create_index("ix_track_name_key", "track", ["name_key"])
    op.create_table(
        "track_alias",
        must("source", NAME),
        must("source_id", NAME),
        must("track_id", KEY, to("fk_track_alias_track_id_track", "CASCADE")),
        primary("pk_track_alias", "source", "source_id"),
    )
    op.create_index("ix_track_alias_track_id", "track_alias", ["track_id"])
    op.create_table(
        "track_artist",
        must("track_id", KEY, to("fk_track_artist_track_id_track", "CASCADE")),
        must("artist_id", KEY, to("fk_track_artist_artist_id_artist")),
        must("position", SMALL, comment="0 is the primary artist"),
        primary("pk_track_artist", "track_id", "artist_id"),
    )
    op.create_index("ix_track_artist_artist_id", "track_artist", ["artist_id"])
    op.create_table(
        "sighting",
        must("track_id", KEY, to("fk_sighting_track_id_track", "CASCADE")),
        must("genre_id", KEY, to("fk_sighting_genre_id_genre", "CASCADE")),
        must("best_rank", WHOLE, comment="0 is the first answer"),
        must("times", WHOLE, server_default="1"),
        *(must(name, MOMENT) for name in ("first_seen_at", "last_seen_at")),
        check("ck_sighting_rank_not_negative", "best_rank >= 0"),
        check("ck_sighting_seen_at_least_once", "times >= 1"),
        primary("pk_sighting", "track_id", "genre_id"),
    )
    op.create_index("ix_sighting_genre_id", "sighting", ["genre_id"])
    op.create_table(
        "verdict",
        must("track_id", KEY, to("fk_verdict_track_id_track")),
        must("labelled_by", NAME),
        must("genre_id", KEY, to("fk_verdict_genre_id_genre")),
        must("labelled_at", MOMENT),
        may("note", TEXT),
        primary("pk_verdict", "track_id", "labelled_by"),
    )
    op.create_index("ix_verdict_genre_id", "verdict", ["genre_id"])
    op.create_table(
        "audio_features",
        must("track_id", KEY, to("fk_audio_features_track_id_track", "CASCADE")),
        must("provider", NAME),
        *(
            may(name, SMALL if isinstance(low, int) else DOUBLE)
            for name, (low, _) in RANGES.items()
        ),
        must("fetched_at", MOMENT),
        *(
            check(f"ck_audio_features_{name}_range", f"{name} BETWEEN {low} AND {high}")
            for name, (low, high) in RANGES.items()
        ),
        primary("pk_audio_features", "track_id", "provider"),
    )
    op.create_table(
        "feature_attempt",
        must("track_id", KEY, to("fk_feature_attempt_track_id_track", "CASCADE")),
        must("provider", NAME),
        must("attempts", WHOLE, server_default="0"),
        may("next_at", MOMENT, comment="when to ask again; NULL: not again"),
        must("outcome", TEXT),
        check("ck_feature_attempt_outcome_known", "outcome IN ('known', 'unknown')"),
        primary("pk_feature_attempt", "track_id", "provider"),
    )
    op.create_index(
        "ix_feature_attempt_provider_next_at", "feature_attempt", ["provider", "next_at"]
    )
    op.create_table(
        "catalogue_origin",
        must("id", SMALL, server_default="1", autoincrement=False),
        must("kind", TEXT),
        must("detail", TEXT, comment="a sandbox's seed or file, with its checksum"),
        must("recorded_at", MOMENT),
        check(
            "ck_catalogue_origin_kind_known", "kind IN ('spotify', 'synthetic', 'file', 'other')"
        ),
        check("ck_catalogue_origin_one_row", "id = 1"),
        primary("pk_catalogue_origin", "id"),
    )
    op.create_table(
        "imported_file",
        must("sha256", TEXT),
        must("name", TEXT),
        must("rows_done", WHOLE, comment="rows counted into `sighting.times`"),
        may("finished_at", MOMENT),
        primary("pk_imported_file", "sha256"),
    )


def harvest() -> None:
    op.create_table(
        "shard",
        *numbered("shard"),
        must("genre_id", KEY, to("fk_shard_genre_id_genre", "CASCADE")),
        must("source", NAME),
        must("query", TEXT, comment="what is asked, byte for byte"),
        must("year_from", SMALL),
        must("year_to", SMALL),
        must("first_rank", WHOLE, server_default="0", comment="of offset 0"),
        must("head", WHOLE, server_default="0", comment="rows to be read last"),
        must("next_offset", WHOLE, server_default="0"),
        may("end_offset", WHOLE, comment="where its rows end, while its head is read"),
        must("status", TEXT, server_default="open"),
        *(must(name, WHOLE, server_default="0") for name in ("requests", "items", "tracks_new")),
        *(must(name, SMALL, server_default="0") for name in ("dry_pages", "empty_pages")),
        may("promised", DOUBLE, comment="new tracks expected of the next page; NULL: a full one"),
        may("lease_owner", TEXT),
        may("lease_until", DOUBLE, comment="seconds since 1970"),
        must("fencing_token", WHOLE, server_default="0"),
        may("visited_at", MOMENT),
        must("created_at", MOMENT),
        check("ck_shard_status_known", "status IN ('open', 'split', 'exhausted', 'capped')"),
        check("ck_shard_offset_not_negative", "next_offset >= 0"),
        check("ck_shard_years_in_order", "year_from <= year_to"),
        sa.UniqueConstraint(
            "genre_id",
            "source",
            "query",
            "year_from",
            "year_to",
            name="uq_shard_genre_id_source_query_year_from_year_to",
        ),
    )
    op.create_table(
        "source_budget",
        must("source", NAME),
        must("credential", NAME, comment="a fingerprint, never the secret"),
        must("next_slot_at", DOUBLE, server_default="0", comment="s since 1970"),
        must("interval", DOUBLE, comment="seconds between two requests"),
        may("ceiling", DOUBLE, comment="requests per window, as learned; NULL: as told"),
        must("requests", KEY, server_default="0"),
        must("refusals", KEY, server_default="0", comment="answers 429"),
        must("banned_seconds", DOUBLE, server_default="0", comment="in all"),
        may("blocked_until", DOUBLE, comment="seconds since 1970"),
        may("blocked_reason", TEXT),
        may("next_probe_at", DOUBLE, comment="seconds since 1970"),
        must("capabilities", JSON, comment="page limit, closed endpoints"),
        primary("pk_source_budget", "source", "credential"),
    )
    op.create_table(
        "budget_slot",
        *numbered("budget_slot"),
        must("source", NAME),
        must("credential", NAME),
        must("at", DOUBLE, comment="seconds since 1970; the last window's are kept"),
    )
    op.create_index(
        "ix_budget_slot_source_credential_at", "budget_slot", ["source", "credential", "at"]
    )
    op.create_table(
        "job_run",
        *numbered("job_run"),
        must("job", NAME),
        must("started_at", MOMENT),
        may("finished_at", MOMENT),
        must("outcome", TEXT, server_default="running"),
        must("counts", JSON),
        may("error", TEXT),
        check(
            "ck_job_run_outcome_known",
            "outcome IN ('running', 'done', 'nothing_new', 'blocked', 'failed', 'interrupted')",
        ),
    )
    op.create_index("ix_job_run_job_started_at", "job_run", ["job", "started_at"])


def models() -> None:
    op.create_table(
        "model",
        *numbered("model"),
        must("created_at", MOMENT),
        must("task", NAME, server_default="main"),
        must("estimator", NAME),
        must("params", JSON),
        must("choice", JSON, comment="genres, labels, features, limits"),
        must("feature_schema", JSON, comment="columns in order, and classes"),
        must("data_fingerprint", TEXT),
        may("origin", TEXT, comment="the catalogue it learned from, where that is invented"),
        must("trained_rows", WHOLE),
        must("seconds", DOUBLE),
        must("status", TEXT, server_default="candidate"),
        may("reason", TEXT, comment="why it has this status"),
        must("pinned", BOOLEAN, server_default=sa.false()),
        may("artifact", sa.LargeBinary()),
        may("artifact_sha256", TEXT),
        must("metrics", JSON, comment="headline metrics per regime"),
        must("versions", JSON, comment="Python, libraries, project"),
        must("probes", JSON, comment="20 rows and their probabilities"),
        check(
            "ck_model_status_known", "status IN ('candidate', 'champion', 'retired', 'rejected')"
        ),
    )
    champion = where("status = 'champion'")
    op.create_index("uq_model_champion", "model", ["task"], unique=True, **champion)
    op.create_table(
        "model_metric",
        *numbered("model_metric"),
        must("model_id", KEY, to("fk_model_metric_model_id_model", "CASCADE")),
        must("side", TEXT, comment="test, validation or train"),
        must("regime", NAME, comment="seen_artist, new_artist, other or all"),
        may("genre_id", KEY, to("fk_model_metric_genre_id_genre", "CASCADE"), comment="NULL: all"),
        must("metric", NAME),
        may("value", DOUBLE),
        may("low", DOUBLE, comment="lower 95% bound, resampling artists"),
        may("high", DOUBLE, comment="upper 95% bound"),
        must("n", WHOLE, comment="tracks it was measured on"),
    )
    op.create_index("ix_model_metric_model_id", "model_metric", ["model_id"])
    op.create_table(
        "confusion",
        must("model_id", KEY, to("fk_confusion_model_id_model", "CASCADE")),
        must("regime", NAME),
        must("genre_id", KEY, to("fk_confusion_genre_id_genre", "CASCADE")),
        must("predicted_id", KEY, to("fk_confusion_predicted_id_genre", "CASCADE")),
        must("tracks", WHOLE),
        primary("pk_confusion", "model_id", "regime", "genre_id", "predicted_id"),
    )
    op.create_table(
        "feature_importance",
        *numbered("feature_importance"),
        must("model_id", KEY, to("fk_feature_importance_model_id_model", "CASCADE")),
        must("regime", NAME),
        may(
            "genre_id",
            KEY,
            to("fk_feature_importance_genre_id_genre", "CASCADE"),
            comment="NULL: all",
        ),
        must("feature", NAME),
        must("importance", DOUBLE),
        *(may(name, DOUBLE) for name in ("low", "high")),
    )
    op.create_index("ix_feature_importance_model_id", "feature_importance", ["model_id"])
    op.create_table(
        "prediction",
        must("model_id", KEY, to("fk_prediction_model_id_model", "CASCADE")),
        must("track_id", KEY, to("fk_prediction_track_id_track", "CASCADE")),
        must("rank", SMALL),
        must("genre_id", KEY, to("fk_prediction_genre_id_genre", "CASCADE")),
        must("probability", DOUBLE),
        must("regime", NAME),
        must("in_training", BOOLEAN, comment="answered out of fold"),
        must("predicted_at", MOMENT),
        check("ck_prediction_regime_known", "regime IN ('seen_artist', 'new_artist')"),
        check("ck_prediction_probability_range", "probability BETWEEN 0 AND 1"),
        check("ck_prediction_rank_range", "rank BETWEEN 1 AND 5"),
        primary("pk_prediction", "model_id", "track_id", "rank"),
    )
    op.create_index("ix_prediction_track_id", "prediction", ["track_id"])

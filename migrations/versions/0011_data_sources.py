"""Give every sighting its source, with votes, level and licence; list the sources.

Revision ID: 0011

What imports delivered goes under their origins; the rest under `spotify`, if the track came from
there or was harvested there, or else under the track's origin.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TEXT, WHOLE, SMALL = sa.Text(), sa.Integer(), sa.SmallInteger()
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
MOMENT = sa.DateTime(timezone=True)

LICENCES = {
    "spotify": "terms",
    "musicbrainz": "cc-by-nc-sa-3.0",
    "acousticbrainz": "cc0",
    "discogs": "cc0",
    "fma": "cc-by-4.0",
    "mtg-jamendo": "cc-by-nc-sa-4.0",
}

COUNTING = """
    SELECT part.track_id, part.genre_id, file.origin AS source, part.best_rank,
        CASE WHEN part.times < 1 THEN 1 ELSE part.times END AS times
    FROM import_sighting part JOIN imported_file file ON file.id = part.import_id
    WHERE part.import_id = (
        SELECT max(other.import_id)
        FROM import_sighting other JOIN imported_file version ON version.id = other.import_id
        WHERE other.track_id = part.track_id AND version.origin = file.origin
    )
"""
"""Of the imports of one origin, the last one with genres of a track counts."""

PARTS = f"""
    CREATE TEMPORARY TABLE sighting_part AS {COUNTING}
"""

REST = """
    SELECT sighting.track_id, sighting.genre_id,
        CASE
            WHEN track.origin = 'spotify' THEN 'spotify'
            WHEN EXISTS (
                SELECT 1 FROM track_alias
                WHERE track_alias.track_id = track.id AND track_alias.source = 'spotify'
            ) AND EXISTS (
                SELECT 1 FROM shard
                WHERE shard.genre_id = sighting.genre_id AND shard.source LIKE 'spotify%'
            ) THEN 'spotify'
            ELSE track.origin
        END AS source,
        CASE
            WHEN sighting.best_rank < coalesce(imported.best_rank, sighting.best_rank + 1)
            THEN sighting.best_rank
            ELSE coalesce(imported.rank_before, sighting.best_rank)
        END AS best_rank,
        sighting.times - coalesce(counted.times, 0) AS times
    FROM sighting JOIN track ON track.id = sighting.track_id
    LEFT JOIN (
        SELECT track_id, genre_id, sum(times) AS times FROM sighting_part
        GROUP BY track_id, genre_id
    ) counted
        ON counted.track_id = sighting.track_id AND counted.genre_id = sighting.genre_id
    LEFT JOIN (
        SELECT track_id, genre_id, min(best_rank) AS best_rank, max(rank_before) AS rank_before
        FROM import_sighting GROUP BY track_id, genre_id
    ) imported
        ON imported.track_id = sighting.track_id AND imported.genre_id = sighting.genre_id
    WHERE sighting.times > coalesce(counted.times, 0)
"""
"""What no import accounts for; its rank is the best one before the imports, as far as stored."""

BY_SOURCE = f"""
    CREATE TEMPORARY TABLE sighting_by_source AS
    SELECT part.track_id, part.genre_id, part.source, min(part.best_rank) AS best_rank,
        sum(part.times) AS times, sighting.first_seen_at, sighting.last_seen_at
    FROM (SELECT * FROM sighting_part UNION ALL {REST}) part
    JOIN sighting ON sighting.track_id = part.track_id AND sighting.genre_id = part.genre_id
    GROUP BY part.track_id, part.genre_id, part.source,
        sighting.first_seen_at, sighting.last_seen_at
"""

SUMMED = """
    CREATE TEMPORARY TABLE sighting_summed AS
    SELECT track_id, genre_id, min(best_rank) AS best_rank, sum(times) AS times,
        min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at
    FROM sighting GROUP BY track_id, genre_id
"""

SOURCES = """
    INSERT INTO data_source (name, licence, noted_at)
    SELECT name, {licence}, min(noted_at) FROM (
        SELECT source AS name, first_seen_at AS noted_at FROM sighting
        UNION ALL SELECT origin, first_seen_at FROM track
        UNION ALL SELECT provider, fetched_at FROM audio_features
    ) named GROUP BY name
"""


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def upgrade() -> None:
    op.create_table(
        "data_source",
        must("name", NAME, comment="an origin of labels, a provider of features"),
        must("licence", NAME, comment="of what has none of its own"),
        must("noted_at", MOMENT),
        sa.PrimaryKeyConstraint("name", name="pk_data_source"),
    )
    op.execute(PARTS)
    op.execute(BY_SOURCE)
    op.execute("DELETE FROM sighting")
    with op.batch_alter_table("sighting") as batch:
        batch.drop_constraint("pk_sighting", type_="primary")
        batch.add_column(must("source", NAME, comment="as `track.origin` is named"))
        batch.add_column(
            sa.Column("votes", WHOLE, comment="for the genre; NULL: the source has none")
        )
        batch.add_column(
            sa.Column("level", SMALL, comment="0: of the recording, 1: release, 2: artist")
        )
        batch.add_column(sa.Column("licence", NAME, comment="NULL: the source's"))
        batch.create_primary_key("pk_sighting", ["track_id", "genre_id", "source"])
        batch.create_check_constraint(op.f("ck_sighting_votes_positive"), "votes >= 1")
        batch.create_check_constraint(op.f("ck_sighting_level_range"), "level BETWEEN 0 AND 2")
    columns = "track_id, genre_id, source, best_rank, times, first_seen_at, last_seen_at"
    op.execute(f"INSERT INTO sighting ({columns}) SELECT {columns} FROM sighting_by_source")
    op.execute("DROP TABLE sighting_by_source")
    op.execute("DROP TABLE sighting_part")
    op.add_column("import_sighting", sa.Column("votes", WHOLE))
    op.add_column("import_sighting", sa.Column("level", SMALL))
    op.add_column("import_sighting", sa.Column("licence", NAME, comment="NULL: the import's"))
    op.execute("ALTER TABLE import_sighting DROP COLUMN rank_before")  # without a rebuild
    op.add_column(
        "import_track", sa.Column("licence", NAME, comment="of its features; NULL: the import's")
    )
    op.add_column("audio_features", sa.Column("licence", NAME, comment="NULL: the provider's"))
    op.add_column(
        "shard",
        sa.Column(
            "cursor", TEXT, comment="the source's own mark of the next page, where it has one"
        ),
    )
    cases = " ".join(f"WHEN '{name}' THEN '{licence}'" for name, licence in LICENCES.items())
    op.execute(SOURCES.format(licence=f"CASE name {cases} ELSE 'unknown' END"))
    comment_on_sightings("tracks sighted in it")


def downgrade() -> None:
    """Add the sources up; the licences are lost, and what the ranks were before imports."""
    op.execute(SUMMED)
    op.execute("DELETE FROM sighting")
    with op.batch_alter_table("sighting") as batch:
        batch.drop_constraint("pk_sighting", type_="primary")
        batch.drop_constraint(op.f("ck_sighting_votes_positive"), type_="check")
        batch.drop_constraint(op.f("ck_sighting_level_range"), type_="check")
        for name in ("source", "votes", "level", "licence"):
            batch.drop_column(name)
        batch.create_primary_key("pk_sighting", ["track_id", "genre_id"])
    columns = "track_id, genre_id, best_rank, times, first_seen_at, last_seen_at"
    op.execute(f"INSERT INTO sighting ({columns}) SELECT {columns} FROM sighting_summed")
    op.execute("DROP TABLE sighting_summed")
    for table, names in (
        ("import_sighting", ("votes", "level", "licence")),
        ("import_track", ("licence",)),
        ("audio_features", ("licence",)),
        ("shard", ("cursor",)),
    ):
        for name in names:
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    op.add_column(
        "import_sighting",
        sa.Column(
            "rank_before", WHOLE, comment="the best rank before it; NULL: it was not sighted"
        ),
    )
    op.drop_table("data_source")
    comment_on_sightings("rows of `sighting`")


def comment_on_sightings(comment: str) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite stores no comments
        op.execute(f"COMMENT ON COLUMN genre.sightings IS '{comment}'")

"""Create the tables of items of audio files and of their downloads.

Revision ID: 0010
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT, WHOLE, LONG = sa.Text(), sa.Integer(), sa.BigInteger()
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
ITEM, ITEM_GENRE, DOWNLOAD = "audio_item", "audio_item_genre", "audio_download"
ITEM_KEY = ("source", "item_id")


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def to_item(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ITEM_KEY,
        [f"{ITEM}.{name}" for name in ITEM_KEY],
        name=f"fk_{table}_source_item_id_{ITEM}",
        ondelete="CASCADE",
    )


def upgrade() -> None:
    op.create_table(
        ITEM,
        must("source", NAME),
        must("item_id", NAME, comment="the source's own id"),
        sa.Column("title", TEXT),
        sa.Column("artist", TEXT),
        sa.Column("release_date", TEXT, comment="YYYY, YYYY-MM or YYYY-MM-DD"),
        must("subjects", JSON, comment="the uploader's words"),
        must("licence", NAME),
        must("status", TEXT, server_default="waiting"),
        sa.Column("reason", TEXT, comment="why it was left out, or its files are not complete"),
        must("attempts", WHOLE, server_default="0", comment="failed in a row"),
        sa.Column("next_at", MOMENT, comment="not before; NULL: now"),
        must("listed_at", MOMENT),
        must("updated_at", MOMENT),
        check(ITEM, "status_known", "status IN ('waiting', 'open', 'done', 'left_out')"),
        check(ITEM, "attempts_not_negative", "attempts >= 0"),
        sa.PrimaryKeyConstraint(*ITEM_KEY, name=f"pk_{ITEM}"),
    )
    columns = ["source", "status", "next_at"]
    op.create_index(f"ix_{ITEM}_source_status_next_at", ITEM, columns)
    genre = sa.ForeignKey("genre.id", name=f"fk_{ITEM_GENRE}_genre_id_genre", ondelete="CASCADE")
    op.create_table(
        ITEM_GENRE,
        must("source", NAME),
        must("item_id", NAME),
        must("genre_id", KEY, genre),
        must("position", WHOLE, comment="in the search results, from 0"),
        to_item(ITEM_GENRE),
        check(ITEM_GENRE, "position_not_negative", "position >= 0"),
        sa.PrimaryKeyConstraint(*ITEM_KEY, "genre_id", name=f"pk_{ITEM_GENRE}"),
    )
    op.create_index(f"ix_{ITEM_GENRE}_genre_id_position", ITEM_GENRE, ["genre_id", "position"])
    track = sa.ForeignKey("track.id", name=f"fk_{DOWNLOAD}_track_id_track", ondelete="CASCADE")
    op.create_table(
        DOWNLOAD,
        must("source", NAME),
        must("item_id", NAME),
        must("name", NAME, comment="of the file, with slashes"),
        must("position", WHOLE, comment="in the item, from 0"),
        sa.Column("size", LONG, comment="bytes, as the source says"),
        sa.Column("md5", TEXT, comment="as the source says"),
        sa.Column("title", TEXT),
        sa.Column("artist", TEXT),
        sa.Column("isrc", TEXT),
        sa.Column("address", TEXT, comment="NULL: below the address of its item"),
        must("status", TEXT, server_default="waiting"),
        sa.Column("reason", TEXT, comment="why it failed"),
        must("attempts", WHOLE, server_default="0"),
        must("received", LONG, server_default="0", comment="bytes, in all"),
        sa.Column("received_at", MOMENT, comment="when the last of them came"),
        sa.Column("track_id", KEY, track),
        to_item(DOWNLOAD),
        check(DOWNLOAD, "status_known", "status IN ('waiting', 'done', 'failed')"),
        *(
            check(DOWNLOAD, f"{name}_not_negative", f"{name} >= 0")
            for name in ("size", "attempts", "received")
        ),
        sa.PrimaryKeyConstraint(*ITEM_KEY, "name", name=f"pk_{DOWNLOAD}"),
    )
    op.create_index(f"ix_{DOWNLOAD}_track_id", DOWNLOAD, ["track_id"])
    op.create_index(f"ix_{DOWNLOAD}_received_at", DOWNLOAD, ["received_at"])


def downgrade() -> None:
    for table in (DOWNLOAD, ITEM_GENRE, ITEM):
        op.drop_table(table)

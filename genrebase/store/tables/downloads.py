"""Download tables: items of sources of audio files, and the files to download of each."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
)

from genrebase.store.tables.columns import Json, Key, Name, UtcDateTime, metadata, one_of

ITEM_STATUSES: Final = ("waiting", "open", "done", "left_out")
"""`waiting`: its files are not known yet; `open`: some of them are to be downloaded."""
DOWNLOAD_STATUSES: Final = ("waiting", "done", "failed")

audio_item = Table(
    "audio_item",
    metadata,
    Column("source", Name, primary_key=True),
    Column("item_id", Name, primary_key=True, comment="the source's own id"),
    Column("title", Text),
    Column("artist", Text),
    Column("release_date", Text, comment="YYYY, YYYY-MM or YYYY-MM-DD"),
    Column("subjects", Json, nullable=False, comment="the uploader's words"),
    Column("licence", Name, nullable=False),
    Column("status", Text, nullable=False, server_default="waiting"),
    Column("reason", Text, comment="why it was left out, or its files are not complete"),
    Column("attempts", Integer, nullable=False, server_default="0", comment="failed in a row"),
    Column("next_at", UtcDateTime, comment="not before; NULL: now"),
    Column("listed_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Index(None, "source", "status", "next_at"),
    CheckConstraint(one_of("status", ITEM_STATUSES), name="status_known"),
    CheckConstraint("attempts >= 0", name="attempts_not_negative"),
)

audio_item_genre = Table(
    "audio_item_genre",
    metadata,
    Column("source", Name, primary_key=True),
    Column("item_id", Name, primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, nullable=False, comment="in the search results, from 0"),
    ForeignKeyConstraint(
        ["source", "item_id"], ["audio_item.source", "audio_item.item_id"], ondelete="CASCADE"
    ),
    Index(None, "genre_id", "position"),
    CheckConstraint("position >= 0", name="position_not_negative"),
)

audio_download = Table(
    "audio_download",
    metadata,
    Column("source", Name, primary_key=True),
    Column("item_id", Name, primary_key=True),
    Column("name", Name, primary_key=True, comment="of the file, with slashes"),
    Column("position", Integer, nullable=False, comment="in the item, from 0"),
    Column("size", BigInteger, comment="bytes, as the source says"),
    Column("md5", Text, comment="as the source says"),
    Column("title", Text),
    Column("artist", Text),
    Column("isrc", Text),
    Column("address", Text, comment="NULL: below the address of its item"),
    Column("status", Text, nullable=False, server_default="waiting"),
    Column("reason", Text, comment="why it failed"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("received", BigInteger, nullable=False, server_default="0", comment="bytes, in all"),
    Column("received_at", UtcDateTime, comment="when the last of them came"),
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE")),
    ForeignKeyConstraint(
        ["source", "item_id"], ["audio_item.source", "audio_item.item_id"], ondelete="CASCADE"
    ),
    Index(None, "track_id"),
    Index(None, "received_at"),
    CheckConstraint(one_of("status", DOWNLOAD_STATUSES), name="status_known"),
    CheckConstraint("size >= 0", name="size_not_negative"),
    CheckConstraint("attempts >= 0", name="attempts_not_negative"),
    CheckConstraint("received >= 0", name="received_not_negative"),
)

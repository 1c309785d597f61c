"""Create the tables of audio descriptors and of analysed files.

Revision ID: 0005
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT, BYTES, LONG = sa.Text(), sa.LargeBinary(), sa.BigInteger()
KEY = LONG.with_variant(sa.Integer(), "sqlite")
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def to_track(table: str) -> sa.ForeignKey:
    return sa.ForeignKey("track.id", name=f"fk_{table}_track_id_track", ondelete="CASCADE")


def upgrade() -> None:
    op.create_table(
        "descriptor_schema",
        must("name", NAME),
        must("columns", JSON, comment="the names of its values, in their order"),
        sa.PrimaryKeyConstraint("name", name="pk_descriptor_schema"),
    )
    to_schema = sa.ForeignKey(
        "descriptor_schema.name", name="fk_descriptor_schema_descriptor_schema"
    )
    op.create_table(
        "descriptor",
        must("track_id", KEY, to_track("descriptor")),
        must("provider", NAME),
        must("schema", NAME, to_schema),
        must("data", BYTES, comment="float32, little-endian, zlib"),
        must("fetched_at", MOMENT),
        sa.PrimaryKeyConstraint("track_id", "provider", "schema", name="pk_descriptor"),
    )
    op.create_table(
        "sound_file",
        must("path", NAME),
        must("size", LONG, comment="bytes"),
        must("modified", LONG, comment="nanoseconds since 1970"),
        must("heard_as", TEXT, comment="the schema of what was heard in it"),
        must("digest", TEXT, comment="of the decoded sound"),
        must("track_id", KEY, to_track("sound_file")),
        sa.PrimaryKeyConstraint("path", name="pk_sound_file"),
    )
    op.create_index("ix_sound_file_track_id", "sound_file", ["track_id"])


def downgrade() -> None:
    for name in ("sound_file", "descriptor", "descriptor_schema"):
        op.drop_table(name)

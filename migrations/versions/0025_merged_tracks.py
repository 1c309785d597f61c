"""Remember into which track a merged one went, so that its id still leads to it.

Revision ID: 0025
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
GONE = "a track that turned out to be another one; no other track gets its id"


def upgrade() -> None:
    op.create_table(
        "merged_track",
        sa.Column("track_id", KEY, autoincrement=False, comment=GONE),
        sa.Column("merged_into", KEY, nullable=False),
        sa.PrimaryKeyConstraint("track_id", name="pk_merged_track"),
        sa.ForeignKeyConstraint(
            ["merged_into"],
            ["track.id"],
            name="fk_merged_track_merged_into_track",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_merged_track_merged_into", "merged_track", ["merged_into"])


def downgrade() -> None:
    op.drop_table("merged_track")

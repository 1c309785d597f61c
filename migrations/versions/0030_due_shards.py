"""Index the shards that are due, so that planning reads none of the others.

Revision ID: 0030
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

CLOSED = sa.text("status IN ('exhausted', 'capped')")
WHOLE = sa.text("year_to = 9999")
INDEXES = {
    "ix_shard_closed": (["genre_id", "source", "visited_at"], CLOSED),
    "ix_shard_closed_years": (["genre_id", "source", "year_to"], CLOSED),
    "ix_shard_whole": (["genre_id", "source"], WHOLE),
}


def upgrade() -> None:
    for name, (columns, rows) in INDEXES.items():
        op.create_index(name, "shard", columns, sqlite_where=rows, postgresql_where=rows)


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "shard")

"""Give every track the range of the durations that were matched to it.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COLUMNS = {
    "shortest_ms": "the shortest duration that was matched to it",
    "longest_ms": "the longest one",
}


def upgrade() -> None:
    for name, comment in COLUMNS.items():
        op.add_column("track", sa.Column(name, sa.Integer(), comment=comment))
    op.execute("UPDATE track SET shortest_ms = duration_ms, longest_ms = duration_ms")


def downgrade() -> None:
    for name in COLUMNS:
        op.execute(f"ALTER TABLE track DROP COLUMN {name}")

"""Add the playlist that a sighting is from.

Revision ID: 0027
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0025"
branch_labels = None
depends_on = None

BEST = "that had the track at its best rank; NULL: none"


def upgrade() -> None:
    op.add_column("sighting", sa.Column("playlist", sa.Text(), comment=BEST))
    op.add_column("import_sighting", sa.Column("playlist", sa.Text(), comment="as in `sighting`"))


def downgrade() -> None:
    for table in ("sighting", "import_sighting"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN playlist")

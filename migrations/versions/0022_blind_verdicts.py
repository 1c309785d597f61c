"""Add whether a verdict was given blind, on a track that was drawn at random.

Revision ID: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

BLIND = "given on a track drawn at random, without its label and prediction"


def upgrade() -> None:
    op.add_column(
        "verdict",
        sa.Column("blind", sa.Boolean(), nullable=False, server_default=sa.false(), comment=BLIND),
    )


def downgrade() -> None:
    op.execute("ALTER TABLE verdict DROP COLUMN blind")

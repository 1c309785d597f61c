"""Store with each model the sources and licences of what it was trained on.

Revision ID: 0012
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column(
        "model",
        sa.Column("sources", JSON, comment="sources and licences of its labels and features"),
    )
    op.add_column(
        "model",
        sa.Column("licence_class", sa.Text(), comment="the most restrictive class among them"),
    )


def downgrade() -> None:
    for name in ("licence_class", "sources"):
        op.execute(f"ALTER TABLE model DROP COLUMN {name}")

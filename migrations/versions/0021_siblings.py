"""Add how many siblings a prediction was pooled with.

Revision ID: 0021
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

SIBLINGS = "other tracks of the artist it was pooled with; NULL: none"
REGIME = "seen_artist, new_artist, new_artist_with_siblings, other or all"
REGIME_BEFORE = "seen_artist, new_artist, other or all"


def upgrade() -> None:
    op.add_column("prediction", sa.Column("siblings", sa.Integer(), comment=SIBLINGS))
    _comment_regime(REGIME)


def downgrade() -> None:
    _comment_regime(REGIME_BEFORE)
    op.execute("ALTER TABLE prediction DROP COLUMN siblings")


def _comment_regime(comment: str) -> None:
    if op.get_bind().dialect.name == "postgresql":  # SQLite has no comments
        op.execute(f"COMMENT ON COLUMN model_metric.regime IS '{comment}'")

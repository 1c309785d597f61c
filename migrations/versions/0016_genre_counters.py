"""Count the tracks that each genre claims; index tied tracks by their genre.

Revision ID: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

COUNT = """
UPDATE genre SET tracks = (SELECT count(*) FROM track WHERE track.genre_id = genre.id)
"""


def upgrade() -> None:
    column = sa.Column(
        "tracks", sa.Integer(), nullable=False, server_default="0", comment="tracks that it claims"
    )
    op.add_column("genre", column)
    op.execute(COUNT)
    op.drop_index("ix_track_claim_tied", "track")
    op.create_index("ix_track_tied", "track", ["genre_id", "id"], **where("claim_tied"))


def downgrade() -> None:
    op.drop_index("ix_track_tied", "track")
    op.create_index("ix_track_claim_tied", "track", ["claim_tied"], **where("claim_tied"))
    op.execute("ALTER TABLE genre DROP COLUMN tracks")


def where(condition: str) -> dict[str, sa.TextClause]:
    """Return the options of an index of some rows only."""
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}

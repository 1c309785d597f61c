"""Let the bytes of a matrix be in a file of its own.

Revision ID: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

INDEX = "ix_sound_matrix_file_sha256"
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(
        "sound_matrix",
        sa.Column("file_sha256", NAME, comment="of the file with the bytes; NULL: they are here"),
    )
    there = sa.text("file_sha256 IS NOT NULL")
    op.create_index(
        INDEX, "sound_matrix", ["file_sha256"], sqlite_where=there, postgresql_where=there
    )


def downgrade() -> None:
    op.drop_index(INDEX, "sound_matrix")
    op.execute("ALTER TABLE sound_matrix DROP COLUMN file_sha256")

"""Create the table of vocabularies: known genre names.

Revision ID: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "vocabulary",
        sa.Column("source", NAME, nullable=False, comment="`musicbrainz`, or the name of a file"),
        sa.Column("name", NAME, nullable=False, comment="a genre, in small letters"),
        sa.PrimaryKeyConstraint("source", "name", name="pk_vocabulary"),
    )


def downgrade() -> None:
    op.drop_table("vocabulary")

"""Create the table of digests: stored rows of the views that aggregate whole tables.

Revision ID: 0018
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def upgrade() -> None:
    op.create_table(
        "digest",
        must("view", NAME, comment="the view whose rows these are"),
        must("key", NAME, comment="a genre, or empty: of the whole view"),
        must("as_of", sa.DateTime(timezone=True), comment="the state of the database they show"),
        must("rows", sa.Integer()),
        must("document", sa.Text(), comment="JSON: columns, and rows as lists"),
        sa.CheckConstraint('"rows" >= 0', name=op.f("ck_digest_rows_not_negative")),
        sa.PrimaryKeyConstraint("view", "key", name="pk_digest"),
    )


def downgrade() -> None:
    op.drop_table("digest")

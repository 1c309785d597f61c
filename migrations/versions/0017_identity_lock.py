"""Add the table of names that open transactions have locked.

Revision ID: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

COMMENT = "hash of a name that an open transaction has locked; always empty for others"


def upgrade() -> None:
    op.create_table(
        "identity_lock",
        sa.Column("slot", sa.BigInteger(), autoincrement=False, nullable=False, comment=COMMENT),
        sa.PrimaryKeyConstraint("slot", name="pk_identity_lock"),
    )


def downgrade() -> None:
    op.drop_table("identity_lock")

"""Create the table of leases of ranges of ids.

Revision ID: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "range_lease",
        sa.Column("job", NAME, nullable=False, comment="what is done with the rows"),
        sa.Column("first_id", KEY, nullable=False),
        sa.Column("last_id", KEY, nullable=False),
        sa.Column("run_id", KEY, nullable=False, comment="the run of job_run that works on them"),
        sa.Column("lease_until", sa.Double(), nullable=False, comment="seconds since 1970"),
        sa.PrimaryKeyConstraint("job", "first_id", name=op.f("pk_range_lease")),
        comment="ranges of ids that workers of a cluster work on right now",
    )


def downgrade() -> None:
    op.drop_table("range_lease")

"""Store the jobs that people want a daemon to run now.

Revision ID: 0023
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "job_request",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("job", NAME, nullable=False),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("requested_by", sa.Text()),
        sa.Column("taken_at", TIME, comment="when a daemon began with it"),
        sa.CheckConstraint(
            "job IN ('train', 'predict')", name="ck_job_request_job_can_be_requested"
        ),
        comment="jobs that people want a daemon to run now",
    )


def downgrade() -> None:
    op.drop_table("job_request")

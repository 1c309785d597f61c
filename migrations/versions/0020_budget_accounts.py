"""Name the account of a request budget; index the shards by what the planner looks for.

Revision ID: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    comment = "its name, where several credentials share the row"
    op.add_column("source_budget", sa.Column("account", NAME, comment=comment))

    op.create_index("ix_shard_status", "shard", ["source", "status", "visited_at"])
    leased = sa.text("lease_until IS NOT NULL")
    op.create_index(
        "ix_shard_lease", "shard", ["lease_until"], sqlite_where=leased, postgresql_where=leased
    )


def downgrade() -> None:
    op.drop_index("ix_shard_lease", "shard")
    op.drop_index("ix_shard_status", "shard")
    op.execute("ALTER TABLE source_budget DROP COLUMN account")

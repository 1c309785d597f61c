"""Store with every track the provider whose features the views show, and the order of providers.

Revision ID: 0015

The order is that of the settings, so both are filled when the views are recreated
(`genrebase.store.features_provider.set_order`).
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(
        "track",
        sa.Column("features_provider", NAME, comment="whose audio features the views show of it"),
    )
    op.create_table(
        "feature_order",
        sa.Column("provider", NAME, nullable=False),
        sa.Column(
            "position",
            sa.SmallInteger(),
            nullable=False,
            comment="0 is preferred to all others",
        ),
        sa.PrimaryKeyConstraint("provider", name="pk_feature_order"),
    )


def downgrade() -> None:
    op.drop_table("feature_order")
    op.execute("ALTER TABLE track DROP COLUMN features_provider")

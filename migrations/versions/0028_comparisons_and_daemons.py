"""Store comparisons of models, which tracks each was not trained on, and which daemons run.

Revision ID: 0028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
NAME = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    op.add_column(
        "model",
        sa.Column(
            "track_counts",
            JSON,
            comment="tracks of the database at its training: all, trained, left out by reason",
        ),
    )
    op.create_table(
        "model_comparison",
        sa.Column("model_id", KEY, autoincrement=False),
        sa.Column("other_id", KEY, autoincrement=False),
        sa.Column("compared_at", TIME, nullable=False),
        sa.Column(
            "document", JSON, nullable=False, comment="test conditions, genres and tracks, as rows"
        ),
        sa.PrimaryKeyConstraint("model_id", "other_id", name="pk_model_comparison"),
        *(
            sa.ForeignKeyConstraint(
                [column], ["model.id"], name=f"fk_model_comparison_{column}_model",
                ondelete="CASCADE",
            )
            for column in ("model_id", "other_id")
        ),
        comment="two models on the test tracks that both predicted",
    )  # fmt: skip
    op.create_table(
        "daemon",
        sa.Column("name", NAME),
        sa.Column("process", NAME, comment="host, process id and start time"),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("alive_at", TIME, nullable=False, comment="its latest heartbeat"),
        sa.PrimaryKeyConstraint("name", "process", name="pk_daemon"),
        comment="the daemons that run; one that ends removes its row",
    )


def downgrade() -> None:
    op.drop_table("daemon")
    op.drop_table("model_comparison")
    op.drop_column("model", "track_counts")

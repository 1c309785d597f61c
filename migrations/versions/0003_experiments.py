"""Create the tables of experiments, trials and training epochs; let a model refit another.

Revision ID: 0003
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT, WHOLE, SMALL, DOUBLE = sa.Text(), sa.Integer(), sa.SmallInteger(), sa.Double()
KEY = sa.BigInteger().with_variant(WHOLE, "sqlite")
NAME = TEXT.with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
STATUSES = "'candidate', 'champion', 'retired', 'rejected'"


may = sa.Column


def must(name: str, *args: Any, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, *args, nullable=False, **options)


def check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=name)


def numbered(table: str) -> tuple[sa.Column[Any], sa.PrimaryKeyConstraint]:
    return must("id", KEY), sa.PrimaryKeyConstraint("id", name=f"pk_{table}")


def upgrade() -> None:
    experiments()
    trials()
    epochs()
    with op.batch_alter_table("model") as batch:
        batch.add_column(
            may("parent_id", KEY, comment="of a refit: the honest model whose figures it borrows")
        )
        batch.add_column(
            may("crowned_at", MOMENT, comment="when it last became champion; NULL: never")
        )
        batch.create_foreign_key(
            "fk_model_parent_id_model", "model", ["parent_id"], ["id"], ondelete="CASCADE"
        )
        batch.drop_constraint("ck_model_status_known", type_="check")
        batch.create_check_constraint("ck_model_status_known", f"status IN ({STATUSES}, 'refit')")
    op.execute("UPDATE model SET crowned_at = created_at WHERE status IN ('champion', 'retired')")
    op.create_index(
        "ix_prediction_best",
        "prediction",
        ["model_id", "genre_id", "probability"],
        sqlite_where=sa.text("rank <= 2"),
        postgresql_where=sa.text("rank <= 2"),
    )


def downgrade() -> None:
    op.drop_index("ix_prediction_best", "prediction")
    op.execute("DELETE FROM model WHERE status = 'refit'")
    with op.batch_alter_table("model") as batch:
        batch.drop_constraint("ck_model_status_known", type_="check")
        batch.create_check_constraint("ck_model_status_known", f"status IN ({STATUSES})")
        batch.drop_constraint("fk_model_parent_id_model", type_="foreignkey")
        batch.drop_column("crowned_at")
        batch.drop_column("parent_id")
    for name in ("training_epoch", "trial_metric", "trial", "experiment"):
        op.drop_table(name)


def experiments() -> None:
    op.create_table(
        "experiment",
        *numbered("experiment"),
        must("kind", TEXT),
        must("fingerprint", TEXT, comment="of question, data and code: to go on by"),
        must("created_at", MOMENT),
        may("finished_at", MOMENT, comment="NULL: not all trials were made yet"),
        must("task", NAME, server_default="main"),
        must("question", JSON, comment="what was to be tried"),
        must("choice", JSON, comment="genres, labels, limits"),
        must("seed", WHOLE),
        must("data_fingerprint", TEXT),
        must("versions", JSON, comment="Python, libraries, project"),
        may("origin", TEXT, comment="the catalogue it was tried on, where that is invented"),
        check("ck_experiment_kind_known", "kind IN ('compare', 'tune', 'learning_curve')"),
    )
    op.create_index("ix_experiment_fingerprint", "experiment", ["fingerprint"])


def trials() -> None:
    op.create_table(
        "trial",
        *numbered("trial"),
        must(
            "experiment_id",
            KEY,
            sa.ForeignKey(
                "experiment.id", name="fk_trial_experiment_id_experiment", ondelete="CASCADE"
            ),
        ),
        must("number", WHOLE, comment="of the configuration, from 1"),
        must("estimator", NAME),
        must("features", NAME, comment="feature groups, joined by ','"),
        must("params", JSON),
        may("per_genre", WHOLE, comment="most tracks learned of a genre; NULL: all"),
        may("binary_genre", NAME, comment="told from the rest by a binary model; NULL: all are"),
        must("test_fold", SMALL),
        must("validation_fold", SMALL),
        must("key", NAME, comment="of what it is, within its experiment"),
        must("outcome", TEXT),
        may("error", TEXT),
        must("finished_at", MOMENT),
        must("trained_rows", WHOLE),
        must("seconds", DOUBLE, comment="of learning and answering"),
        may("artifact_bytes", WHOLE, comment="NULL: was not measured"),
        may("training_score", DOUBLE, comment="accuracy on tracks it learned from"),
        may("score", DOUBLE, comment="on validation tracks, what is chosen by; NULL: no choice"),
        check("ck_trial_test_fold_range", "test_fold BETWEEN 0 AND 9"),
        check("ck_trial_validation_fold_range", "validation_fold BETWEEN 0 AND 9"),
        check("ck_trial_outcome_known", "outcome IN ('done', 'failed')"),
        sa.UniqueConstraint("experiment_id", "key", name="uq_trial_experiment_id_key"),
    )
    op.create_table(
        "trial_metric",
        *numbered("trial_metric"),
        must(
            "trial_id",
            KEY,
            sa.ForeignKey("trial.id", name="fk_trial_metric_trial_id_trial", ondelete="CASCADE"),
        ),
        must("side", TEXT, comment="test or validation"),
        must("regime", NAME, comment="seen_artist, new_artist, other or all"),
        may("genre", NAME, comment="NULL: over all genres"),
        must("metric", NAME),
        may("value", DOUBLE),
        may("low", DOUBLE, comment="lower 95% bound, resampling artists"),
        may("high", DOUBLE, comment="upper 95% bound"),
        must("n", WHOLE, comment="tracks it was measured on"),
    )
    op.create_index("ix_trial_metric_trial_id", "trial_metric", ["trial_id"])


def epochs() -> None:
    op.create_table(
        "training_epoch",
        must(
            "model_id",
            KEY,
            sa.ForeignKey("model.id", name="fk_training_epoch_model_id_model", ondelete="CASCADE"),
        ),
        must("epoch", WHOLE, comment="from 1", autoincrement=False),
        must("train_loss", DOUBLE),
        may("validation_loss", DOUBLE),
        may("validation_accuracy", DOUBLE),
        may("learning_rate", DOUBLE),
        must("seconds", DOUBLE),
        check("ck_training_epoch_epoch_from_one", "epoch >= 1"),
        sa.PrimaryKeyConstraint("model_id", "epoch", name="pk_training_epoch"),
    )

"""The view of training epochs, on both engines."""

from sqlalchemy import Engine, insert, select

from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make


def test_epochs_have_the_status_of_their_model(engine: Engine):
    """Without validation tracks their columns are NULL; other models have no row."""
    with transaction(engine) as connection:
        model = make.add_model(connection, "rejected", task="deep", estimator="mlp")
        make.add_model(connection)
        rows = [
            {"model_id": model, "epoch": one, "train_loss": 2.0 / one, "seconds": 1.5}
            for one in (1, 2)
        ]
        connection.execute(insert(tables.training_epoch), rows)
    view = views.training_epochs
    with read_transaction(engine) as connection:
        stored = connection.execute(select(view).order_by(view.c.epoch)).mappings().all()
    assert [row["epoch"] for row in stored] == [1, 2]
    assert (stored[1]["model_id"], stored[1]["task"], stored[1]["status"]) == (
        model, "deep", "rejected",
    )  # fmt: skip
    assert (stored[1]["train_loss"], stored[1]["validation_loss"]) == (1.0, None)

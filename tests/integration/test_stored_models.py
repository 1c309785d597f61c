"""Rows of models that were changed outside Genrebase."""

import pytest
from sqlalchemy import Engine, update

from classifier.errors import BrokenArtifact
from classifier.registry import stored_models
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests import factories


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("golden_rows", []),
        ("versions", "x"),
        ("params", False),
        ("metrics", 3),
        ("training_config", [1]),
        ("feature_schema", {"classes": "jazz"}),
        ("feature_schema", {"classes": [1, 2]}),
        ("feature_schema", {"columns": {"a": 1}}),
    ],
)
def test_a_field_of_another_shape_is_named(engine: Engine, column: str, value: object) -> None:
    """The sentence names the model and the field, whatever reads the row."""
    with transaction(engine) as connection:
        number = factories.add_model(connection)
    with transaction(engine) as connection:
        connection.execute(update(tables.model).values({column: value}))
    for read in (
        lambda: stored_models.model(engine, number),
        lambda: stored_models.models(engine),
        lambda: stored_models.champion(engine, "main"),
    ):
        with pytest.raises(BrokenArtifact, match=rf"model {number} was changed: its {column}"):
            read()

"""The stored comparisons of models on common test tracks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select

from genrebase.store import Engine, tables
from genrebase.store.engine import transaction


def replace(
    database: Engine,
    task: str,
    model: int,
    documents: Mapping[int, Mapping[str, Any]],
    at: datetime,
) -> None:
    """Replace the comparisons of a task by these of a model, by the id of the other model.

    Comparisons with a model that was deleted meanwhile are left out.
    """
    comparison, stored = tables.model_comparison, tables.model
    of_task = select(stored.c.id).where(stored.c.task == task)
    with transaction(database) as connection:
        connection.execute(delete(comparison).where(comparison.c.model_id.in_(of_task)))
        there = set(connection.scalars(of_task))
        rows = [
            {"model_id": model, "other_id": other, "compared_at": at, "document": document}
            for other, document in documents.items()
            if {model, other} <= there
        ]
        if rows:
            connection.execute(insert(comparison), rows)

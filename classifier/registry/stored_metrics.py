"""Read the stored metrics of a model, and the origins of the tracks in the database."""

from typing import Final

from sqlalchemy import func, select

from classifier.records import MetricRow
from genrebase.store import Engine, tables
from genrebase.store.engine import read_transaction

_COLUMNS: Final = ("side", "regime", "metric", "value", "low", "high", "n")


def metrics_of_model(database: Engine, number: int) -> list[MetricRow]:
    """Return every stored metric of a model, in the order of measurement."""
    metric, genre = tables.model_metric, tables.genre
    query = (
        select(*(metric.c[name] for name in _COLUMNS), genre.c.name.label("genre"))
        .select_from(metric.outerjoin(genre, genre.c.id == metric.c.genre_id))
        .where(metric.c.model_id == number)
        .order_by(metric.c.id)
    )
    with read_transaction(database) as connection:
        return [MetricRow(**row) for row in connection.execute(query).mappings()]


def track_origins(database: Engine) -> dict[str, int]:
    """Return the sources of the tracks in the database, with their numbers of tracks."""
    track = tables.track
    count = func.count()
    query = (
        select(track.c.origin, count)
        .group_by(track.c.origin)
        .order_by(count.desc(), track.c.origin)
    )
    with read_transaction(database) as connection:
        return {row[0]: row[1] for row in connection.execute(query)}

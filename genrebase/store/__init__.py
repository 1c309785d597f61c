"""The database: tables, views, names and the engine. The one place that knows the schema."""

from sqlalchemy import Engine

from genrebase.store import engine as _engine
from genrebase.store import schema as _schema


def connect(url: str | None = None) -> Engine:
    """Return an engine on a Genrebase database whose schema this version understands.

    `url` is `sqlite:///FILE` or `postgresql://…`; without one, `STORE_URL` or its default.
    Raises `BadUrl`, `Unreachable` or `SchemaMismatch`, each with a sentence that says what to do.
    """
    made = _engine.make_engine(url)
    try:
        _schema.check_revision(made)
    except BaseException:
        made.dispose()
        raise
    return made


__all__ = ["Engine", "connect"]

"""The database: tables, views, migrations and engines. Only this package knows the schema."""

from sqlalchemy import Engine

from genrebase.store import engine as _engine
from genrebase.store import schema_revision as _schema


def connect(url: str | None = None) -> Engine:
    """Return an engine on a Genrebase database whose schema revision is the expected one.

    `url` is `sqlite:///FILE` or `postgresql://…`; without one, `STORE_URL` or its default.
    Raises `InvalidUrl`, `DatabaseUnreachable` or `SchemaMismatch`.
    """
    engine = _engine.make_engine(url)
    try:
        _schema.check_revision(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


__all__ = ["Engine", "connect"]

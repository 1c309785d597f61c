"""The database: tables, views, migrations and engines. Only this package knows the schema."""

from sqlalchemy import Engine

from genrebase.errors import UserError
from genrebase.store import engine as _engine
from genrebase.store import schema_upgrade as _schema
from genrebase.store.copy import copy_state as _copy_state


def connect(url: str | None = None) -> Engine:
    """Return an engine on a Genrebase database whose schema revision is the expected one.

    `url` is `sqlite:///FILE` or `postgresql://…`; without one, `STORE_URL` or its default.
    Raises `DatabaseUnreachable`, `SchemaMismatch`, or `UserError` for a bad URL or the target of
    an interrupted copy.
    """
    engine = _engine.make_engine(url)
    try:
        _schema.check_revision(engine)
        _refuse_unfinished_copy(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _refuse_unfinished_copy(engine: Engine) -> None:
    with _engine.read_transaction(engine) as connection:
        state = _copy_state.read(connection)
    if state is not None and not state.is_complete:
        raise UserError(
            f"{engine.url.render_as_string()} is an unfinished copy of {state.source}, with rows "
            "missing: run the same `genrebase copy` again to continue it, or delete it."
        )


disposing = _engine.disposing

__all__ = ["Engine", "connect", "disposing"]

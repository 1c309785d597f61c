"""SQLite: views and triggers are text in `sqlite_master`; drop them and run that text again."""

from dataclasses import dataclass, field
from functools import lru_cache

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError

from genrebase.store import search_index, views
from genrebase.store.errors import ViewConflict
from genrebase.store.views.definition import MARKER, Providers


@dataclass(frozen=True, slots=True)
class _SchemaObject:
    kind: str
    """view or trigger"""
    name: str
    sql: str
    readable: bool
    """Whether it is a view that can be selected from."""

    @property
    def is_ours(self) -> bool:
        if self.kind == "trigger":
            return self.name in search_index.TRIGGERS
        return MARKER in self.sql


@dataclass(slots=True)
class SqliteViews:
    """All views and triggers of a SQLite database."""

    connection: Connection
    _theirs: list[_SchemaObject] = field(default_factory=list)

    def are_current(self, providers: Providers) -> bool:
        """Return whether our views have the text that this version gives them."""
        ours = {one.name: one.sql for one in self._objects() if one.is_ours and one.kind == "view"}
        return ours == {name: _statement(name, tuple(providers)) for name in views.ALL}

    def drop(self) -> None:
        """Drop every view and trigger: SQLite parses all of them when a table is renamed."""
        objects = self._objects()
        taken = [one.name for one in objects if one.name in views.ALL and not one.is_ours]
        if taken:
            raise ViewConflict.names_taken(taken)
        self._theirs = [one for one in objects if not one.is_ours]
        for one in sorted(objects, key=lambda one: one.kind):  # triggers before views
            self._run(f"DROP {one.kind.upper()} {_quoted(one.name)}")

    def recreate(self, providers: Providers | None) -> None:
        """Create our views (unless `providers` is None), then the users' views and triggers.

        `search_index.ensure` creates our triggers.

        Raises `ViewConflict` for each one that cannot be created, or that was readable before the
        migration and no longer is.
        """
        if providers is not None:
            for name in views.ALL:
                self._run(_statement(name, tuple(providers)))
        theirs = sorted(self._theirs, key=lambda one: one.kind, reverse=True)
        failed = {one.name: error for one in theirs if (error := self._error(one.sql))}
        for one in theirs:
            if one.name not in failed and one.readable and (error := self._read_error(one.name)):
                failed[one.name] = error
        if failed:
            raise ViewConflict.not_restored(failed)

    def _objects(self) -> list[_SchemaObject]:
        rows = self.connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master "
            "WHERE type IN ('view', 'trigger') ORDER BY rowid"
        ).all()
        return [
            _SchemaObject(kind, name, sql, kind == "view" and self._read_error(name) is None)
            for kind, name, sql in rows
        ]

    def _read_error(self, view: str) -> str | None:
        return self._error(f"SELECT * FROM {_quoted(view)} LIMIT 0")  # noqa: S608 - a quoted name

    def _error(self, statement: str) -> str | None:
        """Run a statement; return the database's message where it fails."""
        try:
            self._run(statement)
        except DatabaseError as error:
            return str(error.orig)
        return None

    def _run(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement)


@lru_cache(maxsize=2 * len(views.ALL))
def _statement(name: str, providers: Providers) -> str:
    create = views.ALL[name].create(providers, "sqlite")
    return str(create.compile(dialect=sqlite.dialect())).strip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

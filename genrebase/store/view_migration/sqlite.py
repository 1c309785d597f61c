"""SQLite: views and triggers are text in the schema, dropped and put back as they were."""

from dataclasses import dataclass, field

from sqlalchemy import Connection
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DatabaseError

from genrebase.store import views
from genrebase.store.view_migration import refusal
from genrebase.store.views.definition import MARKER, Providers


@dataclass(frozen=True, slots=True)
class _Object:
    kind: str
    name: str
    on: str
    """The table or view a trigger stands on."""
    sql: str
    works: bool
    """Whether a view can be read."""


@dataclass(slots=True)
class SqliteViews:
    """All views and triggers of a SQLite database."""

    connection: Connection
    _kept: list[_Object] = field(default_factory=list)

    def are_current(self, providers: Providers) -> bool:
        """Compare the text of each view, which the database keeps as it was given."""
        ours = {made.name: made.sql for made in self._objects() if _is_ours(made)}
        return ours == {name: _statement(view, providers) for name, view in views.ALL.items()}

    def drop(self) -> None:
        """Drop every view and trigger: renaming a table looks at all of them."""
        found = self._objects()
        taken = [made.name for made in found if made.name in views.ALL and not _is_ours(made)]
        if taken:
            raise refusal.names_taken(taken)
        self._kept = [made for made in found if not _is_ours(made)]
        for made in sorted(found, key=lambda made: made.kind):  # triggers before views
            self._run(f"DROP {made.kind.upper()} {_quoted(made.name)}")

    def recreate(self, providers: Providers | None) -> None:
        """Create ours, then theirs; a view that could be read before must be readable again."""
        if providers is not None:
            for view in views.ALL.values():
                self._run(_statement(view, providers))
        theirs = sorted(self._kept, key=lambda made: made.kind, reverse=True)
        failed = {made.name: reason for made in theirs if (reason := self._created(made))}
        for made in theirs:
            if made.name not in failed and made.works and (reason := self._unreadable(made.name)):
                failed[made.name] = reason
        if failed:
            raise refusal.not_restored(failed)

    def _created(self, made: _Object) -> str | None:
        try:
            self._run(made.sql)
        except DatabaseError as error:
            return str(error.orig)
        return None

    def _unreadable(self, name: str) -> str | None:
        try:
            self._run(f"SELECT * FROM {_quoted(name)} LIMIT 0")  # noqa: S608 - a quoted name
        except DatabaseError as error:
            return str(error.orig)
        return None

    def _objects(self) -> list[_Object]:
        rows = self.connection.exec_driver_sql(
            "SELECT type, name, tbl_name, sql FROM sqlite_master "
            "WHERE type IN ('view', 'trigger') ORDER BY rowid"
        ).all()
        return [
            _Object(kind, name, on, sql, kind == "view" and self._unreadable(name) is None)
            for kind, name, on, sql in rows
        ]

    def _run(self, statement: str) -> None:
        self.connection.exec_driver_sql(statement)


def _is_ours(made: _Object) -> bool:
    return made.kind == "view" and MARKER in made.sql


def _statement(view: views.View, providers: Providers) -> str:
    return str(view.create(providers, "sqlite").compile(dialect=sqlite.dialect())).strip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

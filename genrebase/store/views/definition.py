"""Define a view: its name, description, documented columns and SELECT."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from sqlalchemy import MetaData, Select, Table
from sqlalchemy.schema import CreateView
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from genrebase.store.settings import DEFAULT_FEATURE_ORDER

MARKER: Final = "[Genrebase]"
"""Part of every view of ours, so that a user's own view is never mistaken for one."""

Providers = Sequence[str]
"""Feature providers in order of preference."""

Build = Callable[[Providers], Select[Any]]


@dataclass(frozen=True)
class View:
    """A public contract: new columns are appended, a changed meaning needs a new view."""

    name: str
    description: str
    """What a row is."""
    columns: Mapping[str, str]
    """The columns in order, with their descriptions."""
    build: Build
    """Returns the SELECT for an order of feature providers, on any database."""
    build_postgresql: Build | None = None
    """Another SELECT with the same rows, where PostgreSQL needs one to be fast."""
    build_sqlite: Build | None = None
    """Likewise for SQLite."""

    @cached_property
    def table(self) -> Table:
        """The view as a table to select from, made when it is first used.

        All tables together take a third of the time in which a command starts.
        """
        select = self.build(DEFAULT_FEATURE_ORDER)
        return CreateView(select, self.name, metadata=MetaData()).table

    @property
    def c(self) -> ReadOnlyColumnCollection[str, Any]:
        """The columns of the table."""
        return self.table.c

    def __clause_element__(self) -> Any:
        """Return the table: SQLAlchemy's hook for objects that stand in a statement."""
        return self.table

    def select(self, providers: Providers, dialect: str) -> Select[Any]:
        """Return the view's SELECT for one of the two databases."""
        other = self.build_postgresql if dialect == "postgresql" else self.build_sqlite
        return (other or self.build)(providers)

    def create(self, providers: Providers, dialect: str) -> CreateView:
        """Return the statement that creates the view on one of the two databases."""
        marked = self.select(providers, dialect).prefix_with(f"/* {MARKER} */", dialect="sqlite")
        return CreateView(marked, self.name, metadata=MetaData())

    @property
    def comment(self) -> str:
        """The view's comment in PostgreSQL."""
        return f"{self.description} {MARKER}"


ALL: Final[dict[str, View]] = {}
"""Every view, by its name."""


def view(
    description: str,
    columns: Mapping[str, str],
    *,
    postgresql: Build | None = None,
    sqlite: Build | None = None,
) -> Callable[[Build], View]:
    """Return a decorator: the function of a SELECT becomes the view of that name, in `ALL`.

    `postgresql` and `sqlite` return another SELECT with the same rows where one is faster there.
    """

    def define(build: Build) -> View:
        name = build.__name__
        ALL[name] = View(name, description, columns, build, postgresql, sqlite)
        return ALL[name]

    return define

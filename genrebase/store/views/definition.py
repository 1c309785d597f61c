"""What a view is: a name, a sentence, documented columns, and the select behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import MetaData, Select, Table
from sqlalchemy.schema import CreateView

from genrebase.store.settings import DEFAULT_FEATURE_ORDER

MARKER: Final = "[Genrebase]"
"""Stands in every view of ours, so that nobody's own view is taken for one."""

Providers = Sequence[str]
"""Feature providers, the one to trust most first."""

Build = Callable[[Providers], Select[Any]]

metadata = MetaData()
"""Every view of Genrebase, as tables to select from."""


@dataclass(frozen=True, slots=True)
class View:
    """A public contract: new columns go at the end, a changed meaning is a new view."""

    name: str
    description: str
    """What a row is and what the view answers."""
    columns: Mapping[str, str]
    """Each column in order, with its sentence."""
    build: Build
    """The select, for an order of feature providers."""
    table: Table
    """The view as something to select from."""
    build_postgresql: Build | None = None
    """Another select with the same rows, where PostgreSQL needs other words to be quick."""

    def select(self, providers: Providers, dialect: str) -> Select[Any]:
        """Return the select behind the view on one of both databases."""
        other = self.build_postgresql if dialect == "postgresql" else None
        return (other or self.build)(providers)

    def create(self, providers: Providers, dialect: str) -> CreateView:
        """Return the statement that creates the view on one of both databases."""
        marked = self.select(providers, dialect).prefix_with(f"/* {MARKER} */", dialect="sqlite")
        return CreateView(marked, self.name, metadata=MetaData())

    @property
    def comment(self) -> str:
        """What the database itself says about the view, where it can."""
        return f"{self.description} {MARKER}"


def view(
    name: str,
    description: str,
    columns: Mapping[str, str],
    build: Build,
    build_postgresql: Build | None = None,
) -> View:
    """Return the view `name`, known to `metadata`."""
    table = CreateView(build(DEFAULT_FEATURE_ORDER), name, metadata=metadata).table
    return View(name, description, columns, build, table, build_postgresql)

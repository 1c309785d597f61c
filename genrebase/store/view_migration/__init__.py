"""Keeping the views up through a migration: ours are made anew, people's own are put back."""

from typing import Protocol

from sqlalchemy import Connection

from genrebase.store.view_migration.postgresql import PostgresqlViews
from genrebase.store.view_migration.sqlite import SqliteViews
from genrebase.store.views.definition import Providers


class ManagedViews(Protocol):
    """The views of one database, ours and those that people built on ours."""

    def are_current(self, providers: Providers) -> bool:
        """Say whether our views stand exactly as this version defines them."""
        ...

    def drop(self) -> None:
        """Remember and drop our views and all that was built on them."""
        ...

    def recreate(self, providers: Providers | None) -> None:
        """Create our views (not where `providers` is None) and put back what people built.

        Raises `ViewsInTheWay`, naming everything that could not be put back.
        """
        ...


def managed_views(connection: Connection) -> ManagedViews:
    """Return the views of the database behind `connection`, inside its open transaction."""
    if connection.dialect.name == "postgresql":
        return PostgresqlViews(connection)
    return SqliteViews(connection)


__all__ = ["ManagedViews", "managed_views"]

"""Preserve views across a migration: recreate ours, restore the views that users built on them."""

from sqlalchemy import Connection

from genrebase.store.view_migration.postgresql import PostgresqlViews
from genrebase.store.view_migration.sqlite import SqliteViews

ManagedViews = PostgresqlViews | SqliteViews


def managed_views(connection: Connection) -> ManagedViews:
    """Return the views of the database behind `connection`, inside its open transaction."""
    kind = PostgresqlViews if connection.dialect.name == "postgresql" else SqliteViews
    return kind(connection)


__all__ = ["ManagedViews", "managed_views"]

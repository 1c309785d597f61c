"""Preserve views across a migration: recreate ours, restore the views that users built on them."""

from sqlalchemy import Connection

from genrebase.store.view_migration.postgresql import PostgresqlViews
from genrebase.store.view_migration.sqlite import SqliteViews


def managed_views(connection: Connection) -> PostgresqlViews | SqliteViews:
    """Return the views of the database behind `connection`, inside its open transaction."""
    kind = PostgresqlViews if connection.dialect.name == "postgresql" else SqliteViews
    return kind(connection)

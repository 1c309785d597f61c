"""Stored rows of the views that aggregate whole tables, so that reading them takes no time."""

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from genrebase.store.tables.columns import Name, UtcDateTime, metadata

digest = Table(
    "digest",
    metadata,
    Column("view", Name, primary_key=True, comment="the view whose rows these are"),
    Column("key", Name, primary_key=True, comment="a genre, or empty: of the whole view"),
    Column("as_of", UtcDateTime, nullable=False, comment="the state of the database they show"),
    Column("rows", Integer, nullable=False),
    Column("document", Text, nullable=False, comment="JSON: columns, and rows as lists"),
    CheckConstraint('"rows" >= 0', name="rows_not_negative"),
)

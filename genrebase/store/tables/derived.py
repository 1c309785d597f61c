"""Tables computed from others: stored rows of views, and the words by which tracks are found."""

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from genrebase.store.tables.columns import Key, Name, UtcDateTime, metadata

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
"""Stored rows of the views that aggregate whole tables, so that reading them takes no time."""

search_text = Table(
    "search_text",
    metadata,
    Column("track_id", Key, primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False, comment="of title and artists, each between bars"),
)
"""Without a foreign key: deleted tracks wait in `search_due` to be removed from the index, too."""

search_due = Table(
    "search_due",
    metadata,
    Column("id", Key, primary_key=True),
    Column("track_id", Key, nullable=False, comment="a track that is new, renamed or deleted"),
)

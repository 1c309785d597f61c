"""The words by which tracks are found, and which tracks are still to be indexed."""

from sqlalchemy import Column, Table, Text

from genrebase.store.tables.columns import Key, metadata

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

"""The index of the words of titles and artists: an index of trigrams on either database.

Triggers note each track that is inserted, renamed or deleted in `search_due`. `fill` indexes these
tracks later: neither harvest nor import waits for it. `search` compares the tracks that are noted,
but not indexed yet, one by one.

SQLite has an FTS5 table over `search_text`, PostgreSQL a GIN index on the trigrams that a function
computes: no extension, for which a right may be missing, and the same trigrams in any locale.
"""

from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DatabaseError, OperationalError

from genrebase.store import bulk, tables
from genrebase.store.engine import Engine, read_transaction, transaction
from genrebase.store.search_terms import indexed_text

POSTGRESQL_INDEX: Final = "ix_search_text_trigrams"
_BATCH: Final = 2_000
"""Tracks that are indexed in one transaction: about 0.1 s, for which others wait on SQLite."""

TRIGGERS: Final = ("track_inserted", "track_deleted", "track_renamed")

_CREATE_SQLITE: Final = """
    CREATE VIRTUAL TABLE search_index USING fts5(
    words, content='search_text', content_rowid='track_id', detail=none, columnsize=0,
    tokenize='trigram case_sensitive 1')
"""
_SQLITE_TRIGGERS: Final = (
    """CREATE TRIGGER IF NOT EXISTS track_inserted AFTER INSERT ON track
    BEGIN INSERT INTO search_due (track_id) VALUES (new.id); END""",
    """CREATE TRIGGER IF NOT EXISTS track_deleted AFTER DELETE ON track
    BEGIN INSERT INTO search_due (track_id) VALUES (old.id); END""",
    """CREATE TRIGGER IF NOT EXISTS track_renamed AFTER UPDATE OF title, artists ON track
    WHEN old.title <> new.title OR old.artists <> new.artists
    BEGIN INSERT INTO search_due (track_id) VALUES (new.id); END""",
)
_CREATE_POSTGRESQL: Final = (
    """CREATE OR REPLACE FUNCTION text_trigrams(words text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
    DECLARE
        trigrams text[] := '{}';
        letters text[] := string_to_array(words, NULL);
    BEGIN
        FOR place IN 1 .. cardinality(letters) - 2 LOOP
            trigrams[place] := letters[place] || letters[place + 1] || letters[place + 2];
        END LOOP;
        RETURN trigrams;
    END $$""",
    """CREATE INDEX IF NOT EXISTS ix_search_text_trigrams ON search_text
    USING gin (text_trigrams(words))""",
    """CREATE OR REPLACE FUNCTION note_changed_tracks() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO search_due (track_id) SELECT id FROM changed; RETURN NULL; END $$""",
    """CREATE OR REPLACE FUNCTION note_renamed_track() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN INSERT INTO search_due (track_id) VALUES (new.id); RETURN NULL; END $$""",
    """CREATE TRIGGER track_inserted AFTER INSERT ON track
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_tracks()""",
    """CREATE TRIGGER track_deleted AFTER DELETE ON track
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_changed_tracks()""",
    """CREATE TRIGGER track_renamed AFTER UPDATE OF title, artists ON track
    FOR EACH ROW WHEN (old.title <> new.title OR old.artists <> new.artists)
    EXECUTE FUNCTION note_renamed_track()""",
)
"""The cost of the function keeps the planner from computing it for each row. A loop is
faster than a query over `generate_series`, and letters of an array are found at once: `substr`
counts from the beginning of the text. An index leaves out what repeats in an array."""

_DELETE_INDEXED: Final = (
    "INSERT INTO search_index (search_index, rowid, words) VALUES ('delete', ?, ?)"
)
_REBUILD: Final = "INSERT INTO search_index (search_index) VALUES ('rebuild')"
_INSERT_INDEXED: Final = "INSERT INTO search_index (rowid, words) VALUES (?, ?)"


def ensure(connection: Connection) -> None:
    """Create the triggers and the index where they are missing; the tables exist.

    SQLite before 3.34, or one that was built without FTS5, gets no index: a search reads all of
    `search_text` then.
    """
    if connection.dialect.name == "postgresql":
        for name in TRIGGERS:
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON track")
        for statement in _CREATE_POSTGRESQL:
            connection.exec_driver_sql(statement)
        return
    for statement in _SQLITE_TRIGGERS:
        connection.exec_driver_sql(statement)
    if _has_table(connection):
        return
    try:
        connection.exec_driver_sql(_CREATE_SQLITE)
    except OperationalError:
        return
    connection.exec_driver_sql(_REBUILD)


def is_usable(connection: Connection) -> bool:
    """Return whether the index exists, and this SQLite can read and write it."""
    if connection.dialect.name == "postgresql":
        return True
    try:
        connection.exec_driver_sql("SELECT 1 FROM search_index WHERE search_index MATCH '\"zzz\"'")
    except OperationalError:
        return False
    return True


def _has_table(connection: Connection) -> bool:
    query = "SELECT count(*) FROM sqlite_master WHERE name = 'search_index'"
    return bool(connection.exec_driver_sql(query).scalar_one())


def count_due(connection: Connection, limit: int) -> int:
    """Return how many tracks wait to be indexed, at most `limit`."""
    due = select(tables.search_due.c.id).limit(limit).subquery()
    return connection.execute(select(func.count()).select_from(due)).scalar_one()


def fill(engine: Engine, stop_requested: Callable[[], bool] = lambda: False) -> int:
    """Index all tracks that wait for it, in transactions of their own; return how many."""
    with read_transaction(engine) as connection:
        if not count_due(connection, 1) or _is_unusable(connection):
            return 0
    total, last = 0, 0
    while not stop_requested():
        with transaction(engine) as connection:
            settled = _fill_batch(connection, last)
        if not settled:
            break
        total, last = total + len(settled), settled[-1]
    if total and engine.dialect.name == "postgresql":
        with transaction(engine) as connection:
            connection.exec_driver_sql(f"SELECT gin_clean_pending_list('{POSTGRESQL_INDEX}')")
    return total


def _is_unusable(connection: Connection) -> bool:
    """Return whether another build of SQLite created the index, and this one cannot write it."""
    return (
        connection.dialect.name == "sqlite"
        and _has_table(connection)
        and not is_usable(connection)
    )


def remove(connection: Connection, track_ids: Sequence[int]) -> None:
    """Remove deleted tracks from the index at once; the caller commits."""
    _remove(connection, [*_stored(connection, track_ids).items()])


def _fill_batch(connection: Connection, after: int) -> list[int]:
    """Index the tracks that wait longest; return the rows of `search_due` that this settled.

    Only rows after the last of the batch before: the deleted ones before it cost PostgreSQL time.
    """
    is_postgresql = connection.dialect.name == "postgresql"
    if is_postgresql:  # two processes that index one track must not overtake each other
        connection.exec_driver_sql("LOCK TABLE search_text IN SHARE ROW EXCLUSIVE MODE")
    due = tables.search_due.c
    query = select(due.id, due.track_id).where(due.id > after).order_by(due.id).limit(_BATCH)
    rows = connection.execute(query).all()
    if not rows:
        return []
    track_ids = sorted({row.track_id for row in rows})
    stored = _stored(connection, track_ids)
    tracks = bulk.rows_of(connection, "track", "id", track_ids, ("id", "title", "artists"))
    words = {track_id: indexed_text(title, artists) for track_id, title, artists in tracks}
    new = [(one, text) for one, text in words.items() if stored.get(one) != text]
    old = [(one, text) for one, text in stored.items() if words.get(one) != text]
    _remove(connection, old)
    if new:
        bulk.insert(connection, tables.search_text, ("track_id", "words"), new)
        if not is_postgresql and is_usable(connection):
            connection.exec_driver_sql(_INSERT_INDEXED, new)
    settled = [row.id for row in rows]
    bulk.execute_in(connection, "DELETE FROM search_due WHERE id", settled)
    return settled


def _stored(connection: Connection, track_ids: Sequence[int]) -> dict[int, str]:
    columns = ("track_id", "words")
    return dict(list(bulk.rows_of(connection, "search_text", "track_id", track_ids, columns)))


def _remove(connection: Connection, stored: Sequence[tuple[int, str]]) -> None:
    """Remove texts; where another program changed them, the index of SQLite is made again."""
    if not stored:
        return
    differs = False
    if connection.dialect.name == "sqlite" and is_usable(connection):
        try:
            connection.exec_driver_sql(_DELETE_INDEXED, list(stored))
        except DatabaseError:  # the index has no such text
            differs = True
    track_ids = [track_id for track_id, _ in stored]
    bulk.execute_in(connection, "DELETE FROM search_text WHERE track_id", track_ids)
    if differs:
        connection.exec_driver_sql(_REBUILD)

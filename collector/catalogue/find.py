"""Finding the stored track that a person means."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, Select, select

from collector import source_ids
from genrebase.store import bulk, tables

_KEY_DIGITS: Final = 18
"""More may not fit into a key of 64 bits."""


def find_track(connection: Connection, text: str) -> int | None:
    """Return the id of the track that `text` names, None where there is none.

    `text` is a Spotify id, URI or URL, `track.id`, or another source's id. A plain number is
    `track.id` first: that is what every view shows.
    """
    wanted = text.strip()
    spotify = source_ids.parse_track_id(wanted)
    if spotify is not None:
        found = track_with_alias(connection, source_ids.SPOTIFY, spotify)
        if found is not None:
            return found
    if wanted.isascii() and wanted.isdecimal() and len(wanted) <= _KEY_DIGITS:
        track = tables.track
        found = _one(connection, select(track.c.id).where(track.c.id == int(wanted)))
        if found is not None:
            return found
    alias = tables.track_alias
    query = select(alias.c.track_id).where(alias.c.source_id == wanted)
    return _one(connection, query.order_by(alias.c.source).limit(1))


def track_with_alias(connection: Connection, source: str, source_id: str) -> int | None:
    """Return the id of the track that a source knows under this id."""
    alias = tables.track_alias
    known = (alias.c.source == source) & (alias.c.source_id == source_id)
    return _one(connection, select(alias.c.track_id).where(known))


def stored_ids(connection: Connection, source: str, source_ids: Sequence[str]) -> set[str]:
    """Return which of a source's ids are stored."""
    rows = bulk.select_in(
        connection,
        "SELECT a.source_id FROM {values} CROSS JOIN track_alias a"
        " WHERE a.source_id = listed.value AND a.source = {mark}",
        list(source_ids),
        source,
    )
    return {source_id for (source_id,) in rows}


def _one(connection: Connection, query: Select[int]) -> int | None:
    found: int | None = connection.scalar(query)
    return found

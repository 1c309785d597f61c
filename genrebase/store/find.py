"""Find the stored track that a text names: a source's id, a Spotify URL or URI, or `track.id`.

The rule is the same for every command, and does not depend on which ids happen to be stored:

- `source:id` is the id of that source (`spotify:…`, `fma:7`);
- a Spotify URL or URI, or 22 characters of base 62, is Spotify's id;
- a bare number is `track.id`, the column `track_id` of every view, also that of a track that was
  merged into another one;
- anything else is a source's id, if all sources that have it mean the same track.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, func, select

from genrebase.errors import UserError
from genrebase.store import source_ids, tables

MAX_KEY_DIGITS: Final = 18
"""More may not fit into a key of 64 bits."""


class UnknownTrack(UserError):
    """No such track is stored."""

    def __init__(self, text: str, hint: str = "") -> None:
        """Name the `text` that matches no track."""
        super().__init__(
            f"There is no track {text!r}: give a source ID, a Spotify URL or URI, or the "
            f"column `track_id` of any view{hint}."
        )


class AmbiguousTrack(UserError):
    """Several sources have this id."""

    def __init__(self, text: str, sources: list[str]) -> None:
        """List the `sources` that have the id."""
        names = " or ".join(f"{source}:{text}" for source in sources)
        super().__init__(f"Several sources have the id {text!r}: say which, as {names}.")


def find_track(connection: Connection, text: str) -> int | None:
    """Return the id of the track that `text` names (see the module), None if there is none.

    Raises `AmbiguousTrack` if several sources have the id.
    """
    name = text.strip()
    spotify_id = source_ids.parse_track_id(name)
    if spotify_id is not None:
        return track_with_alias(connection, source_ids.SPOTIFY, spotify_id)
    if name.isascii() and name.isdecimal():
        return _track_with_id(connection, name)
    for at, character in enumerate(name):
        if character == ":":  # sources such as `csv:file.csv` hold one themselves
            track_id = track_with_alias(connection, name[:at], name[at + 1 :])
            if track_id is not None:
                return track_id
    alias = tables.track_alias.c
    query = select(alias.source, alias.track_id).where(
        alias.source.in_(list(_sources(connection))), alias.source_id == name
    )
    rows = connection.execute(query.order_by(alias.source)).all()
    if len({row.track_id for row in rows}) > 1:
        raise AmbiguousTrack(name, [row.source for row in rows])
    return rows[0].track_id if rows else None


def _sources(connection: Connection) -> Iterator[str]:
    """Yield the sources of ids in order, each by one look-up in the index of the primary key."""
    source, last = tables.track_alias.c.source, ""
    while True:
        following = connection.scalar(select(func.min(source)).where(source > last))
        if following is None:
            return
        yield following
        last = following


def track_with_alias(connection: Connection, source: str, source_id: str) -> int | None:
    """Return the id of the track that has this id at a source."""
    alias = tables.track_alias.c
    query = select(alias.track_id).where(alias.source == source, alias.source_id == source_id)
    track_id: int | None = connection.scalar(query)
    return track_id


def _track_with_id(connection: Connection, digits: str) -> int | None:
    if len(digits) > MAX_KEY_DIGITS:
        return None
    track, merged = tables.track.c, tables.merged_track.c
    for query in (
        select(track.id).where(track.id == int(digits)),
        select(merged.merged_into).where(merged.track_id == int(digits)),
    ):
        track_id: int | None = connection.scalar(query)
        if track_id is not None:
            return track_id
    return None

"""Verdicts: what people say a track is. A track's claim is never touched by them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from genrebase.store import source_ids, tables

_verdict = tables.verdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's verdict on one track."""

    track_id: int
    source: str
    source_id: str
    """An id under which a source knows the track: the same in every database."""
    title: str
    artists: str
    genre: str
    by: str
    at: datetime
    note: str | None


def add(
    connection: Connection, track_id: int, genre_id: int, by: str, at: datetime, note: str | None
) -> bool:
    """Store a person's verdict; say whether that changed anything.

    It takes the place of an earlier one by the same person, and yields to a later one.
    """
    theirs = (_verdict.c.track_id == track_id) & (_verdict.c.labelled_by == by)
    stored = connection.execute(select(_verdict).where(theirs)).first()
    values = {"genre_id": genre_id, "labelled_at": at, "note": note}
    if stored is None:
        row = {"track_id": track_id, "labelled_by": by, **values}
        connection.execute(insert(_verdict).values(row))
        return True
    if stored.labelled_at > at or (stored.genre_id, stored.note) == (genre_id, note):
        return False
    connection.execute(update(_verdict).where(theirs).values(values))
    return True


def remove(connection: Connection, track_id: int, by: str) -> None:
    """Remove a person's verdict on a track."""
    connection.execute(
        delete(_verdict).where(_verdict.c.track_id == track_id, _verdict.c.labelled_by == by)
    )


def list_verdicts(connection: Connection, track_ids: Sequence[int] | None = None) -> list[Verdict]:
    """Return all verdicts, or those on some tracks, in the order in which they were given."""
    track, genre = tables.track, tables.genre
    query = (
        select(_verdict, track.c.title, track.c.artists, genre.c.name)
        .join(track, track.c.id == _verdict.c.track_id)
        .join(genre, genre.c.id == _verdict.c.genre_id)
        .order_by(_verdict.c.labelled_at, _verdict.c.track_id, _verdict.c.labelled_by)
    )
    if track_ids is not None:
        query = query.where(_verdict.c.track_id.in_(track_ids))
    addresses = _addresses(connection)
    return [
        Verdict(
            row.track_id,
            *addresses.get(row.track_id, ("", "")),
            row.title,
            row.artists,
            row.name,
            row.labelled_by,
            row.labelled_at,
            row.note,
        )
        for row in connection.execute(query)
    ]


def _addresses(connection: Connection) -> dict[int, tuple[str, str]]:
    """Return per labelled track the id by which other databases know it best."""
    alias = tables.track_alias
    labelled = select(_verdict.c.track_id)
    query = select(alias).where(alias.c.track_id.in_(labelled))
    addresses: dict[int, tuple[str, str]] = {}
    for row in connection.execute(query):
        address = (row.source, row.source_id)
        known = addresses.setdefault(row.track_id, address)
        addresses[row.track_id] = min(known, address, key=_standing)
    return addresses


def _standing(address: tuple[str, str]) -> tuple[bool, bool, tuple[str, str]]:
    source, _ = address
    return source != source_ids.SPOTIFY, source == source_ids.NAME_ONLY, address

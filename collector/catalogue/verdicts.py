"""Verdicts: labels that people give to tracks (manual annotation). They never change a claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, delete, insert, select, update

from genrebase.digests import store as digests
from genrebase.store import names, source_ids, tables

_verdict = tables.verdict


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's verdict on one track."""

    track_id: int
    source: str
    source_id: str
    """The track's id at the source, the same in every database."""
    title: str
    artists: str
    genre: str
    by: str
    at: datetime
    note: str | None
    blind: bool = False
    """Given on a track that was drawn at random, without its label and prediction."""


def add(
    connection: Connection,
    track_id: int,
    genre_id: int,
    by: str,
    at: datetime,
    note: str | None,
    *,
    blind: bool = False,
) -> bool:
    """Store a person's verdict; return whether that changed anything.

    It replaces an earlier one by the same person, and is dropped if there is a later one. A blind
    verdict stays blind if the same is repeated.
    """
    note = None if note is None else names.clean(note) or None
    same_person = (_verdict.c.track_id == track_id) & (_verdict.c.labelled_by == by)
    stored = connection.execute(select(_verdict).where(same_person)).first()
    values = {"genre_id": genre_id, "labelled_at": at, "note": note, "blind": blind}
    if stored is None:
        row = {"track_id": track_id, "labelled_by": by, **values}
        connection.execute(insert(_verdict).values(row))
        return True
    is_repeated = (stored.genre_id, stored.note) == (genre_id, note) and stored.blind >= blind
    if stored.labelled_at > at or is_repeated:
        return False
    connection.execute(update(_verdict).where(same_person).values(values))
    return True


def remove(connection: Connection, track_id: int, by: str) -> None:
    """Remove a person's verdict on a track."""
    connection.execute(
        delete(_verdict).where(_verdict.c.track_id == track_id, _verdict.c.labelled_by == by)
    )
    discard_digests(connection)


def discard_digests(connection: Connection) -> None:
    """Have the digests refreshed, as nothing else shows that verdicts changed.

    A removed verdict leaves no time, and an imported one may have a time before the digests'. The
    digest that counts verdicts is deleted; the others stay until they are refreshed.
    """
    digests.discard(connection, views_named=["catalogue_counts"])


def list_verdicts(connection: Connection, track_ids: Sequence[int] | None = None) -> list[Verdict]:
    """Return all verdicts, or those on some tracks, in order of time."""
    track, genre = tables.track, tables.genre
    given = (_verdict.c[name] for name in ("labelled_by", "labelled_at", "note", "blind"))
    query = (
        select(_verdict.c.track_id, track.c.title, track.c.artists, genre.c.name, *given)
        .join(track, track.c.id == _verdict.c.track_id)
        .join(genre, genre.c.id == _verdict.c.genre_id)
        .order_by(_verdict.c.labelled_at, _verdict.c.track_id, _verdict.c.labelled_by)
    )
    labelled = select(_verdict.c.track_id)
    if track_ids is not None:
        query = query.where(_verdict.c.track_id.in_(track_ids))
        labelled = labelled.where(_verdict.c.track_id.in_(track_ids))
    aliases = _portable_aliases(connection, labelled)
    return [
        Verdict(track_id, *aliases.get(track_id, ("", "")), *facts)
        for track_id, *facts in connection.execute(query)
    ]


def _portable_aliases(
    connection: Connection, labelled: Select[tuple[int]]
) -> dict[int, tuple[str, str]]:
    """Return per labelled track its alias that other databases most likely have: Spotify's."""
    alias = tables.track_alias
    query = select(alias).where(alias.c.track_id.in_(labelled))
    aliases: dict[int, tuple[str, str]] = {}
    for row in connection.execute(query):
        alias_key = (row.source, row.source_id)
        chosen = aliases.setdefault(row.track_id, alias_key)
        aliases[row.track_id] = min(chosen, alias_key, key=_preference)
    return aliases


def _preference(alias_key: tuple[str, str]) -> tuple[bool, bool, tuple[str, str]]:
    source, _ = alias_key
    return source != source_ids.SPOTIFY, source == source_ids.NAME_ONLY, alias_key

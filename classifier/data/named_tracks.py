"""Look up many tracks and artists at once, by the ids and names that requests give."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, Engine, select

from genrebase.errors import UserError
from genrebase.store import find, source_ids, tables
from genrebase.store.engine import read_transaction
from genrebase.store.find import UnknownTrack

_NAMES_PER_QUERY: Final = 500


@dataclass(frozen=True, slots=True)
class NamedTrack:
    """A stored track."""

    id: int
    title: str
    artists: str
    split: str
    """`train`, `validation`, `test` or `none`."""


@dataclass(frozen=True, slots=True)
class NamedArtists:
    """The artists of one name."""

    ids: set[int] = field(default_factory=set)
    splits: set[str] = field(default_factory=set)
    """The splits of their tracks."""


def named_tracks(database: Engine, texts: Mapping[int, str]) -> dict[int, NamedTrack | UserError]:
    """Return the track that each text names (see `genrebase.store.find`), or why there is none.

    At most a thousand texts.
    """
    track = tables.track.c
    query = select(track.id, track.title, track.artists, track.side)
    with read_transaction(database) as connection:
        ids = _ids(connection, texts)
        wanted = sorted({one for one in ids.values() if isinstance(one, int)})
        rows = connection.execute(query.where(track.id.in_(wanted)))
        stored = {
            row.id: NamedTrack(row.id, row.title, row.artists, _split(row.side)) for row in rows
        }
    return {
        at: one if isinstance(one, UserError) else stored.get(one) or UnknownTrack(texts[at])
        for at, one in ids.items()
    }


def artists_named(database: Engine, name_keys: Iterable[str]) -> dict[str, NamedArtists]:
    """Return the artists of each normalised name."""
    artist, credit, track = tables.artist, tables.track_artist, tables.track
    query = (
        select(artist.c.name_key, artist.c.id, track.c.side)
        .select_from(
            artist.outerjoin(credit, credit.c.artist_id == artist.c.id).outerjoin(
                track, track.c.id == credit.c.track_id
            )
        )
        .distinct()
    )
    wanted, artists = sorted(name_keys), dict[str, NamedArtists]()
    if not wanted:
        return artists
    with read_transaction(database) as connection:
        for start in range(0, len(wanted), _NAMES_PER_QUERY):
            some = wanted[start : start + _NAMES_PER_QUERY]
            for key, number, side in connection.execute(query.where(artist.c.name_key.in_(some))):
                one = artists.setdefault(key, NamedArtists())
                one.ids.add(number)
                one.splits.add(_split(side))
    return artists


def _ids(connection: Connection, texts: Mapping[int, str]) -> dict[int, int | UserError]:
    """Return the id that each text names; a number is not looked up yet."""
    spotify = {at: source_ids.parse_track_id(text.strip()) for at, text in texts.items()}
    alias = tables.track_alias.c
    query = select(alias.source_id, alias.track_id).where(
        alias.source == source_ids.SPOTIFY,
        alias.source_id.in_(sorted({one for one in spotify.values() if one is not None})),
    )
    of_spotify = {row.source_id: int(row.track_id) for row in connection.execute(query)}
    ids: dict[int, int | UserError] = {}
    for at, text in texts.items():
        number, spotify_id = text.strip(), spotify[at]
        if spotify_id is not None:
            track = of_spotify.get(spotify_id)
        elif number.isascii() and number.isdecimal():
            track = int(number) if len(number) <= find.MAX_KEY_DIGITS else None
        else:
            try:
                track = find.find_track(connection, text)
            except UserError as error:
                ids[at] = error
                continue
        ids[at] = UnknownTrack(text) if track is None else track
    return ids


def _split(side: str | None) -> str:
    return str(side).partition("_")[0]

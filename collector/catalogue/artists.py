"""Artists: identified by a source's id, or by name until a source provides the id."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from collector.records import ArtistCredit
from genrebase.store import bulk, names, tables
from genrebase.store.source_ids import NAME_ONLY

SourceCredit = tuple[str, ArtistCredit]
"""A credit, and the source of its id."""

_COLUMNS: Final = ("id", "source", "source_id", "name", "name_key", "fold")
_SELECT: Final = (
    f"SELECT {', '.join(f'a.{column}' for column in _COLUMNS)}"
    " FROM {values} CROSS JOIN artist a WHERE "
)


@dataclass(frozen=True, slots=True)
class StoredArtist:
    """A stored artist."""

    id: int
    source: str
    source_id: str
    name: str
    name_key: str
    fold: int


def resolve(
    connection: Connection, credited: Iterable[SourceCredit]
) -> dict[SourceCredit, StoredArtist]:
    """Return the stored artist of every credit, adding those that are missing.

    An artist without an id takes the id when one appears for that name; a credit without an id
    goes to the oldest artist of its name.
    """
    addresses = {credit: _address(credit) for credit in credited}
    keys = {credit: names.normalise(credit[1].name) for credit in addresses}
    by_id, by_name = _stored(connection, addresses.values(), set(keys.values()))
    missing = sum(address not in by_id for address in addresses.values())
    ids = iter(bulk.next_ids(connection, tables.artist, missing))
    new: list[StoredArtist] = []
    adopted: list[tuple[str, str, str, int]] = []
    for credit, address in addresses.items():
        if address in by_id:
            continue
        key = keys[credit]
        stored = by_name.get(key)
        if stored is None or NAME_ONLY not in (stored.source, address[0]):
            made = StoredArtist(next(ids), *address, credit[1].name, key, names.hash_fold(key))
            new.append(made)
            by_id[address] = made
            by_name.setdefault(key, made)
        elif address[0] == NAME_ONLY:
            by_id[address] = stored
        else:
            named = StoredArtist(stored.id, *address, credit[1].name, key, stored.fold)
            adopted.append((*address, named.name, named.id))
            by_id[address] = by_name[key] = named
    rows = [tuple(getattr(artist, column) for column in _COLUMNS) for artist in new]
    bulk.insert(connection, tables.artist, _COLUMNS, rows)
    bulk.update(connection, tables.artist, ("source", "source_id", "name"), adopted)
    return {credit: by_id[address] for credit, address in addresses.items()}


def _address(credit: SourceCredit) -> tuple[str, str]:
    source, artist = credit
    if artist.source_id is None:
        return NAME_ONLY, names.normalise(artist.name)
    return source, artist.source_id


def _stored(
    connection: Connection, addresses: Iterable[tuple[str, str]], keys: set[str]
) -> tuple[dict[tuple[str, str], StoredArtist], dict[str, StoredArtist]]:
    by_key = _SELECT + "a.name_key = listed.value ORDER BY a.id"
    named = [StoredArtist(*row) for row in bulk.select_in(connection, by_key, sorted(keys))]
    by_name: dict[str, StoredArtist] = {}
    for artist in named:
        by_name.setdefault(artist.name_key, artist)
    by_id = {(artist.source, artist.source_id): artist for artist in named}
    wanted: dict[str, list[str]] = {}
    for source, source_id in addresses:
        wanted.setdefault(source, []).append(source_id)
    wanted.pop(NAME_ONLY, None)
    for source, ids in wanted.items():
        query = _SELECT + "a.source_id = listed.value AND a.source = {mark}"
        for row in bulk.select_in(connection, query, ids, source):
            by_id[row.source, row.source_id] = StoredArtist(*row)
    return by_id, by_name

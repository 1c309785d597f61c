"""Artists: identified by a source's id, or by name until a source provides the id."""

from collections.abc import Iterable
from functools import partial
from typing import Final, NamedTuple

from sqlalchemy import Connection

from collector.records import ArtistCredit, SourceTrack
from genrebase.store import bulk, name_locks, names, tables
from genrebase.store.engine import Engine, read_transaction
from genrebase.store.source_ids import NAME_ONLY

SourceCredit = tuple[str, ArtistCredit]
"""A credit, and the source of its id."""

_MAX_STORED: Final = 100_000
"""Credits that are remembered in about 20 MB."""
_COLUMNS: Final = ("id", "source", "source_id", "name", "name_key", "fold")


class StoredArtist(NamedTuple):
    """A stored artist."""

    id: int
    source: str
    source_id: str
    name: str
    name_key: str
    fold: int


class ArtistWriter:
    """Adds the artists of an import's batches, in short transactions of their own.

    A batch that added them itself would keep all others waiting that have tracks by one of them.
    On SQLite, where writers wait for each other anyway, it does nothing.
    """

    def __init__(self, engine: Engine) -> None:
        """Write to this database."""
        self._engine = engine
        self._stored: set[SourceCredit] = set()
        """Credits of earlier batches, whose artists are stored."""

    def add_missing(self, source_tracks: Iterable[SourceTrack]) -> None:
        if self._engine.dialect.name == "sqlite":
            return
        credited = {(track.source, one) for track in source_tracks for one in track.artists}
        new = credited - self._stored
        with read_transaction(self._engine) as connection:
            is_complete = not ArtistLookup(connection, new).names_to_add()
        if not is_complete:
            name_locks.run_beside_others(self._engine, partial(self._add, new))
        if len(self._stored) > _MAX_STORED:
            self._stored.clear()
        self._stored |= new

    @staticmethod
    def _add(credited: Iterable[SourceCredit], connection: Connection) -> None:
        lookup = ArtistLookup(connection, credited)
        name_locks.lock_names(connection, lookup.names_to_add())
        lookup.resolve()


class ArtistLookup:
    """The stored artists of a batch's credits, and what is to be added.

    An artist without an id takes the id when one appears for that name; a credit without an id
    goes to the oldest artist of its name.
    """

    def __init__(self, connection: Connection, credited: Iterable[SourceCredit]) -> None:
        """Look up the artists of these credits."""
        self._connection = connection
        self._keys = {
            credit: names.normalise(credit[1].name) for credit in dict.fromkeys(credited)
        }
        self._addresses = {
            (source, artist): (NAME_ONLY, key)
            if artist.source_id is None
            else (source, artist.source_id)
            for (source, artist), key in self._keys.items()
        }
        self._by_id, self._by_name = _stored(
            connection, self._addresses.values(), set(self._keys.values())
        )
        self._missing = [
            credit for credit, address in self._addresses.items() if address not in self._by_id
        ]

    def names_to_add(self) -> set[str]:
        """Return texts that identify the artists that `resolve` adds or changes."""
        return {
            f"artist {text}"
            for credit in self._missing
            if self._addresses[credit][0] != NAME_ONLY or self._keys[credit] not in self._by_name
            for text in (self._keys[credit], " ".join(self._addresses[credit]))
        }

    def resolve(self) -> dict[SourceCredit, StoredArtist]:
        """Return the stored artist of every credit, adding those that are missing.

        Others may have added some of them since the lookup: lock `names_to_add` before. Raises
        `NeedsExclusiveLock` if an artist takes an id while others may refer to it.
        """
        by_id, by_name, connection = self._by_id, self._by_name, self._connection
        if self._missing and name_locks.is_concurrent(connection):
            addresses = [self._addresses[credit] for credit in self._missing]
            keys = {self._keys[credit] for credit in self._missing}
            added_by_id, added_by_name = _stored(connection, addresses, keys)
            by_id.update(added_by_id)
            by_name.update(added_by_name)
        missing = sum(self._addresses[credit] not in by_id for credit in self._missing)
        ids = iter(bulk.next_ids(connection, tables.artist, missing))
        new: list[StoredArtist] = []
        adopted: list[tuple[str, str, str, int]] = []
        for credit in self._missing:
            address, key = self._addresses[credit], self._keys[credit]
            if address in by_id:
                continue
            stored = by_name.get(key)
            if stored is None or NAME_ONLY not in (stored.source, address[0]):
                fold = names.hash_fold(key)
                made = StoredArtist(next(ids), *address, credit[1].name, key, fold)
                new.append(made)
                by_id[address] = made
                by_name.setdefault(key, made)
            elif address[0] == NAME_ONLY:
                by_id[address] = stored
            else:
                named = StoredArtist(stored.id, *address, credit[1].name, key, stored.fold)
                adopted.append((*address, named.name, named.id))
                by_id[address] = by_name[key] = named
        if adopted and name_locks.is_concurrent(connection):
            raise name_locks.NeedsExclusiveLock
        bulk.insert(connection, tables.artist, _COLUMNS, new)
        bulk.update(connection, tables.artist, ("source", "source_id", "name"), adopted)
        return {credit: by_id[address] for credit, address in self._addresses.items()}


def _stored(
    connection: Connection, addresses: Iterable[tuple[str, str]], keys: set[str]
) -> tuple[dict[tuple[str, str], StoredArtist], dict[str, StoredArtist]]:
    rows = bulk.rows_of(connection, "artist", "name_key", sorted(keys), _COLUMNS)
    named = [StoredArtist(*row) for row in rows]
    by_name: dict[str, StoredArtist] = {}
    for artist in sorted(named):  # by id: the oldest of a name
        by_name.setdefault(artist.name_key, artist)
    by_id = {(artist.source, artist.source_id): artist for artist in named}
    wanted = bulk.grouped(addresses)
    wanted.pop(NAME_ONLY, None)
    for source, ids in wanted.items():
        for row in bulk.rows_of(connection, "artist", "source_id", ids, _COLUMNS, source=source):
            by_id[row.source, row.source_id] = StoredArtist(*row)
    return by_id, by_name

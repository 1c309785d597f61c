"""A track while a batch is being recorded: what is stored of it, and what the batch adds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from sqlalchemy import Connection

from collector.catalogue.artists import StoredArtist
from collector.records import SourceTrack
from genrebase.store import bulk, names, split, tables

METADATA_COLUMNS: Final = (
    "album",
    "release_date",
    "release_year",
    "duration_ms",
    "explicit",
    "popularity",
    "isrc",
    "split",
)
"""What describes a track beside its name: filled once, by the first who knows it."""

_ISRC: Final = METADATA_COLUMNS.index("isrc")
_DURATION: Final = METADATA_COLUMNS.index("duration_ms")
_facts_of = attrgetter(*METADATA_COLUMNS)

_NEW_COLUMNS: Final = (
    "id",
    "identity",
    "name_key",
    "title",
    "artists",
    "origin",
    "track_fold",
    "side",
    "first_seen_at",
    "last_seen_at",
    "updated_at",
    "genre_id",
    "claim_tied",
    *METADATA_COLUMNS,
)
_SELECT: Final = (
    "SELECT t.genre_id, t.claim_tied, t.id, t.name_key, t.identity, t.title, "
    + ", ".join(f"t.{fact}" for fact in METADATA_COLUMNS)
    + " FROM {values} CROSS JOIN track t"
)
_CHANGED_COLUMNS: Final = ("artists", "side", "updated_at", *METADATA_COLUMNS)


@dataclass(slots=True)
class PendingTrack:
    """One track, stored or about to be."""

    id: int
    name_key: str
    identity: str
    title: str
    metadata: list[Any]
    """In the order of `METADATA_COLUMNS`."""
    new: bool
    changed: bool = False
    credits: list[StoredArtist] = field(default_factory=list)
    credits_added: int = 0
    """How many of `credits`, at their end, are not stored yet."""
    claim: tuple[int | None, bool] = (None, False)
    """The claiming genre, and whether its rank was tied."""
    seen_in_batch: bool = False
    """Whether the batch showed this very track."""

    @property
    def ordinal(self) -> int:
        """Which recording under its name it is."""
        return names.identity_ordinal(self.identity, self.name_key)

    @property
    def isrc(self) -> str | None:
        """The ISRC, where somebody knew it."""
        found: str | None = self.metadata[_ISRC]
        return found

    @property
    def duration_ms(self) -> int | None:
        """The duration, where somebody knew it."""
        found: int | None = self.metadata[_DURATION]
        return found

    def fill_missing(self, found: SourceTrack) -> None:
        """Take over what was not known yet."""
        self._fill(_facts_of(found))

    def merge_from(self, other: "PendingTrack") -> None:
        """Take over what was not known yet, and the other's credits, but one without a name."""
        self._fill(other.metadata)
        self.add_credits(artist for artist in other.credits if artist.name_key)
        self.seen_in_batch = True

    def _fill(self, values: Iterable[Any]) -> None:
        facts = self.metadata
        for index, value in enumerate(values):
            if value is not None and facts[index] is None:
                facts[index] = value
                self.changed = True

    def add_credits(self, credited: Iterable[StoredArtist]) -> None:
        """Add the artists that are not credited yet, at the end."""
        present = {artist.name_key for artist in self.credits}
        for artist in credited:
            if artist.name_key not in present:
                present.add(artist.name_key)
                self.credits.append(artist)
                self.credits_added += 1
                self.changed = True

    def artist_names(self) -> str:
        """Return the credited names, joined."""
        return "; ".join(artist.name for artist in self.credits)

    def side(self) -> str:
        """Return the side of every evaluation it stands on."""
        folds = (artist.fold for artist in self.credits)
        return split.assign_side(names.hash_fold(self.name_key), folds)


def load(connection: Connection, track_ids: Sequence[int]) -> list[PendingTrack]:
    """Return the stored tracks of these ids, with their credits."""
    query = f"{_SELECT} WHERE t.id = listed.value"
    return _load(connection, bulk.select_in(connection, query, track_ids, sql_type="bigint"))


def load_named(connection: Connection, keys: Sequence[str]) -> list[PendingTrack]:
    """Return the stored tracks that carry one of these names, with their credits."""
    query = f"{_SELECT} WHERE t.name_key = listed.value"
    return _load(connection, bulk.select_in(connection, query, keys))


def _load(connection: Connection, rows: Sequence[Any]) -> list[PendingTrack]:
    drafts = {
        track_id: PendingTrack(
            track_id, key, identity, title, list(facts), new=False, claim=(genre_id, bool(tied))
        )
        for genre_id, tied, track_id, key, identity, title, *facts in rows
    }
    credited = bulk.select_in(
        connection,
        "SELECT c.track_id, a.id, a.source, a.source_id, a.name, a.name_key, a.fold"
        " FROM {values} CROSS JOIN track_artist c CROSS JOIN artist a"
        " WHERE c.track_id = listed.value AND a.id = c.artist_id ORDER BY c.track_id, c.position",
        list(drafts),
        sql_type="bigint",
    )
    for track_id, *artist in credited:
        drafts[track_id].credits.append(StoredArtist(*artist))
    return list(drafts.values())


def store(
    connection: Connection, drafts: Iterable[PendingTrack], *, origin: str, now: datetime
) -> None:
    """Write what a batch made of the tracks it touched: new ones, new facts, credits.

    New tracks carry their claim; `claims` brings those of known ones up to date.
    """
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    known: list[PendingTrack] = []
    new: list[PendingTrack] = []
    for draft in drafts:
        if draft.seen_in_batch:
            (new if draft.new else known).append(draft)
    rows = [
        (
            draft.id,
            draft.identity,
            draft.name_key,
            draft.title,
            draft.artist_names(),
            origin,
            names.hash_fold(draft.name_key),
            draft.side(),
            moment,
            moment,
            moment,
            *draft.claim,
            *draft.metadata,
        )
        for draft in new
    ]
    bulk.insert(connection, tables.track, _NEW_COLUMNS, rows)
    changed = [
        (draft.artist_names(), draft.side(), moment, *draft.metadata, draft.id)
        for draft in known
        if draft.changed
    ]
    bulk.update(connection, tables.track, _CHANGED_COLUMNS, changed)
    _touch(connection, [draft.id for draft in known], moment)
    credited = [row for draft in (*new, *known) for row in _credit_rows(draft)]
    bulk.insert(connection, tables.track_artist, ("track_id", "artist_id", "position"), credited)


def _credit_rows(draft: PendingTrack) -> Iterator[tuple[int, int, int]]:
    stored = len(draft.credits) - draft.credits_added
    for position in range(stored, len(draft.credits)):
        yield draft.id, draft.credits[position].id, position


def _touch(connection: Connection, track_ids: list[int], moment: Any) -> None:
    """Say that these tracks were seen just now."""
    bulk.execute_in(
        connection,
        "UPDATE track SET last_seen_at = {mark} WHERE id IN (SELECT value FROM {values})",
        moment,
        values=track_ids,
    )

"""Records passed between sources, harvest and catalogue: immutable. Pure.

Those of which there are some per track are named tuples: they are made several times faster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import NamedTuple, NewType

from genrebase.store import names
from genrebase.store.source_ids import is_file_source

DurationMs = NewType("DurationMs", int)


class Level(IntEnum):
    """What a source says a genre about; the lower, the closer to the track."""

    RECORDING = 0
    RELEASE = 1
    """A release or a release group."""
    ARTIST = 2


class GenreVote(NamedTuple):
    """A genre that a source gives an item of its results."""

    name: str
    votes: int
    """At least 1: fewer votes are none."""
    level: Level


class ArtistCredit(NamedTuple):
    """One credited artist."""

    name: str
    source_id: str | None = None
    """The source's own id; None where there is only a name."""


class AudioFeatures(NamedTuple):
    """The 12 audio features of one provider, in the order of `tables.FEATURES`; None: missing."""

    danceability: float | None = None
    energy: float | None = None
    key: int | None = None
    """Pitch class, 0 = C … 11 = B."""
    loudness: float | None = None
    """dB, about -60..0."""
    mode: int | None = None
    """1 major, 0 minor."""
    speechiness: float | None = None
    acousticness: float | None = None
    instrumentalness: float | None = None
    liveness: float | None = None
    valence: float | None = None
    tempo: float | None = None
    """Beats per minute."""
    time_signature: int | None = None


class SourceTrack(NamedTuple):
    """A track as returned by a source, cleaned; missing optional fields are None."""

    source: str
    """Namespace of `source_id`: `spotify`, or `name` for a track without an id."""
    source_id: str
    title: str
    artists: tuple[ArtistCredit, ...]
    """At least one; the first is the primary artist."""
    album: str | None = None
    release_date: str | None = None
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    release_year: int | None = None
    duration_ms: DurationMs | None = None
    explicit: bool | None = None
    popularity: int | None = None
    """0..100."""
    isrc: str | None = None
    """The first in alphabetical order, where a source gives it several."""
    split: str | None = None
    """Its split in a published dataset."""
    features: AudioFeatures | None = None
    """Features included in the import, stored under `Provenance.provider`."""
    match_by_name: bool = True
    """False where title and artist do not identify the track (a file without an artist): it is
    matched by id or ISRC only."""
    recording: str | None = None
    """The title of the recording that it is a piece of; None for a whole one. The pieces of a
    recording share its match key, and so its fold and side, but are tracks of their own."""
    licence: str | None = None
    """The licence of this item, named as in `genrebase.licences`; None: its source's."""
    merged_ids: tuple[str, ...] = ()
    """Other ids of the same source for it, which were merged into `source_id`."""

    @property
    def address(self) -> tuple[str, str]:
        """Its source, and the source's id of it."""
        return self.source, self.source_id

    @property
    def ids(self) -> tuple[str, ...]:
        """The source's id of it, and those of recordings that were merged into it."""
        return self.source_id, *self.merged_ids

    @property
    def needs_name(self) -> bool:
        """Whether its id is believed only with an equal name and duration: a file gave it.

        An earlier row may fill or correct the stored duration.
        """
        return self.match_by_name and is_file_source(self.source)

    @property
    def name_key(self) -> str:
        """Its match key: the normalised title of the recording, and the primary artist."""
        return names.name_key(self.recording or self.title, self.artists[0].name)


@dataclass(frozen=True, slots=True)
class ListedItem:
    """An item of a catalogue of audio files, such as a release: it holds several tracks."""

    item_id: str
    """The source's own id."""
    title: str | None
    artist: str | None
    """None where it is unknown, or by various artists."""
    release_date: str | None
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    subjects: tuple[str, ...]
    """What it is about in the uploader's words, each once."""
    licence: str
    """Named as in `genrebase.licences`."""


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An audio file of an item."""

    name: str
    """Its path inside the item, with slashes."""
    size: int | None = None
    """Bytes, as its source says."""
    md5: str | None = None
    """In small hexadecimal digits, as its source says."""
    title: str | None = None
    artist: str | None = None
    isrc: str | None = None
    address: str | None = None
    """Where it is; None: below the address of its item."""


@dataclass(frozen=True, slots=True)
class ItemFiles:
    """An item, and the audio files to download: one per track."""

    item: ListedItem
    files: tuple[RemoteFile, ...]
    passed_over: Mapping[str, int] = field(default_factory=dict)
    """Why other audio files were not chosen, with their number; copies of chosen ones excepted."""


@dataclass(frozen=True, slots=True)
class PageQuery:
    """A request for one page of a genre's results."""

    genre: str
    query: str
    """The exact query, without years (`Source.query_for`)."""
    year_from: int
    year_to: int
    """Inclusive; (0, 9999) is every year."""
    offset: int
    limit: int
    """Maximum of items."""
    cursor: str | None = None
    """The cursor that the page before returned, for sources that have no offsets."""


@dataclass(frozen=True, slots=True)
class PageItem:
    """A usable track of a page."""

    track: SourceTrack
    position: int
    """Position in the page, from 0."""
    genres: tuple[GenreVote, ...] | None = None
    """All genres that the source gives it, with votes; None: the requested genre, at the rank
    offset + position."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results."""

    items: tuple[PageItem, ...]
    received: int
    """Positions in the page, rejected items included: the cursor moves by it."""
    reject_reasons: tuple[str, ...] = ()
    version: str | None = None
    """Of a playlist, from its first page; None for other pages and sources."""
    total: int | None = None
    """The number of positions that the source says it has; often wrong. None: not given."""
    limit: int | None = None
    """Items per page that the source really used; None: as many as were requested."""
    next_cursor: str | None = None
    """Where the next page begins, for sources that have no offsets; None: this is the last."""
    listed: tuple[ListedItem, ...] = ()
    """Items that hold tracks, where the source lists them instead of tracks."""

    @property
    def is_empty(self) -> bool:
        """Whether the page has no item at all."""
        return self.received == 0


class TrackObservation(NamedTuple):
    """An occurrence of a track in the results of a genre (or of none)."""

    track: SourceTrack
    genre: str | None
    rank: int
    """Position in the source's results for the genre, from 0; of a genre with votes, its place
    among the item's genres."""
    count_sighting: bool = True
    """False where this row was counted before: it does not add to `sighting.times`."""
    votes: int | None = None
    """Votes for the genre, at least 1; None: the source has none."""
    level: Level | None = None
    """What the genre was said about; None: the source does not say."""
    playlist: str | None = None
    """The playlist that the row is from; None: it is from none."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Origin and feature provider of a batch."""

    origin: str
    """`spotify`, `csv:<file>`, `audio`, …: the source of the batch's sightings."""
    provider: str | None
    """The provider under which included features are stored."""
    import_id: int | None = None
    """The import that delivers the batch, which is recorded with its tracks; None: no import."""
    defers_ties: bool = False
    """Whether claims of tied tracks are recomputed at the end of the import, not with each batch
    that changes the order of the genres: that takes time by the square of the rows."""
    licence: str | None = None
    """The licence of the origin's labels, as the source states it; None: the one known of the
    origin (`genrebase.licences`). A licence that is stored stays."""


@dataclass(frozen=True, slots=True)
class RecordResult:
    """Counts of a stored batch: every item is new or a duplicate."""

    tracks_new: int = 0
    """Items that created a track."""
    duplicates: int = 0
    """Items whose track existed already (or came earlier in the batch)."""
    claims_before: Mapping[int, int] = field(default_factory=dict, compare=False)
    """Per track whose claim moved to another genre, the id of the genre before."""
    conflicts: int = 0
    """Items whose own id belongs to a track of another name."""
    features_not_taken: int = 0
    """Tracks with other features than those that another source delivered."""
    items_listed: int = 0
    """New items of a source of audio files, which hold tracks."""

    def __add__(self, other: "RecordResult") -> "RecordResult":
        names = [field.name for field in fields(self) if field.name != "claims_before"]
        counts = {name: getattr(self, name) + getattr(other, name) for name in names}
        return RecordResult(**counts, claims_before={**other.claims_before, **self.claims_before})

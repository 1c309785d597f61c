"""What the collector passes around: frozen, typed, documented field by field."""

from dataclasses import dataclass, field
from typing import NewType

from collector.rate import Rate

DurationMs = NewType("DurationMs", int)
"""A duration in milliseconds."""


@dataclass(frozen=True, slots=True)
class ArtistCredit:
    """One credited artist."""

    name: str
    source_id: str | None = None
    """The source's own id; None where only the name is known."""


@dataclass(frozen=True, slots=True)
class AudioFeatures:
    """The 12 audio features as one provider gave them; None where it did not know."""

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


@dataclass(frozen=True, slots=True)
class SourceTrack:
    """One track as a source showed it, already cleaned; optional fields it lacks are None."""

    source: str
    """Whose id it is: `spotify`, or `name` where there is none."""
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
    split: str | None = None
    """The side a published dataset put it on."""
    features: AudioFeatures | None = None
    """Features that came with it, stored under the delivery's provider."""
    match_by_name: bool = True
    """False where the name says too little, as that of a file without an artist: only an id or an
    ISRC tells which track it is."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose requests are counted together."""

    source: str
    """Who counts: `spotify`, `reccobeats`, …"""
    credential: str
    """A fingerprint of credential and address, never the secret itself."""
    rate: Rate
    """The limit as we were told it."""


@dataclass(frozen=True, slots=True)
class PageQuery:
    """One page of a source's answer for a genre."""

    genre: str
    query: str
    """What is asked, byte for byte, without years (`Source.query_for`)."""
    year_from: int
    year_to: int
    """Inclusive; (0, 9999) asks for no year."""
    offset: int
    limit: int
    """Items wanted, at most."""


@dataclass(frozen=True, slots=True)
class PageItem:
    """A usable track of a page."""

    track: SourceTrack
    position: int
    """Its place in the page, 0 first; its rank is offset + position."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a source answered."""

    items: tuple[PageItem, ...]
    received: int
    """Places in the answer, unusable items included: the cursor moves by it."""
    reject_reasons: tuple[str, ...] = ()
    """Per item set aside, why."""
    version: str | None = None
    """Of a playlist, as its first page tells; None where there is no such thing."""

    @property
    def is_empty(self) -> bool:
        """Whether there was nothing at all."""
        return self.received == 0


@dataclass(frozen=True, slots=True)
class TrackObservation:
    """A track, seen under a genre (or under none) at a rank."""

    track: SourceTrack
    genre: str | None
    rank: int
    """Position in the source's answer for the genre, 0 first."""
    count_sighting: bool = True
    """False where this very row was counted before: it adds nothing to `sighting.times`."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who delivered a batch, and when."""

    origin: str
    """`spotify`, `csv:<file>`, `audio`, …"""
    provider: str | None
    """The provider under which features that came along are stored."""


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What a batch brought: every item is one or the other."""

    tracks_new: int = 0
    """Items that made a track that was not there."""
    duplicates: int = 0
    """Items whose track was there already (or came earlier in the batch)."""
    reassigned_ids: frozenset[int] = field(default=frozenset(), compare=False)
    """Tracks that counted for one genre, and count for another now."""

    def __add__(self, other: "RecordResult") -> "RecordResult":
        """Add two batches up."""
        return RecordResult(
            self.tracks_new + other.tracks_new,
            self.duplicates + other.duplicates,
            self.reassigned_ids | other.reassigned_ids,
        )

"""What the collector needs from outside: sources of tracks and providers of features.

A plug-in is a class registered under the entry points `collector.sources` or
`collector.features`; `from_settings` makes it. It performs exactly one HTTP request per `fetch`,
never waits, never retries, and raises what `collector.errors` knows: the budget does the rest.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol, Self

from collector.records import Account, AudioFeatures, Page, PageQuery
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock

if TYPE_CHECKING:
    from genrebase.audio.analysis import TrackAnalysis


class Source(Protocol):
    """Shows tracks under genres, a page at a time."""

    @property
    def name(self) -> str:
        """Under which its shards are kept."""
        ...

    @property
    def origin(self) -> str:
        """What `track.origin` says of the tracks it delivers."""
        ...

    @property
    def subject_kind(self) -> Literal["genre", "playlist"]:
        """What a query names: genres, or the playlists that people bound to genres."""
        ...

    @property
    def page_limits(self) -> Sequence[int]:
        """Items a page, the largest first: the next is tried where one is refused."""
        ...

    @property
    def max_results(self) -> int:
        """A query answers no row at or beyond this offset."""
        ...

    @property
    def account(self) -> Account:
        """Whose budget its requests are taken from."""
        ...

    @classmethod
    def from_settings(cls, settings: CollectorSettings, clock: Clock) -> Self:
        """Make it; raise `Refused` with a sentence where a setting is missing."""
        ...

    def query_for(self, subject: str, /) -> str:
        """Return what is asked for a genre, byte for byte, without years; or for a playlist."""
        ...

    def fetch(self, query: PageQuery) -> Page:
        """Fetch one page."""
        ...


class FeatureProvider(Protocol):
    """Knows the audio features of tracks by their Spotify ids."""

    @property
    def name(self) -> str:
        """Under which its features are kept."""
        ...

    @property
    def batch_size(self) -> int:
        """Ids a request, at most."""
        ...

    @property
    def endpoint(self) -> str:
        """What is remembered as closed when it raises `EndpointClosed`."""
        ...

    @property
    def account(self) -> Account:
        """Whose budget its requests are taken from."""
        ...

    @classmethod
    def from_settings(cls, settings: CollectorSettings, clock: Clock) -> Self:
        """Make it; raise `Refused` with a sentence where a setting is missing."""
        ...

    def fetch(self, ids: Sequence[str]) -> Mapping[str, AudioFeatures | None]:
        """Fetch the features of `ids`: every one is a key, None where they are not known."""
        ...


class AnalysisProvider(Protocol):
    """Has listened to tracks section by section; asked for one at a time, by its Spotify id."""

    @property
    def name(self) -> str:
        """Under which its analyses are kept."""
        ...

    @property
    def endpoint(self) -> str:
        """What is remembered as closed when it raises `EndpointClosed`."""
        ...

    @property
    def account(self) -> Account:
        """Whose budget its requests are taken from."""
        ...

    def fetch(self, track_id: str, /) -> "TrackAnalysis":
        """Fetch the analysis of one track; raise `NotFound` or `Unusable` where there is none."""
        ...

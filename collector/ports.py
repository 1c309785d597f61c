"""Plug-in interfaces: sources of tracks, providers of audio features and of audio analyses.

A plug-in is a class registered under the entry points `collector.sources` or
`collector.features` (pyproject.toml), which is made from the settings. It performs exactly one
HTTP request per `fetch`, never waits, never retries, and raises errors of `collector.errors`: the
budget does the rest.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from collector.acousticbrainz_submissions import Submission
from collector.rate_limits import Account
from collector.records import AudioFeatures, ItemFiles, Page, PageQuery, RemoteFile
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock

if TYPE_CHECKING:
    from genrebase.audio.analysis import TrackAnalysis


class PlugIn(Protocol):
    """What sources and providers have in common: they are made from the settings."""

    def __init__(self, settings: CollectorSettings, clock: Clock) -> None:
        """Make it; raise `UserError` with a sentence where a setting is missing."""

    @property
    def name(self) -> str:
        """The name its shards, features or analyses are stored under."""

    @property
    def account(self) -> Account:
        """Whose budget its requests use."""

    @property
    def licence(self) -> str:
        """The licence of the genres or features that it returns (`genrebase.licences`)."""


class Source(PlugIn, Protocol):
    """A source of tracks per genre, page by page."""

    @property
    def origin(self) -> str:
        """The `track.origin` of its tracks."""

    @property
    def subject_kind(self) -> Literal["genre", "playlist"]:
        """What a query is for: a genre, or a playlist that a user bound to a genre."""

    @property
    def base_url(self) -> str | None:
        """The host that stands in for the public service, such as a sandbox; None: none does."""

    @property
    def has_undated(self) -> bool:
        """Whether the years (0, 0) find the items without a date, which no range of years has."""

    @property
    def page_limits(self) -> Sequence[int]:
        """Items per page, the largest first: the next is tried where one is refused."""

    @property
    def max_results(self) -> int:
        """A query returns no row at or beyond this offset."""

    def query_for(self, subject: str, /) -> str:
        """Return the exact query for a genre, without years; or for a playlist."""

    def fetch(self, query: PageQuery) -> Page: ...


ProviderFeatures = AudioFeatures | tuple[Submission, ...]
"""What a provider has of an id: audio features, or AcousticBrainz' numbers of its submissions."""


class FeatureProvider(PlugIn, Protocol):
    """A provider of audio features by the ids of a source."""

    @property
    def ids_of(self) -> str:
        """The source whose ids it takes: `spotify`, `musicbrainz`."""

    @property
    def batch_size(self) -> int:
        """Maximum of ids per request."""

    @property
    def endpoint(self) -> str:
        """The endpoint recorded as closed when it raises `EndpointClosed`."""

    @property
    def may_have_ended(self) -> bool:
        """Whether an answer without data, or a day without one, closes the endpoint for a week."""

    def fetch(self, ids: Sequence[str]) -> Mapping[str, ProviderFeatures | None]: ...


class AudioSource(PlugIn, Protocol):
    """A source of audio files: items, and the files of each."""

    @property
    def base_url(self) -> str | None:
        """The host that stands in for the public service, such as a sandbox; None: none does."""

    @property
    def domain(self) -> str:
        """The host that its files are at, or below."""

    @property
    def user_agent(self) -> str:
        """The User-Agent of its requests."""

    @property
    def batch_size(self) -> int:
        """Maximum of items per request."""

    @property
    def items_are_tracks(self) -> bool:
        """Whether an item is a track that a harvest recorded, and has one file."""

    def fetch_files(self, item_ids: Sequence[str]) -> Mapping[str, ItemFiles | str]:
        """Return the items with their files, or why an item cannot be used; one request."""

    def address_of(self, item_id: str, file: RemoteFile) -> str:
        """Return the address of a file."""


class AnalysisProvider(PlugIn, Protocol):
    """A provider of section-wise audio analyses, one track per request, by Spotify id."""

    @property
    def endpoint(self) -> str:
        """The endpoint recorded as closed when it raises `EndpointClosed`."""

    def fetch(self, track_id: str, /) -> "TrackAnalysis": ...

"""The collector's settings."""

from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from collector.rate import Rate, parse_rate
from collector.setting_types import RateText, WebAddress
from collector.shard import RECRAWL_AFTER
from genrebase.runtime import plugins
from genrebase.runtime.addresses import ListenAddress
from genrebase.settings import EnvironmentSettings
from genrebase.store.settings import DEFAULT_FEATURE_ORDER

SPOTIFY_API: Final = "https://api.spotify.com/v1/"
SPOTIFY_TOKEN: Final = "https://accounts.spotify.com/api/token"  # noqa: S105 - an address
MUSICBRAINZ: Final = "https://musicbrainz.org"
ACOUSTICBRAINZ: Final = "https://acousticbrainz.org"
INTERNET_ARCHIVE: Final = "https://archive.org"
JAMENDO_API: Final = "https://api.jamendo.com/v3.0/"
DISCOGS_DATA: Final = "https://data.discogs.com"
RECCOBEATS_API: Final = "https://api.reccobeats.com/v1/"
TERMS_ACCEPTED: Final = "accepted"

SOURCES_GROUP: Final = "collector.sources"
"""The entry-point group of plug-ins that list tracks."""

PLAYLIST_SOURCE: Final = "spotify_playlists"
"""The source that reads the playlists bound to genres, with `spotify`'s budget."""

AUDIO_SOURCES_GROUP: Final = "collector.audio_sources"
"""The entry-point group of plug-ins whose audio files `collector listen` analyses."""

FEATURES_GROUP: Final = "collector.features"
"""The entry-point group of feature providers."""

IMPORT_PROVIDERS: Final = ("csv", "audio", "acousticbrainz", "essentia")
"""Feature providers whose features come with imports; an installed one is requested, too."""


class CollectorSettings(EnvironmentSettings):
    """Settings read from the environment and `.env`, with the prefix `COLLECTOR_`."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", populate_by_name=True)

    sources: str = Field(
        default="spotify",
        description="The sources of `collector harvest` and `collector run`, in this order, "
        "separated by commas: `spotify`, `musicbrainz`, `internetarchive`, `jamendo`.",
    )
    contact: str | None = Field(
        default=None,
        description="Your e-mail address or web page; it becomes part of the User-Agent. "
        "MusicBrainz and Internet Archive are not requested without it.",
    )
    sandbox_url: WebAddress | None = Field(
        default=None,
        description="Send the requests to all services to the sandbox at this address, such as "
        "`http://127.0.0.1:8765`.",
    )
    spotify_client_id: str | None = Field(
        default=None,
        validation_alias="SPOTIPY_CLIENT_ID",
        description="The client ID of your Spotify app.",
    )
    spotify_client_secret: SecretStr | None = Field(
        default=None,
        validation_alias="SPOTIPY_CLIENT_SECRET",
        description="The client secret of your Spotify app.",
    )
    spotify_url: WebAddress | None = Field(
        default=None,
        description="Send requests to this host instead of Spotify, such as the sandbox, "
        "`http://127.0.0.1:8765`.",
    )
    spotify_terms: str = Field(
        default="",
        description="`accepted` once you have read and accepted Spotify's Developer Terms.",
    )
    rate: RateText = Field(
        default="60/30s",
        description="Rate limit of requests to Spotify: 60/30s is 60 in any 30 seconds.",
    )
    reccobeats_url: WebAddress | None = Field(
        default=None,
        description="Base URL for ReccoBeats requests instead of the public one.",
    )
    reccobeats_rate: RateText = Field(
        default="60/30s",
        description="Rate limit of requests to ReccoBeats: 60/30s is 60 in any 30 seconds.",
    )
    musicbrainz_url: WebAddress | None = Field(
        default=None,
        description="Send requests to a mirror of MusicBrainz at this address instead of "
        "`https://musicbrainz.org`.",
    )
    musicbrainz_rate: RateText = Field(
        default="20/21s",
        description="Rate limit of requests to MusicBrainz, which allows one per second: 20 in "
        "any 21 seconds, evenly spaced.",
    )
    acousticbrainz_url: WebAddress | None = Field(
        default=None,
        description="Send requests to a replacement of AcousticBrainz at this address instead of "
        "`https://acousticbrainz.org`.",
    )
    acousticbrainz_rate: RateText = Field(
        default="10/10s",
        description="Rate limit of requests to AcousticBrainz: 10 in any 10 seconds.",
    )
    acousticbrainz_submissions: int = Field(
        default=1,
        ge=1,
        le=25,
        description="Number of submissions to request of each recording; one request returns 25 "
        "submissions in all.",
    )
    archive_url: WebAddress | None = Field(
        default=None,
        description="Send requests to a replacement of Internet Archive at this address instead "
        "of `https://archive.org`.",
    )
    archive_rate: RateText = Field(
        default="30/30s",
        description="Rate limit of requests to Internet Archive, downloads included.",
    )
    discogs_url: WebAddress | None = Field(
        default=None,
        description="Download Discogs' dumps from this host instead of the public one.",
    )
    discogs_rate: RateText = Field(
        default="12/360s", description="Rate limit of requests for Discogs' dumps."
    )
    jamendo_url: WebAddress | None = Field(
        default=None,
        description="Send requests to a replacement of Jamendo at this address instead of the "
        "public API.",
    )
    jamendo_client_id: SecretStr | None = Field(
        default=None,
        description="Your client ID at Jamendo, free of charge at https://devportal.jamendo.com.",
    )
    jamendo_rate: RateText = Field(
        default="30/30s",
        description="Rate limit of requests to Jamendo, downloads included.",
    )
    downloads: Path | None = Field(
        default=None,
        description="The folder where `collector listen` stores audio files until they are "
        "analysed; by default in the user's cache folder.",
    )
    downloads_mb: float = Field(
        default=1_000.0,
        gt=0,
        description="Maximum megabytes of audio files in `COLLECTOR_DOWNLOADS`, partial files "
        "included.",
    )
    file_mb: float = Field(
        default=100.0,
        gt=0,
        description="Maximum megabytes of one audio file; larger ones are not downloaded.",
    )
    daily_mb: float = Field(
        default=10_000.0,
        gt=0,
        description="Maximum megabytes of audio files downloaded in any 24 hours.",
    )
    licence: Literal["any", "noncommercial", "open"] = Field(
        default="any",
        description="Licences of the audio files to download: `open` (every use is allowed), "
        "`noncommercial` (also those that forbid commercial use) or `any` (also those that "
        "forbid derivatives, and unknown licences).",
    )
    feature_order: str = Field(
        default=",".join(DEFAULT_FEATURE_ORDER),
        description="Providers of audio features in the order of preference. Requests are made in "
        "this order, too.",
    )
    analyses: int = Field(
        default=0,
        ge=0,
        description="Maximum audio-analysis requests per poll of `collector run` while no "
        "features are pending; 0: none.",
    )
    interval: float = Field(
        default=60.0,
        gt=0,
        description="Seconds between two polls of `collector run` for missing tracks and "
        "features.",
    )
    look_back: float = Field(
        default=RECRAWL_AFTER.days,
        gt=0,
        description="Days until an exhausted shard is searched again (a quarter of that for "
        "the current year).",
    )
    http: str | None = Field(
        default=None,
        description="Where `collector run` serves `/healthz` and `/metrics`: `PORT` "
        "(loopback, such as 9464) or `HOST:PORT`; empty: not served.",
    )
    timeout: float = Field(
        default=10.0,
        gt=0,
        description="Seconds until the whole response to a request, headers and body, must be "
        "there.",
    )

    @field_validator("feature_order")
    @classmethod
    def _names_providers(cls, text: str) -> str:
        return _check_names(text, FEATURES_GROUP, also=IMPORT_PROVIDERS)

    @field_validator("sources")
    @classmethod
    def _names_sources(cls, text: str) -> str:
        if not _names(text):
            raise ValueError("it names no source: write spotify or musicbrainz")
        if PLAYLIST_SOURCE in _names(text):
            raise ValueError("playlists are read with spotify: write spotify")
        return _check_names(text, SOURCES_GROUP)

    @field_validator("contact")
    @classmethod
    def _is_contact(cls, text: str | None) -> str | None:
        if text is None or not text.strip():
            return None
        plain = text.strip()
        if not (plain.isascii() and plain.isprintable()) or not ("@" in plain or "." in plain):
            raise ValueError(f"{text!r} is no e-mail address and no web page")
        return plain

    @field_validator("http")
    @classmethod
    def _is_listen_address(cls, text: str | None) -> str | None:
        if text is not None:
            ListenAddress.parse(text)
        return text

    @property
    def uses_real_spotify(self) -> bool:
        """Whether requests go to Spotify itself."""
        return self.spotify_base_url is None

    @property
    def terms_accepted(self) -> bool:
        """Whether the user has accepted Spotify's terms."""
        return self.spotify_terms == TERMS_ACCEPTED

    @property
    def spotify_base_url(self) -> str | None:
        """The host that stands in for Spotify, None for Spotify itself."""
        return self.spotify_url or self.sandbox_url

    @property
    def spotify_api_url(self) -> str:
        """Address of the Web API, with a slash at the end."""
        base = self.spotify_base_url
        return SPOTIFY_API if base is None else f"{base}/v1/"

    @property
    def spotify_token_url(self) -> str:
        """Address of the token endpoint."""
        base = self.spotify_base_url
        return SPOTIFY_TOKEN if base is None else f"{base}/api/token"

    @property
    def reccobeats_api_url(self) -> str:
        """Address of ReccoBeats, with a slash at the end."""
        if self.reccobeats_url is not None:
            return f"{self.reccobeats_url}/"
        if self.spotify_base_url is not None:
            return f"{self.spotify_base_url}/reccobeats/v1/"
        return RECCOBEATS_API

    @property
    def musicbrainz_base_url(self) -> str | None:
        """The address that stands in for MusicBrainz, None for MusicBrainz itself."""
        if self.musicbrainz_url is not None:
            return self.musicbrainz_url
        return None if self.sandbox_url is None else f"{self.sandbox_url}/musicbrainz"

    @property
    def musicbrainz_api_url(self) -> str:
        """Address of MusicBrainz' web service, with a slash at the end."""
        return f"{self.musicbrainz_base_url or MUSICBRAINZ}/ws/2/"

    @property
    def musicbrainz_rate_limit(self) -> Rate:
        """Rate limit of requests to MusicBrainz."""
        return parse_rate(self.musicbrainz_rate)

    @property
    def archive_base_url(self) -> str | None:
        """The host that stands in for Internet Archive, None for the public service."""
        if self.archive_url is not None:
            return self.archive_url
        return None if self.sandbox_url is None else f"{self.sandbox_url}/archive"

    @property
    def archive_api_url(self) -> str:
        """Address of Internet Archive, with a slash at the end."""
        return f"{self.archive_base_url or INTERNET_ARCHIVE}/"

    @property
    def archive_rate_limit(self) -> Rate:
        """Rate limit of requests to Internet Archive."""
        return parse_rate(self.archive_rate)

    @property
    def discogs_data_url(self) -> str:
        """Address of the host of Discogs' dumps, without a slash at the end."""
        if self.discogs_url is not None:
            return self.discogs_url
        return DISCOGS_DATA if self.sandbox_url is None else f"{self.sandbox_url}/discogs"

    @property
    def jamendo_base_url(self) -> str | None:
        """The host that stands in for Jamendo, None for the public service."""
        if self.jamendo_url is not None:
            return self.jamendo_url
        return None if self.sandbox_url is None else f"{self.sandbox_url}/jamendo"

    @property
    def jamendo_api_url(self) -> str:
        """Address of Jamendo's API, with a slash at the end."""
        base = self.jamendo_base_url
        return JAMENDO_API if base is None else f"{base}/v3.0/"

    @property
    def jamendo_rate_limit(self) -> Rate:
        """Rate limit of requests to Jamendo."""
        return parse_rate(self.jamendo_rate)

    @property
    def acousticbrainz_api_url(self) -> str:
        """Address of AcousticBrainz' API, with a slash at the end."""
        sandbox = self.sandbox_url and f"{self.sandbox_url}/acousticbrainz"
        return f"{self.acousticbrainz_url or sandbox or ACOUSTICBRAINZ}/api/v1/"

    @property
    def acousticbrainz_rate_limit(self) -> Rate:
        """Rate limit of requests to AcousticBrainz."""
        return parse_rate(self.acousticbrainz_rate)

    @property
    def user_agent(self) -> str:
        """The User-Agent that open services ask for: program, version and contact."""
        return f"Genrebase/{version('genrebase')} ( {self.contact or 'no contact given'} )"

    @property
    def spotify_rate_limit(self) -> Rate:
        """Rate limit of requests to Spotify."""
        return parse_rate(self.rate)

    @property
    def reccobeats_rate_limit(self) -> Rate:
        """Rate limit of requests to ReccoBeats."""
        return parse_rate(self.reccobeats_rate)

    @property
    def recrawl_after(self) -> timedelta:
        """After how long a finished search is read again."""
        return timedelta(days=self.look_back)

    @property
    def http_address(self) -> ListenAddress | None:
        """Where the daemon listens."""
        return None if self.http is None else ListenAddress.parse(self.http)

    @property
    def provider_names(self) -> tuple[str, ...]:
        """The providers' names in order."""
        return _names(self.feature_order)

    @property
    def source_names(self) -> tuple[str, ...]:
        """The sources' names in order."""
        return _names(self.sources)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _check_names(text: str, group: str, *, also: tuple[str, ...] = ()) -> str:
    """Return `text`; raise `ValueError` for a plug-in that is unknown or named twice."""
    names = _names(text)
    for name in names:
        if message := plugins.unknown_message(group, name, also=also):
            raise ValueError(message.removesuffix("."))
        if names.count(name) > 1:
            raise ValueError(f"{name!r} is named twice")
    return text

"""Settings of the requested services: addresses, credentials, rate limits, contact, timeout."""

from importlib.metadata import version
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from collector.rate_limits import Rate, parse_rate
from genrebase.settings import MAX_SECONDS, EnvironmentSettings

SPOTIFY_API_URL: Final = "https://api.spotify.com"
SPOTIFY_TOKEN_URL: Final = "https://accounts.spotify.com/api/token"  # noqa: S105 - an address
MUSICBRAINZ_URL: Final = "https://musicbrainz.org"
ACOUSTICBRAINZ_URL: Final = "https://acousticbrainz.org"
INTERNET_ARCHIVE_URL: Final = "https://archive.org"
JAMENDO_API_URL: Final = "https://api.jamendo.com"
DISCOGS_DATA_URL: Final = "https://data.discogs.com"
RECCOBEATS_API_URL: Final = "https://api.reccobeats.com/v1"
TERMS_ACCEPTED: Final = "accepted"


def _rate(value: Any) -> Any:
    return parse_rate(value) if isinstance(value, str) else value


def _check_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is not an address: write http://127.0.0.1:8765")
    return text.rstrip("/")


def _check_contact(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    plain = text.strip()
    if not (plain.isascii() and plain.isprintable()) or not ("@" in plain or "." in plain):
        raise ValueError(f"{text!r} is no e-mail address and no web page")
    return plain


RateSetting = Annotated[Rate, NoDecode, BeforeValidator(_rate)]
"""A rate that is written as 60/30s."""

WebAddress = Annotated[str, AfterValidator(_check_address)]
"""An address of a web service, without a slash at its end."""


class ServiceSettings(EnvironmentSettings):
    """Addresses, credentials and rate limits; a part of the collector's settings."""

    contact: Annotated[str | None, AfterValidator(_check_contact)] = Field(
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
    spotify_account: str | None = Field(
        default=None,
        description="A name of your choice for your Spotify developer account. Spotify counts the "
        "requests of all apps of an account together: apps with the same name here share one "
        "request budget.",
    )
    rate: RateSetting = Field(
        default=Rate(60, 30),
        description="Rate limit of requests to Spotify: 60/30s is 60 in any 30 seconds.",
    )
    reccobeats_url: WebAddress | None = Field(
        default=None,
        description="Base URL for ReccoBeats requests instead of the public one.",
    )
    reccobeats_rate: RateSetting = Field(
        default=Rate(60, 30),
        description="Rate limit of requests to ReccoBeats: 60/30s is 60 in any 30 seconds.",
    )
    musicbrainz_url: WebAddress | None = Field(
        default=None,
        description="Send requests to a mirror of MusicBrainz at this address instead of "
        "`https://musicbrainz.org`.",
    )
    musicbrainz_rate: RateSetting = Field(
        default=Rate(20, 21),
        description="Rate limit of requests to MusicBrainz, which allows one per second: 20 in "
        "any 21 seconds, evenly spaced.",
    )
    acousticbrainz_url: WebAddress | None = Field(
        default=None,
        description="Send requests to a replacement of AcousticBrainz at this address instead of "
        "`https://acousticbrainz.org`.",
    )
    acousticbrainz_rate: RateSetting = Field(
        default=Rate(10, 10),
        description="Rate limit of requests to AcousticBrainz: 10 in any 10 seconds.",
    )
    acousticbrainz_submissions: int = Field(
        default=1,
        ge=1,
        le=25,
        description="Number of submissions to request for each recording. One request returns at "
        "most 25 submissions: with 1, those of 25 recordings.",
    )
    archive_url: WebAddress | None = Field(
        default=None,
        description="Send requests to a replacement of Internet Archive at this address instead "
        "of `https://archive.org`.",
    )
    archive_rate: RateSetting = Field(
        default=Rate(30, 30),
        description="Rate limit of requests to Internet Archive, downloads included.",
    )
    discogs_url: WebAddress | None = Field(
        default=None,
        description="Download Discogs' dumps from this host instead of the public one.",
    )
    discogs_rate: RateSetting = Field(
        default=Rate(12, 360), description="Rate limit of requests for Discogs' dumps."
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
    jamendo_rate: RateSetting = Field(
        default=Rate(30, 30),
        description="Rate limit of requests to Jamendo, downloads included.",
    )
    timeout: float = Field(
        default=10.0,
        gt=0,
        le=MAX_SECONDS,
        description="Maximum seconds from a request until its whole response (headers and body) "
        "has arrived.",
    )

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
        return f"{self.spotify_base_url or SPOTIFY_API_URL}/v1/"

    @property
    def spotify_token_url(self) -> str:
        """Address of the token endpoint."""
        base = self.spotify_base_url
        return SPOTIFY_TOKEN_URL if base is None else f"{base}/api/token"

    @property
    def reccobeats_api_url(self) -> str:
        """Address of ReccoBeats, with a slash at the end."""
        sandbox = self.spotify_base_url and f"{self.spotify_base_url}/reccobeats/v1"
        return f"{self.reccobeats_url or sandbox or RECCOBEATS_API_URL}/"

    @property
    def musicbrainz_base_url(self) -> str | None:
        """The address that stands in for MusicBrainz, None for MusicBrainz itself."""
        return self.musicbrainz_url or self._in_sandbox("musicbrainz")

    @property
    def musicbrainz_api_url(self) -> str:
        """Address of MusicBrainz' web service, with a slash at the end."""
        return f"{self.musicbrainz_base_url or MUSICBRAINZ_URL}/ws/2/"

    @property
    def archive_base_url(self) -> str | None:
        """The host that stands in for Internet Archive, None for the public service."""
        return self.archive_url or self._in_sandbox("archive")

    @property
    def archive_api_url(self) -> str:
        """Address of Internet Archive, with a slash at the end."""
        return f"{self.archive_base_url or INTERNET_ARCHIVE_URL}/"

    @property
    def discogs_data_url(self) -> str:
        """Address of the host of Discogs' dumps, without a slash at the end."""
        return self.discogs_url or self._in_sandbox("discogs") or DISCOGS_DATA_URL

    @property
    def jamendo_base_url(self) -> str | None:
        """The host that stands in for Jamendo, None for the public service."""
        return self.jamendo_url or self._in_sandbox("jamendo")

    @property
    def jamendo_api_url(self) -> str:
        """Address of Jamendo's API, with a slash at the end."""
        return f"{self.jamendo_base_url or JAMENDO_API_URL}/v3.0/"

    @property
    def acousticbrainz_api_url(self) -> str:
        """Address of AcousticBrainz' API, with a slash at the end."""
        base = self.acousticbrainz_url or self._in_sandbox("acousticbrainz")
        return f"{base or ACOUSTICBRAINZ_URL}/api/v1/"

    @property
    def user_agent(self) -> str:
        """The User-Agent that open services ask for: program, version and contact."""
        return f"Genrebase/{version('genrebase')} ( {self.contact or 'no contact given'} )"

    def _in_sandbox(self, service: str) -> str | None:
        """Return the address of a service of the configured sandbox."""
        return self.sandbox_url and f"{self.sandbox_url}/{service}"

"""What the collector is told from outside."""

from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from collector import planning
from collector import rate as rates
from collector.rate import Rate
from genrebase.runtime.addresses import ListenAddress
from genrebase.settings import EnvironmentSettings

SPOTIFY_API: Final = "https://api.spotify.com/v1/"
SPOTIFY_TOKEN: Final = "https://accounts.spotify.com/api/token"  # noqa: S105 - an address
RECCOBEATS_API: Final = "https://api.reccobeats.com/v1/"
TERMS_ACCEPTED: Final = "accepted"


class CollectorSettings(EnvironmentSettings):
    """The collector's settings, read from the environment and `.env`, prefix `COLLECTOR_`."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", populate_by_name=True)

    spotify_client_id: str | None = Field(
        default=None,
        validation_alias="SPOTIPY_CLIENT_ID",
        description="The client id of your Spotify app.",
    )
    spotify_client_secret: SecretStr | None = Field(
        default=None,
        validation_alias="SPOTIPY_CLIENT_SECRET",
        description="The client secret of your Spotify app.",
    )
    spotify_url: str | None = Field(
        default=None,
        description="Ask this host instead of Spotify: the sandbox, `http://127.0.0.1:8765`.",
    )
    spotify_terms: str = Field(
        default="",
        description="`accepted` once you have read and accepted Spotify's Developer Terms.",
    )
    rate: str = Field(
        default="60/30s",
        description="Requests we may send to Spotify in any window of so many seconds.",
    )
    reccobeats_url: str | None = Field(
        default=None,
        description="Ask this address for ReccoBeats' features instead of the public one.",
    )
    reccobeats_rate: str = Field(
        default="60/30s",
        description="Requests we may send to ReccoBeats in any window of so many seconds.",
    )
    feature_order: str = Field(
        default="spotify,csv,reccobeats,audio",
        description="Providers of audio features, the most trusted first; also asked in order.",
    )
    analyses: int = Field(
        default=0,
        ge=0,
        description="Requests for audio analyses, one track each, that `collector run` may make "
        "at each look while no features are waited for; 0: none.",
    )
    interval: float = Field(
        default=60.0,
        gt=0,
        description="Seconds between two looks of `collector run` at what is missing.",
    )
    look_back: float = Field(
        default=planning.RECRAWL_AFTER.days,
        gt=0,
        description="Days after which a search that was read to its end is read again; one with "
        "the current year in it after a quarter of them.",
    )
    http: str | None = Field(
        default=None,
        description="Where `collector run` answers `/healthz` and `/metrics`: `PORT` or "
        "`HOST:PORT`, without a host on loopback; empty: nowhere.",
    )
    timeout: float = Field(
        default=10.0,
        gt=0,
        description="Seconds after which an unanswered request is given up.",
    )

    @field_validator("rate", "reccobeats_rate")
    @classmethod
    def _is_rate(cls, text: str) -> str:
        rates.parse_rate(text)
        return text

    @field_validator("http")
    @classmethod
    def _is_listening_address(cls, text: str | None) -> str | None:
        if text is not None:
            ListenAddress.parse(text)
        return text

    @field_validator("spotify_url", "reccobeats_url")
    @classmethod
    def _is_address(cls, text: str | None) -> str | None:
        if text is None:
            return None
        parts = urlsplit(text)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{text!r} is not an address: write http://127.0.0.1:8765")
        return text.rstrip("/")

    @property
    def uses_real_spotify(self) -> bool:
        """Whether Spotify itself would be asked."""
        return self.spotify_url is None

    @property
    def terms_accepted(self) -> bool:
        """Whether the user has accepted Spotify's terms."""
        return self.spotify_terms == TERMS_ACCEPTED

    @property
    def spotify_api_url(self) -> str:
        """Where the Web API answers, with a slash at the end."""
        return SPOTIFY_API if self.spotify_url is None else f"{self.spotify_url}/v1/"

    @property
    def spotify_token_url(self) -> str:
        """Where tokens are given out."""
        return SPOTIFY_TOKEN if self.spotify_url is None else f"{self.spotify_url}/api/token"

    @property
    def reccobeats_api_url(self) -> str:
        """Where ReccoBeats answers, with a slash at the end."""
        if self.reccobeats_url is not None:
            return f"{self.reccobeats_url}/"
        if self.spotify_url is not None:
            return f"{self.spotify_url}/reccobeats/v1/"
        return RECCOBEATS_API

    @property
    def spotify_rate_limit(self) -> Rate:
        """The limit of requests to Spotify."""
        return rates.parse_rate(self.rate)

    @property
    def reccobeats_rate_limit(self) -> Rate:
        """The limit of requests to ReccoBeats."""
        return rates.parse_rate(self.reccobeats_rate)

    @property
    def recrawl_after(self) -> timedelta:
        """After how long a search that was read to its end is read again."""
        return timedelta(days=self.look_back)

    @property
    def http_address(self) -> ListenAddress | None:
        """Where the daemon listens."""
        return None if self.http is None else ListenAddress.parse(self.http)

    @property
    def provider_names(self) -> tuple[str, ...]:
        """The providers' names in order."""
        return tuple(name.strip() for name in self.feature_order.split(",") if name.strip())

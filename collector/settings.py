"""The collector's settings; those of the requested services are in `service_settings`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import SettingsConfigDict

from collector.service_settings import ServiceSettings
from collector.shard import RECRAWL_AFTER
from genrebase.runtime import plugins
from genrebase.runtime.addresses import ListenSetting
from genrebase.settings import MAX_COUNT, MAX_SECONDS
from genrebase.store.settings import DEFAULT_FEATURE_ORDER

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


def _check_providers(text: str) -> str:
    return _check_names(text, FEATURES_GROUP, also=IMPORT_PROVIDERS)


def _check_sources(text: str) -> str:
    if not _names(text):
        raise ValueError("it names no source: write spotify or musicbrainz")
    if PLAYLIST_SOURCE in _names(text):
        raise ValueError("playlists are read with spotify: write spotify")
    return _check_names(text, SOURCES_GROUP)


class CollectorSettings(ServiceSettings):
    """Settings read from the environment and `.env`, with the prefix `COLLECTOR_`."""

    model_config = SettingsConfigDict(env_prefix="COLLECTOR_", populate_by_name=True)

    sources: Annotated[str, AfterValidator(_check_sources)] = Field(
        default="spotify",
        description="The sources of `collector harvest` and `collector run`, in this order, "
        "separated by commas: `spotify`, `musicbrainz`, `internetarchive`, `jamendo`.",
    )
    downloads: Path | None = Field(
        default=None,
        description="The folder where `collector listen` stores audio files until they are "
        "analysed; by default in the user's cache folder.",
    )
    downloads_mb: float = Field(
        default=1_000.0,
        gt=0,
        le=MAX_COUNT,
        description="Maximum megabytes of audio files in `COLLECTOR_DOWNLOADS`, partial files "
        "included.",
    )
    file_mb: float = Field(
        default=100.0,
        gt=0,
        le=MAX_COUNT,
        description="Maximum megabytes of one audio file; larger ones are not downloaded.",
    )
    daily_mb: float = Field(
        default=10_000.0,
        gt=0,
        le=MAX_COUNT,
        description="Maximum megabytes of audio files downloaded in any 24 hours.",
    )
    licence: Literal["any", "noncommercial", "open"] = Field(
        default="any",
        description="Licences of the audio files to download: `open` (every use is allowed), "
        "`noncommercial` (also those that forbid commercial use) or `any` (also those that "
        "forbid derivatives, and unknown licences).",
    )
    feature_order: Annotated[str, AfterValidator(_check_providers)] = Field(
        default=",".join(DEFAULT_FEATURE_ORDER),
        description="Providers of audio features in the order of preference. Requests are made in "
        "this order, too.",
    )
    analyses: int = Field(
        default=0,
        ge=0,
        le=MAX_COUNT,
        description="Maximum audio-analysis requests per poll of `collector run` while no "
        "features are pending; 0: none.",
    )
    interval: float = Field(
        default=60.0,
        gt=0,
        le=MAX_SECONDS,
        description="Seconds between two polls of `collector run` for missing tracks and "
        "features.",
    )
    look_back: float = Field(
        default=RECRAWL_AFTER.days,
        gt=0,
        le=36_500,  # a century: a date so long ago still exists
        description="Days until an exhausted shard is searched again (a quarter of that for "
        "the current year).",
    )
    http: ListenSetting = Field(
        default=None,
        description="Where `collector run` serves `/healthz` and `/metrics`: `PORT` "
        "(loopback, such as 9464) or `HOST:PORT`; empty: not served.",
    )

    @property
    def recrawl_after(self) -> timedelta:
        """After how long a finished search is read again."""
        return timedelta(days=self.look_back)

    @property
    def provider_names(self) -> tuple[str, ...]:
        return _names(self.feature_order)

    @property
    def source_names(self) -> tuple[str, ...]:
        return _names(self.sources)

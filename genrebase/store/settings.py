"""The store's settings: the database and the order of feature providers."""

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from genrebase.settings import EnvironmentSettings

DEFAULT_FEATURE_ORDER: Final = ("spotify", "csv", "reccobeats", "audio", "acousticbrainz")


class StoreSettings(EnvironmentSettings):
    """Settings read from the environment and `.env`, with the prefix `STORE_`."""

    model_config = SettingsConfigDict(
        env_prefix="STORE_",
        env_ignore_empty=False,
        validate_by_name=True,
        validate_by_alias=True,
    )

    url: str = Field(
        default="sqlite:///genrebase.db",
        description="The database: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    busy_timeout: float = Field(
        default=30.0,
        gt=0,
        le=86_400,  # a day: SQLite counts milliseconds in 32 bits
        description="Seconds to wait for a SQLite database that another process is writing to.",
    )
    matrix_folder: Path | None = Field(
        default=None,
        description="A folder for the bytes of spectrograms and other matrices (57 kB a track), "
        "in files named by their SHA-256; a relative path begins at the folder of the SQLite "
        "file. Empty: in the database. `genrebase matrices` moves those that are stored already.",
    )
    feature_order: Annotated[tuple[str, ...], NoDecode] = Field(
        default=DEFAULT_FEATURE_ORDER,
        validation_alias="COLLECTOR_FEATURE_ORDER",
        description="Feature providers in order of preference: for a track with features from "
        "several, the views show those of the first. Others come last, by name. Read when the "
        "schema is upgraded.",
    )

    @field_validator("matrix_folder", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("feature_order", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(name.strip() for name in value.split(",") if name.strip())
        return value

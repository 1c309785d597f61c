"""Settings from the environment and `.env`: the base class of all packages, the launcher's own.

The URL of the database is in `genrebase.store.settings`.
"""

import os
from pathlib import Path
from typing import Final, Literal, Self

from dotenv import dotenv_values
from pydantic import Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from genrebase.errors import UserError, as_clause

MAX_SECONDS: Final = 31_536_000.0
"""A year: the longest time that a setting can be; a system's clock cannot wait much longer."""
MAX_COUNT: Final = 1_000_000_000
"""The largest number of things that a setting can be; a database stores no much larger ones."""


class InvalidSettings(UserError):
    """A setting cannot be used."""


class EnvironmentSettings(BaseSettings):
    """Frozen settings read from environment variables with a prefix, and from `.env`."""

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True, allow_inf_nan=False
    )

    @classmethod
    def load(cls) -> Self:
        """Read the settings; raise `InvalidSettings` with a sentence that names the variables."""
        try:
            return cls()
        except ValidationError as error:
            problems = [
                f"{cls._variable(*one['loc'][:1])}: "
                f"{as_clause(one['msg'].removeprefix('Value error, '))}."
                for one in error.errors(include_url=False, include_input=False)
            ]
            raise InvalidSettings(" ".join(problems)) from None

    @classmethod
    def _variable(cls, name: int | str = "settings") -> str:
        """Return the environment variable of the field or alias `name`."""
        field = cls.model_fields.get(str(name))
        if field is None:
            return str(name).upper()
        prefix = cls.model_config.get("env_prefix", "")
        return str(field.validation_alias or f"{prefix}{name}").upper()

    @classmethod
    def variables(cls) -> dict[str, FieldInfo]:
        """Return the field of each environment variable that is read."""
        return {cls._variable(name): field for name, field in cls.model_fields.items()}


class GenrebaseSettings(EnvironmentSettings):
    """The settings of the launcher, `genrebase`."""

    model_config = SettingsConfigDict(env_prefix="GENREBASE_")

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO",
        description="Minimum level of log lines. For `classifier run`, set "
        "`CLASSIFIER_LOG_LEVEL`.",
    )
    catalogue: str | None = Field(
        default=None,
        validation_alias="CATALOGUE",
        description="File with one table (CSV, Parquet, JSON) that the sandbox of `genrebase run` "
        "and `demo` serves instead of its synthetic catalogue.",
    )
    demo_estimator: str = Field(
        default="logistic",
        min_length=1,
        description="The estimator that `genrebase demo` trains. The default is quick; the demo "
        "ignores `CLASSIFIER_ESTIMATOR`.",
    )
    client_id: str | None = Field(
        default=None,
        validation_alias="SPOTIPY_CLIENT_ID",
        description="Client id of your Spotify app; spotipy's own variable.",
    )
    client_secret: str | None = Field(
        default=None,
        repr=False,
        validation_alias="SPOTIPY_CLIENT_SECRET",
        description="Client secret of your Spotify app; spotipy's own variable.",
    )

    sources: str = Field(
        default="",
        validation_alias="COLLECTOR_SOURCES",
        description="The sources of `collector harvest`; without `spotify`, `genrebase run` needs "
        "no credentials.",
    )
    digests_every: float = Field(
        default=600.0,
        ge=0,
        le=MAX_SECONDS,
        description="Seconds between two checks of a daemon whether data have changed; if so, it "
        "refreshes the digests. A command that changes data refreshes them, too, unless "
        "the last refresh is too recent: the minimum pause is this many seconds, or twenty times "
        "the duration of the last refresh, whichever is shorter. 0: only "
        "`genrebase digests` refreshes them.",
    )
    copy_from: str | None = Field(
        default=None,
        repr=False,
        description="The database that `genrebase copy` reads by default.",
    )
    copy_to: str | None = Field(
        default=None,
        repr=False,
        description="The database that `genrebase copy` writes by default.",
    )
    audio_models: Path | None = Field(
        default=None,
        description="A folder of pre-trained networks for audio files: `NAME.toml` and its ONNX "
        "file ([sound.md](sound.md#pre-trained-networks)).",
    )
    descriptors: str = Field(
        default="",
        description="Names of the pre-trained networks that analyse audio files by default: "
        "`NAME,NAME`.",
    )
    cluster: str | None = Field(
        default=None,
        description="Default of `--on`: the Dask cluster that runs predictions, trainings and "
        "analyses of audio files, `tcp://HOST:8786` or `local:N` (N processes of this computer).",
    )
    cluster_tls_ca: str | None = Field(
        default=None,
        description="PEM file of the authority that signed the certificates of the cluster. "
        "Without this and the next two settings, Dask's own configuration is used.",
    )
    cluster_tls_cert: str | None = Field(
        default=None,
        description="PEM file of the certificate with which commands connect to the cluster.",
    )
    cluster_tls_key: str | None = Field(
        default=None, description="PEM file of the private key of that certificate."
    )

    def log_level_or(self, default: str) -> str:
        """Return the log level that the user set, else `default`."""
        return self.log_level if "log_level" in self.model_fields_set else default

    @property
    def has_spotify_credentials(self) -> bool:
        """Whether requests to Spotify itself are possible."""
        return bool(self.client_id and self.client_secret)

    @property
    def open_sources(self) -> tuple[str, ...]:
        """The sources to harvest if Spotify is none of them, else nothing."""
        names = tuple(name.strip() for name in self.sources.split(",") if name.strip())
        return () if "spotify" in names else names


def given_names() -> set[str]:
    """Return the names of all variables of the environment and of `.env`, in capitals."""
    file = EnvironmentSettings.model_config.get("env_file")
    in_file = dotenv_values(file) if isinstance(file, str) else {}
    return {name.upper() for name in (*os.environ, *in_file)}  # noqa: TID251 - names only


def child_environment(**more: str) -> dict[str, str]:
    """Return this process's environment plus `more`, for a child process."""
    return {**os.environ, **more}  # noqa: TID251 - passed on, not read

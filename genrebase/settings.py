"""The settings of the umbrella command, and whether Spotify's credentials are there."""

import os
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from genrebase.errors import UserError


class LauncherSettingsError(UserError):
    """A setting that cannot be used."""


class GenrebaseSettings(BaseSettings):
    """What `genrebase` itself reads from the environment and `.env`."""

    model_config = SettingsConfigDict(
        env_prefix="GENREBASE_",
        env_file=".env",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least level of a log line that is written."
    )
    catalogue: str | None = Field(
        default=None,
        validation_alias="CATALOGUE",
        description="A CSV file that `genrebase run` and `demo` let the sandbox serve instead of "
        "its invented catalogue.",
    )
    client_id: str | None = Field(
        default=None,
        validation_alias="SPOTIPY_CLIENT_ID",
        description="The client id of your Spotify application; spotipy's own variable.",
    )
    client_secret: str | None = Field(
        default=None,
        repr=False,
        validation_alias="SPOTIPY_CLIENT_SECRET",
        description="Its client secret; spotipy's own variable.",
    )

    @property
    def has_spotify_credentials(self) -> bool:
        """Whether Spotify itself can be asked."""
        return bool(self.client_id and self.client_secret)


def load() -> GenrebaseSettings:
    """Read the settings; raise `LauncherSettingsError` with a sentence for one that cannot be used."""
    try:
        return GenrebaseSettings()
    except ValidationError as error:
        problems = [
            f"GENREBASE_{str(one['loc'][0]).upper()}: {one['msg']}."
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise LauncherSettingsError(" ".join(problems)) from None


def child_environment(**more: str) -> dict[str, str]:
    """Return our own environment with `more` in it, for a process that we start."""
    return {**os.environ, **more}  # noqa: TID251 - handed on as it is, nothing is read from it

"""Where the database is."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StoreSettings(BaseSettings):
    """The store's settings, read from the environment and `.env` with the prefix `STORE_`."""

    model_config = SettingsConfigDict(
        env_prefix="STORE_", env_file=".env", extra="ignore", frozen=True
    )

    url: str = Field(
        default="sqlite:///genrebase.db",
        description="The database: `sqlite:///FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.",
    )
    busy_timeout: float = Field(
        default=30.0,
        gt=0,
        description="Seconds to wait for a SQLite database that another process is writing to.",
    )

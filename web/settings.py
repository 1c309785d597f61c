"""The settings of `genrebase serve`."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from genrebase.runtime.addresses import LOOPBACK
from genrebase.settings import EnvironmentSettings


class ServeSettings(EnvironmentSettings):
    """Settings read from the environment and `.env`, with the prefix `SERVE_`."""

    model_config = SettingsConfigDict(env_prefix="SERVE_")

    host: str = Field(
        default=LOOPBACK,
        description="The address that `genrebase serve` listens on. Other addresses than the "
        "loopback require `SERVE_TOKEN`.",
    )
    port: int = Field(
        default=8400,
        ge=0,
        le=65_535,
        description="The port of `genrebase serve`; 0: any free one.",
    )
    token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="The token that every client must send (`Authorization: Bearer …`), or enter "
        "on the page `/login`. At least 16 characters.",
    )
    names: str = Field(
        default="",
        description="Host names, separated by commas, under which clients reach the pages, as in "
        "`https://NAME/`. Requests for other hosts are refused.",
    )

    sql: bool | None = Field(
        default=None,
        description="Whether the page SQL runs queries: read-only, one second, 1,000 rows. By "
        "default on the loopback only.",
    )
    sql_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL: the URL of the role `reader`, which runs the queries of the page "
        "SQL (`deploy/reader.sql` creates it). SQLite does not need it.",
    )

    @property
    def host_names(self) -> frozenset[str]:
        """The names of `names`, in lower case."""
        return frozenset(name.strip().lower() for name in self.names.split(",") if name.strip())

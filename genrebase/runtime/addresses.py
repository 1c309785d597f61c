"""Where a daemon listens."""

import re
from dataclasses import dataclass
from typing import Final, Self

LOOPBACK: Final = "127.0.0.1"
_EVERYWHERE: Final = {"0.0.0.0", "::"}  # noqa: S104 - told apart, not listened on
_ADDRESS: Final = re.compile(
    r"(?:(?P<host>\[[0-9a-f:]+\]|[^\s:/\[\]]+)?:)?(?P<port>[0-9]{1,5})", re.IGNORECASE
)
_HIGHEST_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where a daemon listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `PORT` or `HOST:PORT`, without a host on loopback; raise ValueError otherwise."""
        match = _ADDRESS.fullmatch(text.strip())
        if match is None or int(match["port"]) > _HIGHEST_PORT:
            raise ValueError(f"{text!r} is no address: write HOST:PORT, like 127.0.0.1:9464")
        return cls((match["host"] or LOOPBACK).strip("[]"), int(match["port"]))

    @property
    def url(self) -> str:
        """Return under which address this computer reaches it."""
        host = LOOPBACK if self.host in _EVERYWHERE else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

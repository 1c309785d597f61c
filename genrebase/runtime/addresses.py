"""Host and port that a daemon listens on."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

LOOPBACK: Final = "127.0.0.1"
_ALL_INTERFACES: Final = {"0.0.0.0", "::"}  # noqa: S104 - compared with, not listened on
_ADDRESS: Final = re.compile(
    r"(?:(?P<host>\[[0-9a-f:]+\]|[^\s:/\[\]]+)?:)?(?P<port>[0-9]{1,5})", re.IGNORECASE
)
_MAX_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Host and port that a daemon listens on."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `PORT` (on loopback) or `HOST:PORT`; raise ValueError for anything else."""
        match = _ADDRESS.fullmatch(text.strip())
        if match is None or int(match["port"]) > _MAX_PORT:
            raise ValueError(f"{text!r} is not an address: write HOST:PORT, like 127.0.0.1:9464")
        return cls((match["host"] or LOOPBACK).strip("[]"), int(match["port"]))

    @property
    def url(self) -> str:
        """Return the URL under which this computer reaches the daemon."""
        host = LOOPBACK if self.host in _ALL_INTERFACES else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def _parse(value: Any) -> Any:
    return ListenAddress.parse(value) if isinstance(value, str) else value


ListenSetting = Annotated[ListenAddress | None, NoDecode, BeforeValidator(_parse)]
"""The type of a setting that is an address; None: unset."""

"""A Spotify-shaped test server on loopback: today's Web API over a file or synthetic tracks."""

from typing import Any, Final

HOST: Final = "127.0.0.1"

Json = dict[str, Any]

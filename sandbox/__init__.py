"""A test server on loopback that stands in for all services, over a file or synthetic tracks."""

from typing import Any, Final

HOST: Final = "127.0.0.1"

Json = dict[str, Any]

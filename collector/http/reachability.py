"""Test within a deadline whether hosts can be connected to."""

import socket
from collections.abc import Iterable
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

import requests

from collector.http import connection_errors
from genrebase.runtime.clock import Clock

_PORTS: Final = {"http": 80, "https": 443}


def unreachable_reason(addresses: Iterable[str], clock: Clock, seconds: float) -> str | None:
    """Return a sentence on a host of these URLs that cannot be reached; None if all can be.

    Nothing is sent. It takes at most `seconds`, also where the resolver does not respond: the
    hosts are tried in threads of their own. Behind a proxy, the proxy is connected to.
    """
    urls = list(dict.fromkeys(_connected_url(address) for address in addresses))
    reasons: dict[str, str | None] = {}
    threads = [Thread(target=_connect, args=(url, seconds, reasons), daemon=True) for url in urls]
    deadline = clock.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - clock.monotonic()))
    for url in urls:
        reason = reasons.get(url, connection_errors.describe_timeout(url, seconds))
        if reason is not None:
            return reason
    return None


def _connected_url(address: str) -> str:
    """Return scheme, host and port that a connection to `address` goes to."""
    proxies = requests.utils.get_environ_proxies(address)
    return connection_errors.origin(requests.utils.select_proxy(address, proxies) or address)


def _connect(url: str, seconds: float, reasons: dict[str, str | None]) -> None:
    parts = urlsplit(url)
    end = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    try:
        with socket.create_connection(end, timeout=seconds):
            reasons[url] = None
    except TimeoutError:
        reasons[url] = connection_errors.describe_timeout(url, seconds)
    except OSError as error:
        reasons[url] = connection_errors.describe(url, error)

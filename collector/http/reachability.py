"""Test within a deadline whether hosts can be connected to."""

import socket
from collections.abc import Iterable
from threading import Thread
from typing import Final
from urllib.parse import urlsplit

import requests

from genrebase.runtime.clock import Clock

_PORTS: Final = {"http": 80, "https": 443}


def unreachable_reason(addresses: Iterable[str], clock: Clock, seconds: float) -> str | None:
    """Return the reason why a host of these URLs cannot be reached; None if all can be.

    Nothing is sent. It takes at most `seconds`, also where the resolver does not respond: the
    hosts are tried in threads of their own. Behind a proxy, the proxy is connected to.
    """
    ends = dict.fromkeys(_host_and_port(address) for address in addresses)
    reasons: dict[tuple[str, int], str | None] = {}
    threads = [Thread(target=_connect, args=(end, seconds, reasons), daemon=True) for end in ends]
    deadline = clock.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - clock.monotonic()))
    for end in ends:
        reason = reasons.get(end, f"no response within {seconds:g} s")
        if reason is not None:
            return f"{end[0]} cannot be reached: {reason}"
    return None


def _host_and_port(address: str) -> tuple[str, int]:
    proxies = requests.utils.get_environ_proxies(address)
    parts = urlsplit(requests.utils.select_proxy(address, proxies) or address)
    return parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)


def _connect(
    end: tuple[str, int], seconds: float, reasons: dict[tuple[str, int], str | None]
) -> None:
    try:
        with socket.create_connection(end, timeout=seconds):
            reasons[end] = None
    except socket.gaierror:
        reasons[end] = "its name cannot be resolved"
    except TimeoutError:
        reasons[end] = f"no response within {seconds:g} s"
    except OSError as error:
        reasons[end] = error.strerror or str(error)

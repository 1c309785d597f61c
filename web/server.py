"""Run the web server: one process, until a signal."""

import ipaddress
import webbrowser
from typing import Final

from genrebase import store
from genrebase.errors import UserError
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.http_server import ConnectionLimits, listen, serve_application
from genrebase.runtime.shutdown import stop_on_signals
from web.application import Site, application
from web.read_only import make_read_only
from web.security import Access, loopback_hosts
from web.settings import ServeSettings

LIMITS: Final = ConnectionLimits(connections=128, seconds=60.0)


class TokenMissing(UserError):
    """The pages would be readable by everybody who reaches the address."""


def run(
    settings: ServeSettings, output: Output, *, host: str, port: int, open_browser: bool
) -> None:
    """Serve the pages at an address until a signal; raise `TokenMissing` or `UserError`."""
    token = settings.token.get_secret_value() if settings.token else None
    is_local = _is_loopback(host)
    if not is_local and token is None:
        raise TokenMissing(
            f"Everybody who reaches {host} could read the pages: set SERVE_TOKEN (at least 16 "
            "characters), or serve on 127.0.0.1."
        )
    engine, writer = store.connect(), store.connect()
    make_read_only(engine)
    address = ListenAddress(host, port)
    listener = listen(address)
    port = listener.getsockname()[1]
    address = ListenAddress(host, port)
    hosts = set(loopback_hosts(port)) | settings.host_names
    if not is_local:
        hosts.add(f"[{host}]:{port}".lower() if ":" in host else f"{host}:{port}".lower())
    access = Access(frozenset(hosts), token)
    name = engine.url.database or engine.url.render_as_string()
    site = Site(engine, SystemClock(), access, name.rpartition("/")[2], writer)
    with (
        stop_on_signals() as stop,
        serve_application(listener, application(site), LIMITS, "serve"),
    ):
        output.print(f"Serving {site.database} at {address.url}/ (Ctrl-C stops it).")
        output.write_json({"url": f"{address.url}/"})
        if open_browser:
            webbrowser.open(f"{address.url}/")
        stop.wait()
    engine.dispose()
    writer.dispose()
    output.print("Stopped.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

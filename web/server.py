"""Run the web server: one process, until a signal."""

import ipaddress
import shlex
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from genrebase import store
from genrebase.errors import UserError
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.http_server import ConnectionLimits, listen, serve_application
from genrebase.runtime.shutdown import stop_on_signals
from web.application import Site, application
from web.read_only import make_read_only
from web.security import Access, host_headers
from web.settings import ServeSettings
from web.sql_queries import SqlQueries

LIMITS: Final = ConnectionLimits(connections=128, seconds=600.0, reuse_seconds=30.0)
"""A CSV file of 100,000 rows takes minutes on a busy computer; bodies have limits of their own."""


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
    with engines() as (engine, writer), stop_on_signals() as stop, ExitStack() as stack:
        listener = listen(ListenAddress(host, port))
        address = ListenAddress(host, listener.getsockname()[1])
        access = Access(host_headers(address.port, host) | settings.host_names, token)
        name = engine.url.database or engine.url.render_as_string()
        database = name.rpartition("/")[2]
        runs_sql = is_local if settings.sql is None else settings.sql
        reader_url = settings.sql_url.get_secret_value() if settings.sql_url else None
        queries = SqlQueries(engine, reader_url) if runs_sql else None
        prefix = command_prefix(engine) if is_local and token is None else ""
        site = Site(
            engine, SystemClock(), access, database, writer, sql=queries, command_prefix=prefix
        )
        stack.callback(site.predictor.close)
        stack.enter_context(serve_application(listener, application(site), LIMITS, "serve"))
        output.print(f"Serving {site.database} at {address.url}/ (Ctrl-C stops it).")
        output.write_json({"url": f"{address.url}/"})
        if open_browser:
            webbrowser.open(f"{address.url}/")
        stop.wait()
    output.print("Stopped.")


@contextmanager
def engines() -> Iterator[tuple[Engine, Engine]]:
    """Yield an engine that can only read, and one that writes; close their connections at last."""
    with store.disposing(store.connect()) as reader, store.disposing(store.connect()) as writer:
        make_read_only(reader)
        yield reader, writer


def command_prefix(engine: Engine) -> str:
    """Return what runs a command of this installation on a database, from any folder.

    A URL with a password is left out. Only people at this computer see it, because it names
    folders.
    """
    url, python = engine.url.render_as_string(), f"{shlex.quote(sys.executable)} -m "
    if engine.dialect.name == "sqlite" and engine.url.database:
        url = f"sqlite:///{Path(engine.url.database).resolve()}"
    return python if engine.url.password else f"STORE_URL={shlex.quote(url)} {python}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

"""The command `collector health`."""

from dataclasses import asdict
from typing import Annotated

import typer

from collector.settings import CollectorSettings
from genrebase.errors import GenrebaseError
from genrebase.runtime.console import Output


class Unwell(GenrebaseError):
    """The harvester is not well."""


def health(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Ask the daemon at COLLECTOR_HTTP how it is; without one, look at the database.

    Exit code 0 where all is well, 1 where not: for a supervisor.
    """
    # these bring SQLAlchemy and the HTTP server: --help need not wait
    from collector.monitoring import metrics
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.monitoring import check_health, probe
    from genrebase.store import connect

    output, clock, address = (
        Output(as_json=as_json),
        SystemClock(),
        CollectorSettings.load().http_address,
    )
    found = (
        check_health(metrics.health_target(connect(), clock))
        if address is None
        else probe(address)
    )
    output.write_json(asdict(found))
    if not found.ok:
        raise Unwell(found.sentence)
    output.print(found.sentence)

"""The command `collector health`."""

from typing import Annotated

import typer

from collector.monitoring.metrics import HarvesterHealth
from collector.settings import CollectorSettings
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.monitoring import report_health
from genrebase.store import connect


def health(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Check `collector run` over COLLECTOR_HTTP, or in the database if it is unset.

    Exit code 0 if healthy, else 1.

    Examples:
      collector health
    """
    report_health(
        Output(as_json=as_json),
        CollectorSettings.load().http,
        lambda: HarvesterHealth(connect(), SystemClock()),
    )

"""The command `classifier health`."""

from dataclasses import asdict
from typing import Annotated

import typer

from classifier.settings import ClassifierSettings
from genrebase.errors import GenrebaseError
from genrebase.runtime.console import Output


class TrainerUnhealthy(GenrebaseError):
    """The trainer is not well."""


def health(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Ask the daemon at CLASSIFIER_HTTP how it is; without one, look at the database.

    Exit code 0 where all is well, 1 where not: for a supervisor.
    """
    address = ClassifierSettings.load().http_address
    # these bring SQLAlchemy and the HTTP server: --help need not wait
    from classifier.daemon import metrics
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.monitoring import check_health, probe
    from genrebase.store import connect

    output = Output(as_json=as_json)
    found = (
        check_health(metrics.health_target(connect(), SystemClock()))
        if address is None
        else probe(address)
    )
    output.write_json(asdict(found))
    if not found.ok:
        raise TrainerUnhealthy(found.sentence)
    output.print(found.sentence)

"""The command `classifier run`: the trainer as a daemon."""

from typing import Annotated

import typer

from classifier.settings import ClassifierSettings
from genrebase.runtime.console import Output


def run(
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON, also on a terminal.")] = False,
) -> None:
    """Train on a schedule and on new tracks, and predict for new tracks, until SIGTERM or Ctrl-C.

    At a signal, a running training is cancelled without a partial result, and the exit code is
    0. A second signal aborts.

    Examples:
      classifier run
    """
    settings = ClassifierSettings.load()
    from classifier.daemon.daemon import Daemon
    from classifier.daemon.metrics import TrainerHealth
    from genrebase.runtime import logging
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.health_server import serve
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    logging.configure(settings.log_level, human=False if as_json else None)
    clock, database = SystemClock(), connect()
    daemon = Daemon(database, settings, clock)
    Output(as_json=as_json).print(
        f"The classifier runs ({settings.schedule}, and as the data grow); Ctrl-C ends it."
    )
    with (
        stop_on_signals(clock.interrupt, daemon.cancel) as stop,
        serve(settings.http, TrainerHealth(database, clock, settings)),
    ):
        daemon.run(stop)

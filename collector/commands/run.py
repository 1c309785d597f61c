"""The command `collector run`: the collector daemon."""

from typing import Annotated

import typer

from collector.settings import CollectorSettings
from genrebase.runtime.console import Output


def run(
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON, also on a terminal.")] = False,
    check: Annotated[bool, typer.Option("--check", hidden=True)] = False,
) -> None:
    """Harvest and enrich whenever tracks or features are missing, until SIGTERM or Ctrl-C.

    If COLLECTOR_SOURCES names a source of audio files, they are downloaded and analysed, too. At a
    signal the current step is finished, and the exit code is 0; a second signal aborts.

    Examples:
      collector run
    """
    # these bring spotipy and SQLAlchemy: --help need not wait
    from collector import composition_root, daemon
    from collector.monitoring.metrics import HarvesterHealth
    from collector.monitoring.status import active_ban_messages
    from genrebase.runtime import logging
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.health_server import serve
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    if check:  # for `genrebase run`, before it creates a database
        composition_root.check_sources(CollectorSettings.load(), SystemClock())
        Output(as_json=as_json).write_json({"ok": True})
        return
    logging.configure(human=False if as_json else None)
    clock, engine, configured = SystemClock(), connect(), CollectorSettings.load()
    composition_root.check_sources(configured, clock)
    output = Output(as_json=as_json)
    output.print("The collector is running; Ctrl-C stops it.")
    for ban in active_ban_messages(engine, clock):
        output.print(f"{ban} No request is made before.")
    with (
        stop_on_signals(clock.interrupt, notice="Stopping after the step in progress.") as stop,
        serve(configured.http, HarvesterHealth(engine, clock)),
    ):
        daemon.run(engine, configured, clock, stop)

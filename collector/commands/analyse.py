"""The command `collector analyse`."""

from typing import Annotated

import typer

from collector.commands.enrich import report
from collector.settings import CollectorSettings
from genrebase.runtime.console import Output


def analyse(
    max_requests: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of requests, retries included.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Fetch Spotify's audio analysis of tracks: keys by section, timbre, pitch.

    One request per track: labelled tracks first, round-robin by genre. If the endpoint is closed
    to the credentials, it is retried once a week.

    Examples:
      collector analyse --max-requests 20
    """
    # these bring spotipy and SQLAlchemy: --help need not wait
    from collector import composition_root
    from collector.enrichment.analyses import JOB
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.jobs import job_run
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    output, clock, engine = Output(as_json=as_json), SystemClock(), connect()
    with stop_on_signals(
        clock.interrupt, notice="Stopping after the request in progress."
    ) as stop:
        analyser = composition_root.open_analyser(
            engine, CollectorSettings.load(), clock, lambda: stop.requested
        )
        with (
            job_run(engine, clock, JOB) as run,
            output.progress("Fetching analyses") as bar,
        ):
            outcome = analyser.run(
                max_requests=max_requests,
                advance=lambda so_far: bar(
                    so_far.requested,
                    note=f"{so_far.found:,} found",
                    fraction=None if max_requests is None else so_far.requested / max_requests,
                ),
            )
            outcome.write_to(run)
    if outcome.stopped == "closed":
        output.warn(
            "Spotify's audio analysis is closed to these credentials; the next request follows "
            "in a week at the earliest. (A sandbox has it with --mode extended.)"
        )
    report(outcome, output, "track with an analysis")

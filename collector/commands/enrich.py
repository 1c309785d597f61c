"""The command `collector enrich`."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.commands.harvest import Stopped
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from collector.enrichment.features import Enriched


def enrich(
    max_requests: Annotated[
        int | None, typer.Option(min=1, help="Calls to the providers at most, retries included.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Ask the feature providers, in order, about every track that has no audio features yet.

    What nobody knows is remembered, and asked again after growing gaps.
    """
    # these bring spotipy and SQLAlchemy: --help need not wait
    from collector import bootstrap, settings
    from collector.enrichment.features import JOB, Enricher
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.jobs import job_run, others_died
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    output, clock, engine = Output(as_json=as_json), SystemClock(), connect()
    providers = bootstrap.open_providers(engine, settings.load(), clock)
    with (
        stop_on_signals(clock.interrupt) as stop,
        job_run(engine, clock, JOB) as run,
        output.progress("Asking for features") as bar,
    ):
        enricher = Enricher(
            engine,
            clock,
            providers,
            lambda: stop.requested,
            partial(others_died, engine, clock, JOB),
        )
        outcome = enricher.run(
            max_requests=max_requests,
            advance=lambda so_far: bar(so_far.asked, note=f"{so_far.known:,} known"),
        )
        outcome.write_to(run)
    output.document(as_document(outcome))
    for problem in outcome.problems:
        output.warn(problem)
    output.say(
        f"{outcome.known:,} of {outcome.asked:,} answers brought features,"
        f" in {outcome.requests:,} requests."
    )
    if outcome.blocked is not None:
        raise outcome.blocked
    if outcome.stopped == "interrupted":
        raise Stopped("Stopped; the next run goes on from here.")


def as_document(outcome: "Enriched") -> dict[str, Any]:
    """Return the JSON document of an enrichment."""
    return {
        "asked": outcome.asked,
        "known": outcome.known,
        "unknown": outcome.unknown,
        "requests": outcome.requests,
        "stopped": outcome.stopped,
        "blocked_until": outcome.blocked_until,
        "problems": outcome.problems,
    }

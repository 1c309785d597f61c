"""The command `collector enrich`."""

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.commands.harvest import HarvestStopped
from collector.settings import CollectorSettings
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from collector.enrichment.features import EnrichmentResult


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
    from collector import bootstrap
    from collector.enrichment.features import JOB, FeatureEnricher
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.jobs import job_run, no_other_process
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    output, clock, engine = Output(as_json=as_json), SystemClock(), connect()
    providers = bootstrap.open_providers(engine, CollectorSettings.load(), clock)
    with (
        stop_on_signals(clock.interrupt) as stop,
        job_run(engine, clock, JOB) as run,
        output.progress("Asking for features") as bar,
    ):
        enricher = FeatureEnricher(
            engine,
            clock,
            providers,
            lambda: stop.requested,
            partial(no_other_process, engine, clock, JOB),
        )
        outcome = enricher.run(
            max_requests=max_requests,
            advance=lambda so_far: bar(so_far.requested, note=f"{so_far.found:,} known"),
        )
        outcome.write_to(run)
    output.write_json(as_document(outcome))
    for problem in outcome.problems:
        output.warn(problem)
    output.print(
        f"{outcome.found:,} of {outcome.requested:,} answers brought features,"
        f" in {outcome.requests:,} requests."
    )
    if outcome.blocked is not None:
        raise outcome.blocked
    if outcome.stopped == "interrupted":
        raise HarvestStopped("Stopped; the next run goes on from here.")


def as_document(outcome: "EnrichmentResult") -> dict[str, Any]:
    """Return the JSON document of an enrichment."""
    return {
        "asked": outcome.requested,
        "known": outcome.found,
        "unknown": outcome.not_found,
        "requests": outcome.requests,
        "stopped": outcome.stopped,
        "blocked_until": outcome.blocked_until,
        "problems": outcome.problems,
    }

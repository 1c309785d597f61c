"""The command `collector enrich`."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from collector.settings import CollectorSettings
from genrebase.counts import counted
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from collector.enrichment.result import EnrichmentResult


def enrich(
    max_requests: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of requests, retries included.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Fetch audio features of tracks that have none, from the providers in order.

    A track that a provider does not have is requested from it again at increasing intervals,
    except from AcousticBrainz, which gets no new recordings.

    Examples:
      collector enrich --max-requests 20
    """
    # these bring spotipy and SQLAlchemy: --help need not wait
    from collector import composition_root
    from collector.enrichment.features import JOB, FeatureEnricher
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.jobs import job_run, no_other_process
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    output, clock, engine = Output(as_json=as_json), SystemClock(), connect()
    providers = composition_root.open_providers(engine, CollectorSettings.load(), clock)
    with (
        stop_on_signals(clock.interrupt, notice="Stopping after the request in progress.") as stop,
        refreshed_after(engine, clock, lambda: stop.requested),
        job_run(engine, clock, JOB) as run,
        output.progress("Fetching features") as bar,
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
            advance=lambda so_far: bar(so_far.requested, note=f"{so_far.found:,} found"),
        )
        outcome.write_to(run)
    report(outcome, output, "track with features", n_providers=len(providers))


def report(
    outcome: "EnrichmentResult", output: Output, noun: str, *, n_providers: int = 1
) -> None:
    """Print the result of a run; raise the error that it ends with, if any.

    `noun` is what was found, with `n_providers` that were to be requested.
    """
    output.write_json(outcome.as_json())
    for problem in outcome.problems:
        output.warn(problem)
    if outcome.requested:
        output.print(
            f"Found {counted(outcome.found, noun)} in {counted(outcome.requests, 'request')}."
        )
        if outcome.not_found and n_providers == 1:
            output.print(f"Not found for {counted(outcome.not_found, 'track')}.")
        elif outcome.not_found:
            output.print(
                f"Not found in {counted(outcome.not_found, 'case')}; a track that several "
                "providers lack counts once for each."
            )
    elif not outcome.problems and outcome.stopped == "done":
        output.print("Nothing to request now.")
    outcome.raise_early_end("Stopped. Run the same command again to continue.")

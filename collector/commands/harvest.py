"""The command `collector harvest`."""

from dataclasses import asdict, astuple
from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.settings import PLAYLIST_SOURCE, CollectorSettings
from genrebase.counts import counted, join_counts
from genrebase.runtime.console import Output
from genrebase.store.source_ids import SPOTIFY

if TYPE_CHECKING:
    from collector.crawl.dry_run import PlannedPlaylist, PlannedSearch
    from collector.crawl.forecast import GenreForecast
    from collector.crawl.harvest_loop import HarvestOutcome
    from collector.crawl.stages import CrawlStages

_ENDINGS = {
    "target": "Every genre has its target. For more: collector genres add NAME --target N.",
    "listed": "Enough items are waiting to be downloaded: run `collector listen`.",
    "exhausted": "Nothing is left to request: every genre has its target, or no further results.",
    "limit": "The request limit of this run is reached; the next harvest continues from here.",
    "interrupted": "Stopped; the next harvest continues from here.",
}


def harvest(
    genre: Annotated[list[str] | None, typer.Option(help="Only this genre; repeatable.")] = None,
    max_requests: Annotated[
        int | None, typer.Option(min=1, help="Maximum number of requests, retries included.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be requested; request nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Fetch tracks until every genre has reached its target, or nothing is left to request.

    Playlists bound to a genre come first, then its search results. At Internet Archive, releases
    are listed, and `collector listen` downloads them. A harvest can be stopped and resumed. It
    waits out a ban of up to a minute. If a ban is longer, it continues with the other sources
    without waiting, and then ends with exit code 4.

    The exit code is 0 if every genre has reached its target (a target of 0 always is reached), or
    nothing is left to request; it is 3 if no genre has a target, or all that have one are paused.

    Examples:
      collector harvest --dry-run
      collector harvest --genre rock --max-requests 20
    """
    # these bring spotipy and SQLAlchemy: --help need not wait
    from collector import composition_root
    from collector.crawl import forecast_limits
    from collector.crawl.dry_run import plan_playlists, plan_searches
    from collector.crawl.forecast import forecast_genres
    from collector.curation import genres
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect
    from genrebase.store.engine import read_transaction

    output, clock, engine = Output(as_json=as_json), SystemClock(), connect()
    settings = CollectorSettings.load()
    sources = forecast_limits.configured(settings)
    wanted = [genres.find(engine, name).name for name in genre or ()]
    if dry_run:
        with read_transaction(engine) as connection:
            forecasts = forecast_genres(connection, sources, clock, genres=wanted)
        reads_playlists = any(source.name == SPOTIFY for source in sources)
        lists = (
            plan_playlists(engine, PLAYLIST_SOURCE, wanted, clock.now()) if reads_playlists else []
        )
        _show(plan_searches(engine, sources, wanted), lists, forecasts, output)
        return
    with stop_on_signals(
        clock.interrupt, notice="Stopping after the request in progress."
    ) as stop:
        crawl = composition_root.open_crawl(engine, settings, clock, lambda: stop.requested)
        with refreshed_after(engine, clock, lambda: stop.requested):
            outcome = _run(crawl, wanted, max_requests, output)
    output.write_json(as_document(outcome))
    recorded = outcome.recorded
    if outcome.requests:
        tracks = join_counts(
            (recorded.tracks_new, "new track"), (recorded.duplicates, "duplicate")
        )
        output.print(f"{tracks} in {counted(outcome.requests, 'request')}.")
    if recorded.items_listed:
        output.print(
            f"Audio files: {counted(recorded.items_listed, 'new item')} listed; `collector "
            "listen` downloads and analyses them."
        )
    if outcome.unusable_reasons:
        reasons = ", ".join(f"{n:,} {why}" for why, n in outcome.unusable_reasons.most_common())
        output.print(f"Unusable: {reasons}.")
    if outcome.unknown_genres:
        # it brings SQLAlchemy, as above
        from collector.crawl.forecast import unknown_genres_warning

        output.warn(unknown_genres_warning(outcome.unknown_genres))
    if outcome.repeating_genres:
        repeating = ", ".join(sorted(set(outcome.repeating_genres)))
        output.warn(
            "The source returned the same items at every offset, or nothing usable, for: "
            f"{repeating}. These searches are closed, and read again after COLLECTOR_LOOK_BACK "
            "days."
        )
    _end(outcome, output)


def as_document(outcome: "HarvestOutcome") -> dict[str, Any]:
    """Return the JSON document of a harvest."""
    recorded = outcome.recorded
    return {
        "requests": outcome.requests,
        "sightings": recorded.tracks_new + recorded.duplicates,
        "tracks_new": recorded.tracks_new,
        "duplicates": recorded.duplicates,
        "items_listed": recorded.items_listed,
        "items_waiting": outcome.items_waiting,
        "unusable": outcome.unusable,
        "reasons": dict(outcome.unusable_reasons),
        "unknown": outcome.unknown_genres,
        "repeating": outcome.repeating_genres,
        "stopped": outcome.stopped,
        "blocked_until": outcome.blocked_until,
    }


def _run(
    crawl: "CrawlStages", genres: list[str], max_requests: int | None, output: Output
) -> "HarvestOutcome":
    from genrebase.runtime.jobs import job_run  # it brings SQLAlchemy: --help need not wait

    with (
        job_run(crawl.engine, crawl.clock, "harvest") as run,
        output.progress("Harvesting") as bar,
    ):
        outcome = crawl.run(
            genres,
            max_requests=max_requests,
            advance=lambda at: bar(
                at.tracks, total=at.target, note=f"{at.genre}, {counted(at.requests, 'request')}"
            ),
        )
        outcome.write_to(run)
    return outcome


def _end(outcome: "HarvestOutcome", output: Output) -> None:
    outcome.raise_early_end(_ENDINGS["interrupted"])
    output.print(_ENDINGS[outcome.stopped])
    if outcome.stopped == "exhausted" and outcome.items_waiting:
        output.print("Items are waiting to be downloaded: run `collector listen`.")


def _show(
    previews: "list[PlannedSearch]",
    playlists: "list[PlannedPlaylist]",
    forecasts: "list[GenreForecast]",
    output: Output,
) -> None:
    from collector.commands.status import show_forecasts  # it brings SQLAlchemy, as above

    genres = [asdict(one) | asdict(more) for one, more in zip(previews, forecasts, strict=True)]
    output.write_json({"genres": genres, "playlists": [asdict(one) for one in playlists]})
    if playlists:
        columns = ["genre", "playlist", "offset", "read before"]
        output.table("Playlists that would be read first", columns, map(astuple, playlists))
    names = ("genre", "source", "target", "tracks", "open_shards", "query")
    columns = [*names, "year_from", "year_to", "offset"]
    rows = [[getattr(one, name) for name in columns] for one in previews]
    output.table("Next requests", columns, rows)
    show_forecasts(forecasts, output)

"""The command `collector forget`."""

from dataclasses import asdict
from typing import Annotated

import typer

from genrebase.counts import counted
from genrebase.errors import CommandInterrupted
from genrebase.runtime.console import Output


def forget(
    origin: Annotated[
        str, typer.Option(help="The origin of the tracks: spotify, csv:FILE, audio …")
    ],
    older_than: Annotated[
        str, typer.Option(help="Time since they were last listed: 30d, 12h or 4w.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count what would be removed; change nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Delete the tracks of an origin if no source has listed them for a given time.

    Aliases, sightings, credits, features and predictions are removed with a track. A track with a
    verdict keeps its verdict, name, credits, IDs, duration, ISRC and the features of other
    providers, and loses the rest.

    Examples:
      collector forget --origin spotify --older-than 90d --dry-run
    """
    # these bring SQLAlchemy: --help need not wait
    from collector.curation import forget as forgetting
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    output, clock, age = Output(as_json=as_json), SystemClock(), forgetting.parse_age(older_than)
    engine = connect()
    if dry_run:
        done = forgetting.count_overdue(engine, clock, origin, age)
    else:
        with (
            stop_on_signals(notice="Stopping after the step in progress.") as stop,
            refreshed_after(engine, clock, lambda: stop.requested),
            output.progress("Forgetting tracks") as bar,
        ):
            done = forgetting.forget(
                engine,
                clock,
                origin,
                age,
                stop_requested=lambda: stop.requested,
                advance=lambda so_far: bar(so_far.tracks + so_far.kept_for_labels),
            )
    gone = done.counts
    output.write_json(
        {**asdict(gone), "origin": origin, "before": done.before, "dry_run": dry_run}
    )
    output.print(
        f"{'Would forget' if dry_run else 'Forgot'} {counted(gone.tracks, 'track')} from {origin} "
        f"last seen before {done.before:%Y-%m-%d %H:%M} UTC, with "
        f"{counted(gone.artists, 'artist')}."
    )
    if gone.kept_for_labels:
        more = counted(gone.kept_for_labels, "more track")
        output.print(f"Labelled by people, so that what identifies them stays: {more}.")
    if done.stopped:
        raise CommandInterrupted("Stopped; run the same command again to continue.")

"""The command `collector add`."""

from typing import TYPE_CHECKING, Annotated

import typer

from collector.settings import CollectorSettings
from genrebase.counts import counted
from genrebase.errors import GenrebaseError
from genrebase.runtime.console import Output
from genrebase.store.source_ids import MUSICBRAINZ, SPOTIFY

if TYPE_CHECKING:
    from collector.imports.ids import AddResult

_MAX_LISTED = 5
"""Ids that a message lists; the JSON document has all."""
_SERVICES = {SPOTIFY: "Spotify", MUSICBRAINZ: "MusicBrainz"}


def add(
    tracks: Annotated[
        list[str],
        typer.Argument(
            metavar="TRACK_ID|URL|FILE…",
            help="Spotify IDs, URIs or URLs of tracks; MBIDs or URLs of MusicBrainz' recordings, "
            "which need no account; or files: text with one ID per line, or a table (CSV, JSON, "
            "Parquet, a workbook) with a column of IDs.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Add tracks by their IDs, without a genre, for the classifier to predict.

    Stored tracks cost no request. `collector enrich` then fetches their features,
    and `classifier predict` predicts their genres.

    Examples:
      collector add 3n3Ppam7vgaVa1iaRUc9Lp
    """
    # these bring spotipy and SQLAlchemy: --help need not wait
    from collector import composition_root
    from collector.imports.ids import (
        JOB,
        TrackAdder,
        musicbrainz_recordings,
        parse_recording_ids,
        parse_track_ids,
        spotify_tracks,
    )
    from genrebase.digests.refresh import refreshed_after
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.jobs import job_run
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    output, clock = Output(as_json=as_json), SystemClock()
    ids, settings = parse_recording_ids(tracks), CollectorSettings.load()
    make_client = musicbrainz_recordings if ids else spotify_tracks
    ids, engine = ids or parse_track_ids(tracks, output.warn), connect()
    client = make_client(settings, clock)
    _, budget = composition_root.open_source(client.source, engine, settings, clock)
    with (
        stop_on_signals(clock.interrupt, notice="Stopping after the request in progress.") as stop,
        refreshed_after(engine, clock, lambda: stop.requested),
        job_run(engine, clock, JOB) as run,
        output.progress("Adding tracks", total=len(ids)) as bar,
    ):
        adder = TrackAdder(engine, client, budget, clock, lambda: stop.requested)
        added = adder.run(ids, advance=lambda so_far: bar(so_far.processed))
        added.write_to(run)
    output.write_json(added.as_json())
    _print_summary(added, _SERVICES[client.source], output)
    added.raise_early_end("Stopped. Run the same command again to continue.")
    if not added.recorded.tracks_new and not added.recorded.duplicates:
        raise GenrebaseError(f"{_SERVICES[client.source]} has no track of any of these ids.")


def _print_summary(added: "AddResult", service: str, output: Output) -> None:
    output.print(
        f"{counted(added.recorded.tracks_new, 'new track')}, {added.recorded.duplicates:,} "
        f"stored before, in {counted(added.requests, 'request')}."
    )
    if added.not_found:
        more = len(added.not_found) - _MAX_LISTED
        listed = ", ".join(added.not_found[:_MAX_LISTED])
        rest = f" and {more:,} more" if more > 0 else ""
        output.warn(f"{service} has no track {listed}{rest}.")
    for source_id, reason in added.unusable.items():
        output.warn(f"{source_id} is not usable: {reason}.")

"""`collector add`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from collector.settings import CollectorSettings
from genrebase.errors import GenrebaseError
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from collector.imports.ids import AddResult

_SHOWN = 5
"""Ids named in a sentence; the JSON document has all."""


class TracksNotAdded(GenrebaseError):
    """None of the tracks, or not all, could be brought in."""


def add(
    tracks: Annotated[
        list[str],
        typer.Argument(
            metavar="TRACK_ID|URL|FILE…",
            help="Spotify ids, URIs or URLs of tracks, or text files with one a line.",
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Bring in tracks by their Spotify ids, without a genre, for the classifier to name.

    What is stored already costs no request. `collector enrich` then fetches their features, and
    `classifier predict` names them.
    """
    # these bring spotipy and SQLAlchemy: --help need not wait
    from collector import bootstrap
    from collector.imports.ids import JOB, TrackAdder, parse_track_ids
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.jobs import job_run
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    ids = parse_track_ids(tracks)
    output, clock, engine = Output(as_json=as_json), SystemClock(), connect()
    client, budget = bootstrap.open_spotify(engine, CollectorSettings.load(), clock)
    with (
        stop_on_signals(clock.interrupt) as stop,
        job_run(engine, clock, JOB) as run,
        output.progress("Adding tracks", total=len(ids)) as bar,
    ):
        adder = TrackAdder(engine, client, budget, clock, lambda: stop.requested)
        added = adder.run(ids, advance=lambda so_far: bar(so_far.processed))
        added.write_to(run)
    output.write_json(as_document(added))
    _say(added, output)
    if added.blocked is not None:
        raise added.blocked
    if added.stopped == "interrupted":
        raise TracksNotAdded("Stopped; the same command goes on from here.")
    if not added.recorded.tracks_new and not added.recorded.duplicates:
        raise TracksNotAdded("Spotify has no track of any of these ids.")


def as_document(added: "AddResult") -> dict[str, Any]:
    """Return the JSON document of what was added."""
    return {
        "asked": added.requested,
        "tracks_new": added.recorded.tracks_new,
        "duplicates": added.recorded.duplicates,
        "unknown": added.not_found,
        "unusable": added.unusable,
        "requests": added.requests,
        "stopped": added.stopped,
        "blocked_until": added.blocked.until if added.blocked else None,
    }


def _say(added: "AddResult", output: Output) -> None:
    output.print(
        f"{added.recorded.tracks_new:,} new tracks, {added.recorded.duplicates:,} were there, "
        f"in {added.requests:,} requests."
    )
    if added.not_found:
        more = len(added.not_found) - _SHOWN
        named = ", ".join(added.not_found[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
        output.warn(f"Spotify does not know {named}.")
    for source_id, reason in added.unusable.items():
        output.warn(f"{source_id} was set aside: {reason}.")

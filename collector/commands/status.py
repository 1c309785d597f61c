"""`collector status`."""

from dataclasses import asdict
from typing import Annotated

import typer

from collector import status as statuses
from collector.status import Status
from genrebase import store
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.output import Output

_COLUMNS = ("genre", "target", "tracks", "sightings", "with features", "paused")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show how far the harvest is, what was asked for it and what ran last."""
    output = Output(as_json=as_json)
    found = statuses.status(store.connect(), SystemClock())
    for sentence in _sentences(found):
        output.say(sentence)
    rows = (
        (one.name, one.target, one.tracks, one.sightings, one.with_features, one.paused)
        for one in found.genres
    )
    output.table("Genres", _COLUMNS, rows)
    runs = (
        (run.job, f"{run.started_at:%Y-%m-%d %H:%M}", run.outcome, run.error)
        for run in found.last_runs
    )
    output.table("Last runs", ("job", "started (UTC)", "outcome", "error"), runs)
    output.document(asdict(found))


def _sentences(found: Status) -> list[str]:
    said = []
    if found.invented:
        said.append(f"Filled from {found.origin}: none of this is real music.")
    elif found.origin:
        said.append(f"Filled from {found.origin}.")
    said.append(
        f"{found.tracks:,} tracks by {found.artists:,} artists, {found.sightings:,} sightings, "
        f"{found.with_features:,} with features, {found.unlabelled:,} without a genre, "
        f"{found.verdicts:,} labels by people; {found.requests:,} requests."
    )
    said.extend(
        f"{one.source} is blocked until {one.blocked_until:%Y-%m-%d %H:%M:%S} UTC"
        + (f" ({one.blocked_reason})." if one.blocked_reason else ".")
        for one in found.sources
        if one.blocked_until
    )
    return said

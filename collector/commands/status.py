"""The command `collector status`."""

from collections.abc import Sequence
from dataclasses import asdict, astuple
from typing import Annotated

import typer

from collector.crawl import forecast_limits
from collector.crawl.forecast import GenreForecast, unknown_genres_warning
from collector.monitoring import status as statuses
from collector.monitoring.status import CollectorStatus
from collector.settings import CollectorSettings
from genrebase import store
from genrebase.counts import counted
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output

_COLUMNS = ("genre", "target", "tracks", "sightings", "with features", "paused")
_OUTLOOK = {
    "genre": "genre",
    "source": "next source",
    "requests": "requests",
    "expected_requests": "to go",
    "hours_to_go": "hours",
    "open_shards": "open",
    "features_known": "with features",
    "features_nowhere": "unavailable",
    "features_waiting": "pending",
}
"""Columns of the forecast table: fields of `GenreForecast`, and their headings."""
_COLUMN_MEANINGS = (
    "requests: made so far; to go: requests expected until the target, and in how many hours; "
    "open: parts of the search that are not read to the end; unavailable: tracks whose features "
    "no provider has; pending: tracks whose features are still to be requested. The last two are "
    "empty unless they were counted (--live)."
)


def status(
    live: Annotated[
        bool,
        typer.Option(
            "--live", help="Count the tracks now, even if the stored counts (digests) are current."
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Show the progress and forecast of the harvest, the requests made and the last runs.

    Examples:
      collector status
    """
    output = Output(as_json=as_json)
    sources = forecast_limits.configured(CollectorSettings.load())
    state = statuses.read_status(store.connect(), SystemClock(), sources, live=live)
    for sentence in _sentences(state):
        output.print(sentence)
    if state.genres:
        output.table("Genres", _COLUMNS, map(astuple, state.genres))
    show_forecasts(state.outlook, output)
    runs = (
        (run.job, f"{run.started_at:%Y-%m-%d %H:%M}", run.outcome, run.error)
        for run in state.last_runs
    )
    if state.last_runs:
        output.table("Last runs", ("job", "started (UTC)", "outcome", "error"), runs)
    if not state.genres:
        output.print(
            "No genre yet: collector genres add NAME --target N, or collector import FILE"
        )
    for alarm in state.alarms:
        output.warn(alarm)
    output.write_json(asdict(state))


def show_forecasts(forecasts: Sequence[GenreForecast], output: Output) -> None:
    """Print the forecast of every genre, and warn of those for which the source has nothing."""
    if not forecasts:
        return
    rows = [[_brief(getattr(one, name)) for name in _OUTLOOK] for one in forecasts]
    output.table("Forecast at the present rate", list(_OUTLOOK.values()), rows)
    output.print(_COLUMN_MEANINGS)
    unknown = [one.genre for one in forecasts if one.unknown]
    if unknown:
        output.warn(unknown_genres_warning(unknown))


def _brief(value: object) -> object:
    return f"{value:.2f}" if isinstance(value, float) else value


def _sentences(state: CollectorStatus) -> list[str]:
    sentences = []
    if state.invented:
        sentences.append(f"Filled from {state.origin}: none of this is real music.")
    elif state.origin:
        sentences.append(f"Filled from {state.origin}.")
    sentences.append(
        f"{counted(state.tracks, 'track')} by {counted(state.artists, 'artist')}, "
        f"{counted(state.sightings, 'sighting')}, {state.with_features:,} with features, "
        f"{state.unlabelled:,} without a genre, {counted(state.verdicts, 'label')} by people; "
        f"{counted(state.requests, 'request')}."
    )
    if state.as_of is not None:
        since = "nothing has changed since" if state.is_current else "count now with --live"
        sentences.append(f"Tracks were counted at {state.as_of:%Y-%m-%d %H:%M:%S} UTC; {since}.")
    sentences.extend(statuses.ban_messages(state.sources))
    return sentences

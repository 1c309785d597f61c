"""Report the status of the whole pipeline (tracks, features, champion) at intervals."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from genrebase.counts import counted
from genrebase.errors import GenrebaseError
from genrebase.launcher.database_location import DatabaseLocation
from genrebase.runtime import queries
from genrebase.runtime.clock import Clock
from genrebase.runtime.console import Output
from genrebase.store import connect

MIN_INTERVAL_SECONDS: Final = 5.0
"""Minimum seconds between two reports."""
INTERVAL_FACTOR: Final = 20.0
"""The interval is at least the duration of the last query times this factor, so that the queries
take little of a large database's time."""

_TOTALS: Final = """
SELECT count(*) AS genres, coalesce(sum(target), 0) AS wanted, coalesce(sum(tracks), 0) AS tracks,
       coalesce(sum(with_features), 0) AS with_features, coalesce(sum(requests), 0) AS requests
FROM genre_progress
"""
_CHAMPION: Final = """
SELECT model.id AS id, model.estimator AS estimator, count(prediction.track_id) AS predicted
FROM model LEFT JOIN prediction ON prediction.model_id = model.id AND prediction.rank = 1
WHERE model.status = 'champion' AND model.task = 'main'
GROUP BY model.id, model.estimator
"""


class ProgressReporter:
    """Prints the status whenever it has changed: a line of text, or of JSON."""

    def __init__(self, database: DatabaseLocation, output: Output, clock: Clock) -> None:
        self._engine = connect(database.url)
        self._output, self._clock = output, clock
        self._next = clock.monotonic()
        self._printed: PipelineStatus | None = None

    def report(self) -> None:
        """Print the status if the interval is over and something has changed."""
        started = self._clock.monotonic()
        if started < self._next:
            return
        try:
            self._print_if_changed(self.read_status())
        except GenrebaseError as error:
            self._output.warn(str(error))  # the daemons continue; so does the report
        self._next = started + max(
            MIN_INTERVAL_SECONDS, INTERVAL_FACTOR * (self._clock.monotonic() - started)
        )

    def _print_if_changed(self, status: "PipelineStatus") -> None:
        if status != self._printed:
            self._output.print(status.summary_line())
            self._output.write_json(asdict(status))
            self._printed = status

    def read_status(self) -> "PipelineStatus":
        """Read the status from the database."""
        (totals,) = queries.run_query(self._engine, _TOTALS).as_dicts()
        champions = queries.run_query(self._engine, _CHAMPION).as_dicts()
        numbers = {name: int(value) for name, value in totals.items()}
        return PipelineStatus(**numbers, champion=champions[0] if champions else None)

    def close(self) -> None:
        """Close the database connections."""
        self._engine.dispose()


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """The status of the pipeline; the fields are its JSON keys."""

    genres: int
    wanted: int
    """The sum of all targets."""
    tracks: int
    """Tracks that count for a genre."""
    with_features: int
    requests: int
    champion: dict[str, Any] | None
    """Its id, its estimator, and the number of tracks that it has predicted."""

    def summary_line(self) -> str:
        """Return the status in one line of text."""
        parts = [
            f"{counted(self.tracks, 'track')} (target {self.wanted:,})",
            counted(self.genres, "genre"),
            f"features for {self.with_features:,}",
            counted(self.requests, "request"),
        ]
        if self.champion is None:
            parts.append("no model yet")
        else:
            parts.append(f"champion {self.champion['id']} ({self.champion['estimator']})")
            parts.append(f"predicted {counted(self.champion['predicted'], 'track')}")
        return " · ".join(parts)

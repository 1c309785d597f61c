"""How far the main job has come, a line now and then."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from genrebase.errors import GenrebaseError
from genrebase.launcher.database_location import DatabaseLocation
from genrebase.runtime import queries
from genrebase.runtime.clock import Clock
from genrebase.runtime.console import Output
from genrebase.store import connect

MIN_INTERVAL_SECONDS: Final = 5.0
"""Seconds between two looks at least."""
INTERVAL_FACTOR: Final = 20.0
"""A look is taken no more often than every so many times what the last one took: a large database
is not kept busy by being watched."""

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
    """Says where the job stands whenever that has changed: a line, or a JSON document a line."""

    def __init__(self, place: DatabaseLocation, output: Output, clock: Clock) -> None:
        self._engine = connect(place.url)
        self._output, self._clock = output, clock
        self._next = clock.monotonic()
        self._said: PipelineStatus | None = None

    def report(self) -> None:
        """Say it, when it is time and something has changed."""
        began = self._clock.monotonic()
        if began < self._next:
            return
        try:
            self._say(self.read_status())
        except GenrebaseError as error:
            self._output.warn(str(error))  # the daemons go on; so do we
        self._next = began + max(
            MIN_INTERVAL_SECONDS, INTERVAL_FACTOR * (self._clock.monotonic() - began)
        )

    def _say(self, standing: "PipelineStatus") -> None:
        if standing != self._said:
            self._output.print(standing.summary_line())
            self._output.write_json(asdict(standing))
            self._said = standing

    def read_status(self) -> "PipelineStatus":
        """Return where the job stands."""
        (totals,) = queries.run_query(self._engine, _TOTALS).as_dicts()
        champions = queries.run_query(self._engine, _CHAMPION).as_dicts()
        figures = {name: int(value) for name, value in totals.items()}
        return PipelineStatus(**figures, champion=champions[0] if champions else None)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """Where the job stands."""

    genres: int
    wanted: int
    """Tracks that all targets together want."""
    tracks: int
    """Tracks that count for a genre."""
    with_features: int
    requests: int
    champion: dict[str, Any] | None
    """Its id, its estimator, and how many tracks it has answered for."""

    def summary_line(self) -> str:
        """Return it in one line."""
        parts = [
            f"{self.tracks:,} of {self.wanted:,} tracks",
            f"{self.genres:,} genres",
            f"features for {self.with_features:,}",
            f"{self.requests:,} requests",
        ]
        if self.champion is None:
            parts.append("no model yet")
        else:
            parts.append(f"champion {self.champion['id']} ({self.champion['estimator']})")
            parts.append(f"{self.champion['predicted']:,} predictions")
        return " · ".join(parts)

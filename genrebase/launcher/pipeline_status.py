"""How far the main job has come, a line now and then."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from genrebase.errors import GenrebaseError
from genrebase.launcher.database_location import Place
from genrebase.runtime import queries
from genrebase.runtime.clock import Clock
from genrebase.runtime.console import Output
from genrebase.store import connect

EVERY: Final = 5.0
"""Seconds between two looks at least."""
SHARE: Final = 20.0
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


class Reporter:
    """Says where the job stands whenever that has changed: a line, or a JSON document a line."""

    def __init__(self, place: Place, output: Output, clock: Clock) -> None:
        self._engine = connect(place.url)
        self._output, self._clock = output, clock
        self._next = clock.monotonic()
        self._said: Standing | None = None

    def report(self) -> None:
        """Say it, when it is time and something has changed."""
        began = self._clock.monotonic()
        if began < self._next:
            return
        try:
            self._say(self.standing())
        except GenrebaseError as error:
            self._output.warn(str(error))  # the daemons go on; so do we
        self._next = began + max(EVERY, SHARE * (self._clock.monotonic() - began))

    def _say(self, standing: "Standing") -> None:
        if standing != self._said:
            self._output.say(standing.line())
            self._output.document(asdict(standing))
            self._said = standing

    def standing(self) -> "Standing":
        """Return where the job stands."""
        (totals,) = queries.ask(self._engine, _TOTALS).records()
        champions = queries.ask(self._engine, _CHAMPION).records()
        figures = {name: int(value) for name, value in totals.items()}
        return Standing(**figures, champion=champions[0] if champions else None)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()


@dataclass(frozen=True, slots=True)
class Standing:
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

    def line(self) -> str:
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

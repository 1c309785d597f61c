"""How far the main job has come, a line now and then."""

from typing import Any, Final

from genrebase.runtime import sql
from genrebase.runtime.clock import Clock
from genrebase.runtime.output import Output
from genrebase.store import connect
from genrebase.umbrella.place import Place

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
    """Says where the job stands whenever that has changed."""

    def __init__(self, place: Place, output: Output, clock: Clock) -> None:
        self._engine = connect(place.url)
        self._output, self._clock = output, clock
        self._next = clock.monotonic()
        self._said = ""

    def report(self) -> None:
        """Say the line, when it is time and it is another one."""
        began = self._clock.monotonic()
        if began < self._next:
            return
        line = self.line()
        took = self._clock.monotonic() - began
        self._next = began + max(EVERY, SHARE * took)
        if line != self._said:
            self._output.say(line)
            self._said = line

    def line(self) -> str:
        """Return where the job stands, in one line."""
        (totals,) = sql.ask(self._engine, _TOTALS).records()
        champions = sql.ask(self._engine, _CHAMPION).records()
        return compose(totals, champions[0] if champions else None)

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()


def compose(totals: dict[str, Any], champion: dict[str, Any] | None) -> str:
    """Return the line for what the database says."""
    parts = [
        f"{int(totals['tracks']):,} of {int(totals['wanted']):,} tracks",
        f"{int(totals['genres']):,} genres",
        f"features for {int(totals['with_features']):,}",
        f"{int(totals['requests']):,} requests",
    ]
    if champion is None:
        parts.append("no model yet")
    else:
        parts.append(f"champion {champion['id']} ({champion['estimator']})")
        parts.append(f"{int(champion['predicted']):,} predictions")
    return " · ".join(parts)

"""What a harvest has still to do: requests and hours, genre by genre, and what looks wrong."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector import planning
from collector.catalogue import forecast, shards
from collector.catalogue.forecast import FeatureCounts, GenreOverlap, SearchEffort
from collector.http import rate_limiter
from collector.planning import GenreProgress, Shard
from collector.rate import Rate
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Connection

PAGE_LIMITS: Final = (50, 10)
"""A search's; said here, too, because its module brings spotipy and a forecast needs none."""
OVERLAP_WARNING_SHARE: Final = 0.75
"""Of a genre's tracks, shown under other genres, too, from which its query should be looked at."""
_ENOUGH_TRACKS: Final = 50
"""Below, shares say little."""
_NAMED: Final = 3
_HOUR: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class GenreForecast:
    """Where the harvest of one genre stands."""

    genre: str
    target: int
    have: int
    """Unique tracks that count for it."""
    requests: int
    """Spent on it so far."""
    expected_requests: int | None
    """Until it has its target, if its searches go on as they do; None where nothing is left to
    ask, or nothing is known yet."""
    hours_to_go: float | None
    """For those, at the rate that the budget has now."""
    open_shards: int
    """Parts of its search space that are not read to their end; 1 before the first request."""
    unknown: bool
    """The source answered that it has nothing of it."""
    features_known: int
    features_nowhere: int
    """Tracks whose features nobody asked knows."""
    features_waiting: int
    """Tracks whose features are still to be asked for."""


@dataclass(frozen=True, slots=True)
class RequestYield:
    """What a request costs and may bring."""

    interval: float
    """Seconds between two requests."""
    page_limit: int
    """Items a page."""


def forecast_genres(
    connection: Connection,
    source: str,
    clock: Clock,
    *,
    rate: Rate,
    genres: Sequence[str] = (),
) -> list[GenreForecast]:
    """Return where every genre with a target stands, or these only, by name."""
    needs = shards.genre_progress(connection, genres)
    pace = _pace(connection, source, clock, rate)
    asked = forecast.search_effort(connection, source)
    features = forecast.feature_counts(connection, clock.now())
    unknown = set(shards.unknown_genres(connection, source, needs))
    waiting: dict[int, list[Shard]] = {}
    for shard in shards.open_shards(connection, source, needs):
        waiting.setdefault(shard.genre_id, []).append(shard)
    found = []
    for genre_id, need in needs.items():
        spent = asked.get(genre_id)
        expected = expected_requests(need, spent, waiting.get(genre_id, []), pace.page_limit)
        counts = features.get(genre_id, FeatureCounts(0, 0, 0))
        found.append(
            GenreForecast(
                genre=need.name,
                target=need.target,
                have=need.tracks,
                requests=spent.requests if spent else 0,
                expected_requests=expected,
                hours_to_go=None if expected is None else expected * pace.interval / _HOUR,
                open_shards=spent.open_shards if spent else 1,
                unknown=need.name in unknown,
                features_known=counts.found,
                features_nowhere=counts.unavailable,
                features_waiting=counts.pending,
            )
        )
    return sorted(found, key=lambda one: one.genre)


def expected_requests(
    need: GenreProgress, asked: SearchEffort | None, waiting: Sequence[Shard], page_limit: int
) -> int | None:
    """Return how many requests a genre will take to its target; None where nobody can say.

    Before the first request pages are taken to be full of new tracks; then the best shard's
    promise counts, and where none promises anything what its requests brought on average.
    """
    missing = need.target - need.tracks
    if missing <= 0:
        return 0
    if asked is None:
        return math.ceil(missing / page_limit)
    if not waiting:
        return None
    brings = max(planning.expected_new_tracks(shard, page_limit) for shard in waiting)
    if brings <= 0 and asked.requests:
        brings = need.tracks / asked.requests
    return math.ceil(missing / brings) if brings > 0 else None


def overlap_warnings(overlaps: Mapping[str, GenreOverlap]) -> list[str]:
    """Return a sentence for each genre that is nearly all shown under others, by name."""
    return [
        f"{name}: {overlap.shared / overlap.tracks:.0%} of its tracks are also under "
        f"{', '.join(_most(overlap))}: check the query."
        for name, overlap in sorted(overlaps.items())
        if overlap.tracks >= _ENOUGH_TRACKS
        and overlap.shared >= OVERLAP_WARNING_SHARE * overlap.tracks
    ]


def unknown_genres_warning(names: Sequence[str]) -> str:
    """Return what to do about genres that the source does not know."""
    listed = ", ".join(repr(name) for name in names)
    return (
        f"Nothing at all is found for {listed}: check the spelling "
        "(collector genres rename OLD NEW), or remove it (collector genres remove NAME)."
    )


def _most(overlap: GenreOverlap) -> list[str]:
    ordered = sorted(overlap.others, key=lambda name: (-overlap.others[name], name))
    return ordered[:_NAMED]


def _pace(connection: Connection, source: str, clock: Clock, rate: Rate) -> RequestYield:
    """Return the pace that the source's latest credential has, or the one it would begin with."""
    own = [state for state in rate_limiter.load_states(connection) if state.source == source]
    if not own:
        return RequestYield(rate.interval, PAGE_LIMITS[0])
    state = max(own, key=lambda one: one.requests)
    limit = state.capabilities.page_limit(PAGE_LIMITS, clock.now().timestamp())
    return RequestYield(state.interval, limit)

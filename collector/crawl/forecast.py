"""Forecast a harvest: remaining requests and hours per genre, and warnings about genres."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from collector.catalogue import forecast_counts, shards
from collector.catalogue.forecast_counts import FeatureCounts, GenreOverlap, SearchEffort
from collector.crawl import planning
from collector.crawl.forecast_limits import SourceLimits, next_sources
from collector.http import rate_limiter
from collector.shard import GenreProgress, Shard
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Connection

OVERLAP_WARNING_SHARE: Final = 0.75
"""Share of a genre's tracks sighted in other genres, too, from which its query is suspect."""
_MIN_TRACKS: Final = 50
"""Tracks below which a share is not reliable."""
_MAX_LISTED: Final = 3
_HOUR: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class GenreForecast:
    """Progress and forecast of one genre's harvest."""

    genre: str
    target: int
    have: int
    """Unique tracks that count for it."""
    requests: int
    """Spent on it at all sources so far."""
    expected_requests: int | None
    """Until it has its target, at the present yield; None if nothing is left to request, or
    nothing was measured yet."""
    hours_to_go: float | None
    """For those requests, at the budget's present rate."""
    open_shards: int
    """Parts of its search space at its next source that are not read to their end; 1 before the
    first request."""
    unknown: bool
    """No source has anything for it."""
    features_known: int
    features_nowhere: int | None
    """Tracks whose features no requested provider has."""
    features_waiting: int | None
    """Tracks whose features are still to be requested. Both are None if they were not counted."""
    source: str
    """The source that is requested next for it."""


def forecast_genres(
    connection: Connection,
    sources: Sequence[SourceLimits],
    clock: Clock,
    *,
    genres: Sequence[str] = (),
    with_features: Mapping[str, int] | None = None,
) -> list[GenreForecast]:
    """Return the forecast of every genre with a target, or of these only, by name.

    `sources` are those of a harvest, in order: the first that has something left for a genre is
    requested next, and its requests are forecast. With `with_features`, the numbers of tracks with
    features by genre, tracks are not counted.
    """
    needs = shards.genre_progress(connection, genres)
    requested = next_sources(connection, sources, list(needs))
    intervals_and_limits = {
        source.name: _interval_and_page_limit(connection, source, clock)
        for source in dict.fromkeys(requested.values())
    }
    efforts = {
        source.name: forecast_counts.search_effort(connection, source.name) for source in sources
    }
    features = {} if with_features else forecast_counts.feature_counts(connection, clock.now())
    unknown = set.intersection(
        *(set(shards.unknown_genres(connection, source.name, needs)) for source in sources)
    )
    open_shards: dict[tuple[str, int], list[Shard]] = {}
    for source in sources:
        for shard in shards.open_shards(connection, source.name, needs):
            open_shards.setdefault((source.name, shard.genre_id), []).append(shard)
    forecasts = []
    for genre_id, need in needs.items():
        name = requested[genre_id].name
        used, (interval, page_limit) = efforts[name].get(genre_id), intervals_and_limits[name]
        left = open_shards.get((name, genre_id), [])
        expected = expected_requests(need, used, left, page_limit)
        if with_features:
            counts = FeatureCounts(with_features.get(need.name, 0), None, None)
        else:
            counts = features.get(genre_id, FeatureCounts(0, 0, 0))
        forecasts.append(
            GenreForecast(
                genre=need.name,
                target=need.target,
                have=need.tracks,
                requests=sum(by[genre_id].requests for by in efforts.values() if genre_id in by),
                expected_requests=expected,
                hours_to_go=None if expected is None else expected * interval / _HOUR,
                open_shards=used.open_shards if used else 1,
                unknown=need.name in unknown,
                features_known=counts.found,
                features_nowhere=counts.unavailable,
                features_waiting=counts.pending,
                source=name,
            )
        )
    return sorted(forecasts, key=lambda one: one.genre)


def expected_requests(
    need: GenreProgress, effort: SearchEffort | None, open_shards: Sequence[Shard], page_limit: int
) -> int | None:
    """Return how many requests a genre needs to reach its target, None without an estimate.

    Before the first request, pages are assumed to be full of new tracks. Then the estimate is the
    best open shard's, and without one the average of the requests so far.
    """
    missing = need.target - need.tracks
    if missing <= 0:
        return 0
    if effort is None:
        return math.ceil(missing / page_limit)
    if not open_shards:
        return None
    new_tracks = max(planning.expected_new_tracks(shard, page_limit) for shard in open_shards)
    if new_tracks <= 0 and effort.requests:
        new_tracks = need.tracks / effort.requests
    return math.ceil(missing / new_tracks) if new_tracks > 0 else None


def overlap_warnings(connection: Connection, *, stored: bool = False) -> list[str]:
    """Return a warning for each genre that is almost covered by others, by name.

    `stored`: as the digests have them.
    """
    overlaps = forecast_counts.genre_overlaps(
        connection, min_tracks=_MIN_TRACKS, min_share=OVERLAP_WARNING_SHARE, stored=stored
    )
    return [
        f"{name}: {overlap.shared / overlap.tracks:.0%} of its tracks are also in "
        f"{', '.join(_largest_overlaps(overlap))}: check the query."
        for name, overlap in sorted(overlaps.items())
    ]


def unknown_genres_warning(names: Sequence[str]) -> str:
    """Return what to do about genres for which the source has nothing."""
    quoted = ", ".join(repr(name) for name in names)
    return (
        f"The source has nothing at all for {quoted}: check the spelling "
        "(collector genres rename OLD NEW), or remove it (collector genres remove NAME)."
    )


def _largest_overlaps(overlap: GenreOverlap) -> list[str]:
    ordered = sorted(overlap.others, key=lambda name: (-overlap.others[name], name))
    return ordered[:_MAX_LISTED]


def _interval_and_page_limit(
    connection: Connection, source: SourceLimits, clock: Clock
) -> tuple[float, int]:
    """Return the seconds between two requests, and the items a page.

    They are those of the source's most used credential, or the initial ones.
    """
    own = [state for state in rate_limiter.load_states(connection) if state.source == source.name]
    if not own:
        return source.rate.interval, source.page_limits[0]
    state = max(own, key=lambda one: one.requests)
    limit = state.capabilities.page_limit(source.page_limits, clock.now().timestamp())
    return state.interval, limit

"""Status of the harvest: what `collector status` prints."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from collector.catalogue import catalogue_origin, status_counts
from collector.catalogue.status_counts import GenreCounts, LastRun, SourceCounts, Totals
from collector.crawl import forecast
from collector.crawl.forecast import GenreForecast
from collector.crawl.forecast_limits import SourceLimits
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine, read_transaction


@dataclass(frozen=True, slots=True)
class CollectorStatus(Totals):
    """The state of a database at one moment."""

    requests: int
    blocked_until: datetime | None
    """The latest end of a ban by a harvested source; None without one."""
    genres: list[GenreCounts]
    origin: str | None
    """The catalogue that the database was filled from, as text; None before a harvest."""
    invented: bool
    """Its catalogue is the sandbox's own: nothing in it is real music."""
    sources: list[SourceCounts]
    last_runs: list[LastRun]
    outlook: list[GenreForecast]
    """The forecast of every genre with a target."""
    unknown: list[str]
    """Genres for which the source has nothing."""
    alarms: list[str]
    """Warnings about genres that are almost covered by others."""
    as_of: datetime | None = None
    """The time of the stored counts of tracks; None: they were counted now."""
    is_current: bool = True
    """Whether nothing has changed since."""


def read_status(
    engine: Engine, clock: Clock, sources: Sequence[SourceLimits], *, live: bool = False
) -> CollectorStatus:
    """Return the state of the database; what is left to do is forecast for these sources.

    Tracks are counted by the digests if nothing has changed since or the catalogue is large (see
    `status_counts.stored_counts`), else, or if `live`, now. For a large one the forecast is by the
    digests, too.
    """
    with read_transaction(engine) as connection:
        stored = None if live else status_counts.stored_counts(connection, clock.now())
        totals = status_counts.totals(connection) if stored is None else stored.totals
        counts = status_counts.source_counts(connection, clock.now())
        harvested = status_counts.harvested_sources(connection)
        filled_from = catalogue_origin.load_origin(connection)
        genres = status_counts.genre_counts(
            connection, None if stored is None else stored.with_features
        )
        last_runs = status_counts.last_runs(connection, clock.now())
        large = stored if status_counts.is_large(connection) else None
        with_features = None if large is None else large.with_features
        to_go = forecast.forecast_genres(connection, sources, clock, with_features=with_features)
        alarms = forecast.overlap_warnings(connection, stored=large is not None)
    bans = [one.blocked_until for one in counts if one.source in harvested and one.blocked_until]
    return CollectorStatus(
        **asdict(totals),
        requests=sum(one.requests for one in counts),
        blocked_until=max(bans, default=None),
        genres=genres,
        origin=None if filled_from is None else str(filled_from),
        invented=filled_from is not None and filled_from.kind == "synthetic",
        sources=counts,
        last_runs=last_runs,
        outlook=to_go,
        unknown=[one.genre for one in to_go if one.unknown],
        alarms=alarms,
        as_of=None if stored is None else stored.as_of,
        is_current=stored is None or stored.is_current,
    )


def ban_messages(sources: Iterable[SourceCounts]) -> list[str]:
    """Return a message for each source that has blocked us, with the end of the ban."""
    return [
        f"{one.source} is blocked until {one.blocked_until:%Y-%m-%d %H:%M:%S} UTC"
        + (f" ({one.blocked_reason})." if one.blocked_reason else ".")
        for one in sources
        if one.blocked_until
    ]


def active_ban_messages(engine: Engine, clock: Clock) -> list[str]:
    """Return a message for each ban at this moment."""
    with read_transaction(engine) as connection:
        return ban_messages(status_counts.source_counts(connection, clock.now()))

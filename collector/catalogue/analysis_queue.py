"""Analyses of the sound: whose is wanted most, who is asking for it, and what came of it.

What was asked is remembered in `feature_attempt` under a name of its own. A track that somebody is
about to ask for stands there as one to be asked again in some minutes: others leave it alone, and
one who dies leaves it to them by itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from genrebase.store import bulk, tables
from genrebase.store.source_ids import SPOTIFY

if TYPE_CHECKING:
    from genrebase.audio.analysis import TrackAnalysis

ANALYSIS_TABLES: Final = (
    tables.section,
    tables.progression,
    tables.sound_matrix,
    tables.sound_summary,
)
"""What an analysis fills; the summary, by which one is known to be there, last."""

_UNSEEN: Final = 1_000_000
"""The place of a track that was not seen under its label."""


@dataclass(frozen=True, slots=True)
class LeasedTrack:
    """A track that is ours to ask for, for a while."""

    track_id: int
    source_id: str
    """The Spotify id to ask with; of several, each in turn."""
    attempts: int
    """How often it was asked for before."""


def attempt_name(provider: str) -> str:
    """Return under which name `feature_attempt` remembers the analyses asked of a provider."""
    return f"{provider}_analysis"


ATTEMPT_NAME: Final = attempt_name(SPOTIFY)


def has_due(connection: Connection, now: datetime) -> bool:
    """Say whether a track waits for its analysis."""
    return connection.scalar(_due(select(true()), now).limit(1)) is not None


def by_priority(connection: Connection, now: datetime, limit: int) -> list[int]:
    """Return the tracks whose analysis is wanted most, the most wanted first.

    Labelled tracks come before others. Their genres take turns: first the genre for which least
    was asked so far; within a genre first the tracks that stand for it best. Every track that
    waits is looked at: it takes a second or two where there are 100,000.
    """
    return [row.id for row in connection.execute(_most_wanted(now, limit))]


def lease(
    connection: Connection, track_ids: Sequence[int], now: datetime, until: datetime
) -> list[LeasedTrack]:
    """Take those of some tracks that still wait, for nobody else to ask until then.

    Run inside a writing transaction, which the caller commits. The order is kept.
    """
    bulk.lock_identity_writers(connection)
    track, attempt = tables.track, tables.feature_attempt
    attempts = func.coalesce(attempt.c.attempts, 0).label("attempts")
    due = _due(select(track.c.id, attempts), now).where(track.c.id.in_(track_ids))
    counts = {row.id: row.attempts for row in connection.execute(due)}
    ids = _spotify_ids(connection, list(counts))
    claimed = [
        LeasedTrack(one, ids[one][counts[one] % len(ids[one])], counts[one])
        for one in track_ids
        if one in counts
    ]
    _remember(connection, [(one.track_id, one.attempts, until) for one in claimed])
    return claimed


def release(
    connection: Connection, claimed: Iterable[LeasedTrack], until: datetime, now: datetime
) -> None:
    """Give back what was taken until then, and not asked for."""
    attempt = tables.feature_attempt
    mine = (
        attempt.c.provider == ATTEMPT_NAME,
        attempt.c.track_id.in_([one.track_id for one in claimed]),
        attempt.c.next_at == until,
    )
    connection.execute(delete(attempt).where(*mine, attempt.c.attempts == 0))
    connection.execute(update(attempt).where(*mine).values(next_at=now))


def record_result(
    connection: Connection,
    claimed: LeasedTrack,
    provider: str,
    analysis: "TrackAnalysis | None",
    now: datetime,
    next_at: datetime | None,
) -> None:
    """Store the analysis of a track, or that there is none and when to ask again.

    Run inside a writing transaction, which the caller commits. A track that is gone by now
    (merged, forgotten) is left.
    """
    if not _is_there(connection, claimed.track_id):
        return
    if analysis is not None:
        store_analysis(connection, claimed.track_id, provider, analysis, now)
    _remember(
        connection, [(claimed.track_id, claimed.attempts + 1, next_at)], analysis is not None
    )


def store_analysis(
    connection: Connection, track_id: int, provider: str, analysis: "TrackAnalysis", now: datetime
) -> None:
    """Store the analysis of a track, in the place of an earlier one by the same provider."""
    ids = {"track_id": track_id, "provider": provider}
    for table in ANALYSIS_TABLES:
        connection.execute(delete(table).where(*_of(table, ids)))
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (tables.sound_summary, [_summary(analysis, now)]),
        (tables.section, _rows(tables.section, analysis.sections)),
        (tables.progression, _rows(tables.progression, analysis.progressions)),
        (tables.sound_matrix, _rows(tables.sound_matrix, analysis.matrices)),
    ]
    for table, values in rows:
        if values:
            connection.execute(insert(table), [{**ids, **one} for one in values])


def _of(table: Table, ids: dict[str, Any]) -> list[ColumnElement[bool]]:
    return [table.c[name] == value for name, value in ids.items()]


def _rows(table: Table, records: Sequence[object]) -> list[dict[str, Any]]:
    """Return rows of records whose fields are named as the columns are."""
    names = [name for name in table.columns.keys() if name not in {"track_id", "provider"}]  # noqa: SIM118 - a collection's keys
    return [{name: getattr(one, name) for name in names} for one in records]


def _summary(analysis: "TrackAnalysis", now: datetime) -> dict[str, Any]:
    whole, harmony, timbre = analysis.track_key, analysis.harmony, analysis.timbre
    unknown = [None] * len(tables.DEGREE_COLUMNS)
    timbres = [*timbre.timbre_means, *timbre.timbre_deviations] if timbre else unknown * 2
    pitches = [*timbre.pitch_means, *timbre.pitch_deviations] if timbre else unknown * 2
    return {
        "key": whole.key,
        "mode": whole.mode,
        "key_confidence": whole.key_confidence,
        "mode_confidence": whole.mode_confidence,
        "sections": harmony.sections,
        **dict(zip(tables.DEGREE_COLUMNS, harmony.shares or unknown, strict=True)),
        "minor_share": harmony.minor_share,
        "repeated_share": harmony.repeated_share,
        "single_share": harmony.single_share,
        "degrees": harmony.degrees,
        "degree_changes": harmony.degree_changes,
        "numerals": harmony.numerals,
        "segments": timbre.segments if timbre else 0,
        **dict(zip(tables.TIMBRE_COLUMNS, timbres, strict=True)),
        **dict(zip(tables.PITCH_COLUMNS, pitches, strict=True)),
        "fetched_at": now,
    }


def _is_there(connection: Connection, track_id: int) -> bool:
    track = tables.track
    query = select(track.c.id).where(track.c.id == track_id)
    return connection.scalar(query.with_for_update(read=True)) is not None


def _due(query: Select[Any], now: datetime) -> Select[Any]:
    """Narrow a query to the tracks to be asked for, joined with what was asked before."""
    track, attempt, alias = tables.track, tables.feature_attempt, tables.track_alias
    own = and_(attempt.c.track_id == track.c.id, attempt.c.provider == ATTEMPT_NAME)
    return query.select_from(track.outerjoin(attempt, own)).where(
        ~exists().where(tables.sound_summary.c.track_id == track.c.id),
        exists().where(alias.c.track_id == track.c.id, alias.c.source == SPOTIFY),
        or_(attempt.c.track_id.is_(None), attempt.c.next_at <= now),
    )


def _label() -> ColumnElement[Any]:
    """Return the genre of a track: of its latest verdict, else its claim."""
    verdict = tables.verdict
    latest = (
        select(verdict.c.genre_id)
        .where(verdict.c.track_id == tables.track.c.id)
        .order_by(verdict.c.labelled_at.desc(), verdict.c.labelled_by.desc())
        .limit(1)
        .correlate(tables.track)
        .scalar_subquery()
    )
    return func.coalesce(latest, tables.track.c.genre_id)


def _most_wanted(now: datetime, most: int) -> Select[Any]:
    track, attempt, sighting = tables.track, tables.feature_attempt, tables.sighting
    asked_for = (
        select(_label().label("label"))
        .select_from(attempt.join(track, track.c.id == attempt.c.track_id))
        .where(attempt.c.provider == ATTEMPT_NAME)
        .subquery("asked_for")
    )
    asked = (
        select(asked_for.c.label, func.count().label("tracks"))
        .group_by(asked_for.c.label)
        .subquery("asked")
    )
    attempts = func.coalesce(attempt.c.attempts, 0).label("attempts")
    due = _due(select(track.c.id, _label().label("label"), attempts), now).subquery("due")
    place = func.row_number().over(
        partition_by=due.c.label,
        order_by=(due.c.attempts, func.coalesce(sighting.c.best_rank, _UNSEEN), due.c.id),
    )
    ranked = (
        select(
            due.c.id,
            due.c.label,
            (place + func.coalesce(asked.c.tracks, 0)).label("place"),
        )
        .select_from(
            due.outerjoin(asked, asked.c.label == due.c.label).outerjoin(
                sighting,
                and_(sighting.c.track_id == due.c.id, sighting.c.genre_id == due.c.label),
            )
        )
        .subquery("ranked")
    )
    return (
        select(ranked.c.id)
        .order_by(ranked.c.label.is_(None), ranked.c.place, ranked.c.id)
        .limit(most)
    )


def _spotify_ids(connection: Connection, track_ids: Sequence[int]) -> dict[int, list[str]]:
    rows = bulk.select_in(
        connection,
        "SELECT a.track_id, a.source_id FROM {values} CROSS JOIN track_alias a"
        " WHERE a.track_id = listed.value AND a.source = {mark} ORDER BY a.source_id",
        track_ids,
        SPOTIFY,
        sql_type="bigint",
    )
    ids: dict[int, list[str]] = {}
    for track_id, source_id in rows:
        ids.setdefault(track_id, []).append(source_id)
    return ids


def _remember(
    connection: Connection,
    attempts: Sequence[tuple[int, int, datetime | None]],
    known: bool = False,
) -> None:
    """Write down (track, attempts so far, when to ask again)."""
    dialect = connection.dialect.name
    bulk.upsert(
        connection,
        tables.feature_attempt,
        ("track_id", "provider", "attempts", "next_at", "outcome"),
        [
            (
                track_id,
                ATTEMPT_NAME,
                count,
                next_at and tables.as_driver_datetime(next_at, dialect),
                "known" if known else "unknown",
            )
            for track_id, count, next_at in attempts
        ],
        update="attempts = excluded.attempts, next_at = excluded.next_at, "
        "outcome = excluded.outcome",
    )

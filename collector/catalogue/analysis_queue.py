"""The queue of tracks whose audio analysis is to be fetched, by priority, and the stored analyses.

Attempts are recorded in `feature_attempt` under a provider name of their own.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    delete,
    func,
    insert,
    select,
)

from collector.catalogue.attempt_queue import Attempt, AttemptQueue, LeasedTrack, LeasedTracks
from genrebase.store import matrix_files, tables
from genrebase.store.source_ids import SPOTIFY

if TYPE_CHECKING:
    from genrebase.audio.analysis import TrackAnalysis

ANALYSIS_TABLES: Final = (
    tables.section,
    tables.progression,
    tables.sound_matrix,
    tables.sound_summary,
)
"""Tables of an analysis; the summary, whose row marks it as present, comes last."""

_RANK_IF_UNSEEN: Final = 1_000_000
"""Rank of a track that was not sighted under its label."""


def attempt_name(provider: str) -> str:
    """Return the provider name in `feature_attempt` for requests of analyses."""
    return f"{provider}_analysis"


ATTEMPT_NAME: Final = attempt_name(SPOTIFY)

ANALYSES: Final = AttemptQueue(ATTEMPT_NAME, tables.sound_summary)
"""The queue of the tracks without an analysis."""


def by_priority(connection: Connection, now: datetime, limit: int) -> list[int]:
    """Return the due tracks by priority, at most `limit`.

    Labelled tracks come before others. Their genres take turns, those with the fewest requests
    first; within a genre the tracks with the fewest attempts, then the best rank, come first. The
    query ranks every due track, which takes a second or two for 100,000.
    """
    track, attempt, sighting = tables.track, tables.feature_attempt, tables.sighting
    requested = (
        select(_label().label("label"))
        .select_from(attempt.join(track, track.c.id == attempt.c.track_id))
        .where(attempt.c.provider == ATTEMPT_NAME)
        .subquery("requested")
    )
    per_label = (
        select(requested.c.label, func.count().label("tracks"))
        .group_by(requested.c.label)
        .subquery("per_label")
    )
    attempts = func.coalesce(attempt.c.attempts, 0).label("attempts")
    due = ANALYSES.due(select(track.c.id, _label().label("label"), attempts), now).subquery("due")
    best_rank = (
        select(func.min(sighting.c.best_rank))
        .where(sighting.c.track_id == due.c.id, sighting.c.genre_id == due.c.label)
        .scalar_subquery()
    )
    place = func.row_number().over(
        partition_by=due.c.label,
        order_by=(due.c.attempts, func.coalesce(best_rank, _RANK_IF_UNSEEN), due.c.id),
    )
    ranked = (
        select(
            due.c.id,
            due.c.label,
            (place + func.coalesce(per_label.c.tracks, 0)).label("place"),
        )
        .select_from(due.outerjoin(per_label, per_label.c.label == due.c.label))
        .subquery("ranked")
    )
    query = select(ranked.c.id).order_by(ranked.c.label.is_(None), ranked.c.place, ranked.c.id)
    return list(connection.scalars(query.limit(limit)))


def lease(
    connection: Connection, track_ids: Sequence[int], now: Callable[[], datetime]
) -> LeasedTracks:
    """Lease those of some tracks that are still due, in the given order."""
    track = tables.track.c
    due = ANALYSES.due(select(track.id), now()).where(track.id.in_(track_ids))
    leased = ANALYSES.lease(connection, due, now)
    place = {track_id: place for place, track_id in enumerate(track_ids)}
    leased.tracks.sort(key=lambda one: place[one.track_id])
    return leased


def record_result(
    connection: Connection,
    track: LeasedTrack,
    provider: str,
    analysis: "TrackAnalysis | None",
    now: datetime,
    next_at: datetime | None,
) -> None:
    """Store the analysis of a track, or that there is none and when to request it again.

    A track that is gone by now (merged, forgotten) is skipped.
    """
    lock = select(tables.track.c.id).where(tables.track.c.id == track.track_id)
    if connection.scalar(lock.with_for_update(read=True)) is None:
        return
    if analysis is not None:
        store_analysis(connection, track.track_id, provider, analysis, now)
    attempt = Attempt(track.track_id, track.attempts + 1, next_at, analysis is not None)
    ANALYSES.record(connection, [attempt])


def store_analysis(
    connection: Connection, track_id: int, provider: str, analysis: "TrackAnalysis", now: datetime
) -> None:
    """Store the analysis of a track, replacing an earlier one by the same provider."""
    ids = {"track_id": track_id, "provider": provider}
    for table in ANALYSIS_TABLES:
        same = (table.c[name] == value for name, value in ids.items())
        connection.execute(delete(table).where(*same))
    rows: list[tuple[Table, list[dict[str, Any]]]] = [
        (tables.sound_summary, [_summary(analysis, now)]),
        (tables.section, _rows(tables.section, analysis.sections)),
        (tables.progression, _rows(tables.progression, analysis.progressions)),
        (tables.sound_matrix, matrix_files.stored(connection, map(asdict, analysis.matrices))),
    ]
    for table, values in rows:
        if values:
            connection.execute(insert(table), [{**ids, **one} for one in values])


def _rows(table: Table, records: Sequence[object]) -> list[dict[str, Any]]:
    names = [name for name in table.columns.keys() if name not in {"track_id", "provider"}]  # noqa: SIM118 - a collection's keys
    return [{name: getattr(one, name) for name in names} for one in records]


def _summary(analysis: "TrackAnalysis", now: datetime) -> dict[str, Any]:
    timbre, unknown = analysis.timbre, [None] * len(tables.DEGREE_COLUMNS)
    whole = asdict(analysis.track_key) | asdict(analysis.harmony)
    shares = whole.pop("shares") or unknown
    del whole["tempo"]  # a feature
    timbres = [*timbre.timbre_means, *timbre.timbre_deviations] if timbre else unknown * 2
    pitches = [*timbre.pitch_means, *timbre.pitch_deviations] if timbre else unknown * 2
    return {
        **whole,
        **dict(zip(tables.DEGREE_COLUMNS, shares, strict=True)),
        "segments": timbre.segments if timbre else 0,
        **dict(zip(tables.TIMBRE_COLUMNS, timbres, strict=True)),
        **dict(zip(tables.PITCH_COLUMNS, pitches, strict=True)),
        "fetched_at": now,
    }


def _label() -> ColumnElement[Any]:
    """Return the label of a track: the genre of its latest verdict, else its claim."""
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

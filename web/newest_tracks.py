"""Facts about new tracks, from the newest ids: nothing here takes longer in a larger database.

Ids grow with time, so that the newest tracks are the last rows of the primary key.
"""

from bisect import bisect_left
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from genrebase.store import tables

SAMPLE: Final = 5_000
"""Tracks that are looked at, at either end of the ids."""

_track = tables.track.c


def labelled_since(connection: Connection, at: datetime) -> int:
    """Return the number of tracks with a claim that were first seen after a time.

    Exact if there are fewer than `SAMPLE` new tracks. Else an estimate: the ids since then, times
    the share of the newest `SAMPLE` tracks that have a claim.
    """
    newest = connection.execute(
        select(_track.first_seen_at, _track.genre_id).order_by(_track.id.desc()).limit(SAMPLE)
    ).all()
    newer = [row for row in newest if row.first_seen_at > at]
    labelled = sum(row.genre_id is not None for row in newer)
    if len(newer) < SAMPLE:
        return labelled
    return round(_ids_since(connection, at) * labelled / len(newer))


def any_without_request(connection: Connection) -> bool:
    """Return whether a track without features was never requested from a provider.

    Only the oldest and the newest `SAMPLE` tracks are looked at: features are requested in the
    order of the ids, or of the newest first.
    """
    attempt = tables.feature_attempt.c
    requested = select(attempt.track_id).where(attempt.attempts > 0)
    for order in (_track.id.desc(), _track.id.asc()):
        sample = select(_track.id, _track.features_provider).order_by(order).limit(SAMPLE)
        rows = sample.subquery("sample").c
        of_track = requested.where(attempt.track_id == rows.id)
        unrequested = select(rows.id).where(rows.features_provider.is_(None), ~of_track.exists())
        if connection.execute(unrequested.limit(1)).first() is not None:
            return True
    return False


def _ids_since(connection: Connection, at: datetime) -> int:
    """Return the number of ids given after a time, by bisection of the ids."""
    highest = int(connection.execute(select(func.max(_track.id))).scalar_one())
    ids = range(1, highest + 1)
    return highest - bisect_left(ids, x=True, key=lambda one: _is_newer(connection, one, at))


def _is_newer(connection: Connection, track_id: int, at: datetime) -> bool:
    """Return whether the first track from an id on was first seen after a time."""
    query = select(_track.first_seen_at).where(_track.id >= track_id).order_by(_track.id).limit(1)
    first = connection.execute(query).scalar()
    return first is None or first > at

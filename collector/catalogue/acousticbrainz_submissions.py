"""Store AcousticBrainz' numbers of recordings, and their tempo as an audio feature.

The stored state is a function of what was delivered, not of the order: per recording and group of
numbers the summary of more submissions stays, per track the tempo of the recording with the most.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from collector.acousticbrainz_submissions import (
    GROUP_COLUMNS,
    GroupSummary,
    RecordingSummary,
    Submission,
    merged,
    summarise,
)
from collector.catalogue import data_sources, feature_licences, feature_queue
from genrebase.store import bulk, tables

RecordingKey = tuple[int, str]
"""A track's id, and the id of a recording of it: an MBID, or `md5:…` of the audio."""

_COUNTS: Final = tuple(f"{group}_submissions" for group in GROUP_COLUMNS)
_COLUMNS: Final = (*_COUNTS, *(name for names in GROUP_COLUMNS.values() for name in names))
_KEY: Final = ("track_id", "provider", "recording_id", "origin")
_TEMPO: Final = tables.FEATURES.index("tempo")


@dataclass(frozen=True, slots=True)
class SubmissionSource:
    """Who delivers submissions."""

    provider: str
    """`acousticbrainz`, or `essentia`."""
    origin: str
    """The origin of an import; the provider for its API."""


PUBLISHED: Final = SubmissionSource(tables.ACOUSTICBRAINZ_PROVIDER, tables.ACOUSTICBRAINZ_PROVIDER)
"""AcousticBrainz' API."""


def store_submissions(
    connection: Connection,
    recordings: Mapping[RecordingKey, Sequence[Submission]],
    now: datetime,
    source: SubmissionSource = PUBLISHED,
) -> int:
    """Store the summaries of submissions, all of one recording together.

    Returns the number of recordings whose stored numbers changed. Run inside a transaction that
    holds the lock of `bulk.lock_identity_writers`; tracks that are gone are left out.
    """
    summaries = {key: summarise(submissions) for key, submissions in recordings.items()}
    return store_summaries(connection, summaries, now, source)


def store_summaries(
    connection: Connection,
    summaries: Mapping[RecordingKey, RecordingSummary],
    now: datetime,
    source: SubmissionSource = PUBLISHED,
) -> int:
    """Store summaries like `store_submissions`."""
    track_ids = sorted({track_id for track_id, _ in summaries})
    if track_ids:
        data_sources.ensure(connection, source.provider, None, now)
    existing = bulk.existing_tracks(connection, track_ids)
    stored = _load(connection, track_ids, source)
    moment = tables.as_driver_datetime(now, connection.dialect.name)
    rows = []
    for (track_id, recording), summary in summaries.items():
        before = stored.get((track_id, recording), {})
        after = merged(before, summary)
        if track_id in existing and after != before:
            key = (track_id, source.provider, recording, source.origin)
            rows.append((*key, *_row(after), moment))
    columns = (*_COLUMNS, "fetched_at")
    bulk.upsert(
        connection,
        tables.acousticbrainz_recording,
        (*_KEY, *columns),
        rows,
        update=", ".join(f"{name} = excluded.{name}" for name in columns),
    )
    _update_tempos(connection, sorted({row[0] for row in rows}), source.provider, now)
    return len(rows)


def merge_tracks(connection: Connection, keep: int, drop: int, now: datetime) -> None:
    """Give the track `keep` the recordings of `drop`, which is removed afterwards."""
    row = tables.acousticbrainz_recording.c
    query = select(row.provider, row.origin).where(row.track_id == drop).distinct()
    for provider, origin in sorted(map(tuple, connection.execute(query))):
        source = SubmissionSource(provider, origin)
        moved = _load(connection, [drop], source)
        summaries = {(keep, recording): one for (_, recording), one in moved.items()}
        store_summaries(connection, summaries, now, source)


def remove_of_origin(
    connection: Connection, track_ids: Sequence[int], origin: str, now: datetime
) -> None:
    """Remove what the imports of an origin, such as `essentia:FOLDER`, delivered of tracks."""
    provider = origin.partition(":")[0]
    if provider in tables.SUBMISSION_PROVIDERS:
        remove_of_import(connection, track_ids, SubmissionSource(provider, origin), now)


def remove_of_import(
    connection: Connection, track_ids: Sequence[int], source: SubmissionSource, now: datetime
) -> None:
    """Remove what an import delivered of these tracks."""
    bulk.execute_in(
        connection,
        "DELETE FROM acousticbrainz_recording WHERE provider = {mark} AND origin = {mark}"
        " AND track_id",
        track_ids,
        source.provider,
        source.origin,
    )
    _update_tempos(connection, track_ids, source.provider, now)


def remove_groups(
    connection: Connection,
    track_ids: Sequence[int],
    source: SubmissionSource,
    groups: Collection[str],
    now: datetime,
) -> int:
    """Remove these groups of the numbers that a source delivered; return the tracks with any."""
    stored = _load(connection, track_ids, source)
    changed = {
        track_id for (track_id, _), one in stored.items() if not one.keys().isdisjoint(groups)
    }
    remove_of_import(connection, sorted(changed), source, now)
    remaining = {
        key: {name: numbers for name, numbers in summary.items() if name not in groups}
        for key, summary in stored.items()
        if key[0] in changed
    }
    store_summaries(connection, remaining, now, source)
    return len(changed)


def _load(
    connection: Connection, track_ids: Sequence[int], source: SubmissionSource
) -> dict[RecordingKey, RecordingSummary]:
    rows = bulk.rows_of(
        connection,
        "acousticbrainz_recording",
        "track_id",
        track_ids,
        ("track_id", "recording_id", *_COLUMNS),
        **asdict(source),
    )
    return {(track_id, recording): _summary(values) for track_id, recording, *values in rows}


def _update_tempos(
    connection: Connection, track_ids: Sequence[int], provider: str, now: datetime
) -> None:
    """Store as tempo of tracks that of their recording with the most submissions.

    Of several recordings the first by id counts. A track without a tempo loses the provider's row.
    """
    total = " + ".join(f"r.{name}" for name in _COUNTS)
    rows = bulk.select_in(
        connection,
        "SELECT r.track_id, r.bpm FROM {values} CROSS JOIN acousticbrainz_recording r"
        " WHERE r.track_id = listed.value AND r.provider = {mark} AND r.bpm IS NOT NULL"
        f" ORDER BY r.track_id, r.rhythm_submissions, {total}, r.recording_id DESC, r.origin DESC",
        track_ids,
        provider,
    )
    tempos = dict(map(tuple, rows))
    stored = feature_queue.load_features(connection, track_ids, provider)
    none: tuple[float | None, ...] = (None,) * len(tables.FEATURES)
    changed = {
        track_id: (*none[:_TEMPO], tempo, *none[_TEMPO + 1 :])
        for track_id, tempo in tempos.items()
        if track_id not in stored or stored[track_id][_TEMPO] != tempo
    }
    feature_queue.store_features(connection, changed, provider, now, replace=True)
    feature_queue.delete_features(connection, sorted(stored.keys() - tempos.keys()), provider)
    if provider != tables.ACOUSTICBRAINZ_PROVIDER:  # whose numbers are all CC0
        feature_licences.recompute(connection, provider, track_ids)


def _row(summary: RecordingSummary) -> tuple[Any, ...]:
    groups = [summary.get(group, GroupSummary()) for group in GROUP_COLUMNS]
    values = [
        value
        for summarised, names in zip(groups, GROUP_COLUMNS.values(), strict=True)
        for value in summarised.values or (None,) * len(names)
    ]
    return (*(one.submissions for one in groups), *values)


def _summary(row: Sequence[Any]) -> dict[str, GroupSummary]:
    counts, values = row[: len(_COUNTS)], iter(row[len(_COUNTS) :])
    groups = {}
    for submissions, (group, names) in zip(counts, GROUP_COLUMNS.items(), strict=True):
        own = tuple(next(values) for _ in names)
        if submissions:
            groups[group] = GroupSummary(submissions, own)
    return groups

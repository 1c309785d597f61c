"""Merge stored tracks that turned out to be the same recording: all rows move to one id."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, Table, delete, text, update

from collector.catalogue import (
    acousticbrainz_submissions,
    analysis_queue,
    feature_licences,
    genre_counters,
    import_features,
    import_sightings,
    pending_track,
    sightings,
    track_claims,
)
from collector.catalogue.import_ledger import BITS, DESCRIPTORS_KEY, FEATURES_KEY
from genrebase.store import features_provider, licence_sql, tables

_MOVE_VERDICTS: Final = text("""
    INSERT INTO verdict (track_id, labelled_by, genre_id, labelled_at, note, blind)
    SELECT :older, labelled_by, genre_id, labelled_at, note, blind
    FROM verdict WHERE track_id = :younger
    ON CONFLICT (track_id, labelled_by) DO UPDATE SET
        genre_id = excluded.genre_id, labelled_at = excluded.labelled_at, note = excluded.note,
        blind = excluded.blind
    WHERE excluded.labelled_at > verdict.labelled_at
""")


_MOVE_DELIVERIES: Final = text(f"""
    INSERT INTO import_track (track_id, import_id, created, delivered, licence)
    SELECT :older, younger.import_id, younger.created AND EXISTS (
        SELECT 1 FROM import_track older WHERE older.track_id = :older AND older.created
    ), CASE WHEN EXISTS (
        SELECT 1 FROM audio_features own WHERE own.track_id = :older
        AND substr(file.origin || ':', 1, length(own.provider) + 1) = own.provider || ':'
    ) THEN 0 ELSE younger.delivered & {BITS[FEATURES_KEY]} END + CASE WHEN EXISTS (
        SELECT 1 FROM descriptor own
        WHERE own.track_id = :older AND own.schema = file.schema
        AND substr(file.origin || ':', 1, length(own.provider) + 1) = own.provider || ':'
    ) THEN 0 ELSE younger.delivered & {BITS[DESCRIPTORS_KEY]} END, younger.licence
    FROM import_track younger JOIN imported_file file ON file.id = younger.import_id
    WHERE younger.track_id = :younger
    ON CONFLICT (track_id, import_id) DO UPDATE SET
        delivered = import_track.delivered | excluded.delivered,
        licence = {licence_sql.stricter("import_track.licence", "excluded.licence")}
""")
"""The older track keeps its values: of the younger's, none is stored for certain.

Only audio features and descriptors that the older one lacks are: their licences follow them.
`import_features.merge_tracks` combines features of one origin.
"""

_NOTE_MERGED: Final = text(
    "INSERT INTO merged_track (track_id, merged_into) VALUES (:younger, :older)"
)

_UNLESS_ANALYSED: Final = (
    " AND NOT EXISTS (SELECT 1 FROM sound_summary own"
    " WHERE own.track_id = :older AND own.provider = moved.provider)"
)


def merge_pairs(
    connection: Connection, pairs: Iterable[tuple[int, int]], origin: str, now: datetime
) -> set[int]:
    """Merge each pair (older, younger) of track ids; return the younger ones, which are gone."""
    moved: dict[int, int] = {}
    for older_id, younger_id in pairs:
        older, younger = _final(moved, older_id), _final(moved, younger_id)
        if older != younger:
            keep, drop = min(older, younger), max(older, younger)
            merge_into(connection, keep, drop, origin, now)
            moved[drop] = keep
    return set(moved)


def merge_into(
    connection: Connection,
    keep: int,
    drop: int,
    origin: str,
    now: datetime,
    *,
    with_credits: bool = True,
) -> None:
    """Merge one track into another, whichever is older; `drop` is gone afterwards.

    Without `with_credits` the artists of `drop` are not credited.
    """
    ids = {"older": keep, "younger": drop}
    both = {draft.id: draft for draft in pending_track.load(connection, [keep, drop])}
    older, younger = both[keep], both[drop]
    if not with_credits:
        younger.credits.clear()
    older.merge_from(younger)
    pending_track.store(connection, [older], origin=origin, now=now)
    for table in (tables.track_alias, tables.sound_file, tables.audio_download):
        connection.execute(update(table).where(table.c.track_id == drop).values(track_id=keep))
    merged = tables.merged_track
    connection.execute(update(merged).where(merged.c.merged_into == drop).values(merged_into=keep))
    sighted = genre_counters.count_sightings(connection, [keep, drop])
    sightings.merge_tracks(connection, keep, drop)
    combined = import_features.merge_tracks(connection, keep, drop, now)
    connection.execute(_MOVE_DELIVERIES, ids)
    if combined is not None:
        feature_licences.recompute(connection, combined, [keep])
    import_sightings.merge_tracks(connection, keep, drop, now)
    connection.execute(_MOVE_VERDICTS, ids)
    connection.execute(delete(tables.verdict).where(tables.verdict.c.track_id == drop))
    for table in (tables.audio_features, tables.feature_attempt, tables.descriptor):
        _move(connection, table, ids)
    acousticbrainz_submissions.merge_tracks(connection, keep, drop, now)
    features_provider.choose(connection, [keep])
    for table in analysis_queue.ANALYSIS_TABLES:  # parts of two analyses must not be mixed
        _move(connection, table, ids, _UNLESS_ANALYSED)
    connection.execute(delete(tables.track).where(tables.track.c.id == drop))
    connection.execute(_NOTE_MERGED, ids)
    change = genre_counters.count_sightings(connection, [keep])
    change.subtract(sighted)
    claimed = genre_counters.of_moves([(younger.claim[0], None)])
    genre_counters.add(connection, change, claimed)
    track_claims.recompute(connection, [keep])


def _final(moved: dict[int, int], track_id: int) -> int:
    while track_id in moved:
        track_id = moved[track_id]
    return track_id


def _move(
    connection: Connection, table: Table, ids: Mapping[str, int], condition: str = ""
) -> None:
    """Give the older track the rows of providers that only the younger one has."""
    names = ", ".join(column.name for column in table.columns if column.name != "track_id")
    connection.execute(
        text(
            f"INSERT INTO {table.name} (track_id, {names}) SELECT :older, {names}"
            f" FROM {table.name} moved WHERE track_id = :younger{condition}"
            " ON CONFLICT DO NOTHING"
        ),
        ids,
    )

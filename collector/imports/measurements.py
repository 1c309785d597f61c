"""Store the descriptors and submissions that come with the rows of an import."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from collector.acousticbrainz_submissions import Submission
from collector.catalogue import acousticbrainz_submissions, audio_files, import_ledger
from collector.catalogue.acousticbrainz_submissions import RecordingKey, SubmissionSource
from collector.catalogue.aliases import tracks_of_all
from collector.datasets.rows import ParsedRow
from collector.imports.records import DescriptorSchema
from genrebase.audio import packed_vectors
from genrebase.store.bulk import grouped
from genrebase.store.engine import Connection

Values = Sequence[float]


def store_descriptors(
    connection: Connection,
    import_id: int,
    schema: DescriptorSchema,
    values: Mapping[tuple[str, str], Values],
    now: datetime,
) -> int:
    """Store the values of existing tracks by (source, id); return the number of these."""
    ids = tracks_of_all(connection, grouped(values))
    packed = {ids[key]: packed_vectors.pack(row) for key, row in values.items() if key in ids}
    import_ledger.deliver_descriptors(
        connection, import_id, packed, (schema.provider, schema.name)
    )
    audio_files.store_descriptors(connection, packed, schema.provider, schema.name, now)
    return sum(key in ids for key in values)


def store_submissions(
    connection: Connection, rows: Sequence[ParsedRow], source: SubmissionSource, now: datetime
) -> None:
    """Store the submissions that come with rows whose tracks are stored."""
    with_submissions = [row for row in rows if row.recording is not None]
    ids = tracks_of_all(connection, grouped(row.track.address for row in with_submissions))
    by_recording: dict[RecordingKey, list[Submission]] = {}
    for row in with_submissions:
        track_id = ids.get(row.track.address)
        if track_id is not None and row.recording is not None:
            key = (track_id, row.recording.recording_id)
            by_recording.setdefault(key, []).extend(row.recording.submissions)
    acousticbrainz_submissions.store_submissions(connection, by_recording, now, source)

"""What imports of AcousticBrainz' CSV dumps deliver, and how one is undone.

The dumps' numbers are stored under an origin of their own, beside those of the API. An import has
one or several of the dumps' tables: an undo removes the numbers of these.
"""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from collector.catalogue import acousticbrainz_submissions
from collector.catalogue.acousticbrainz_submissions import SubmissionSource
from collector.catalogue.import_undo import UndoCounts
from collector.catalogue.imported_files import StoredImport
from genrebase.store import bulk, tables

ORIGIN: Final = "acousticbrainz-dump"
SOURCE: Final = SubmissionSource(tables.ACOUSTICBRAINZ_PROVIDER, ORIGIN)
TABLES: Final = "tables"
"""The option of an import that lists its groups of numbers."""


def undo_batch(
    connection: Connection, stored: StoredImport, after: int, limit: int, now: datetime
) -> tuple[UndoCounts, int | None]:
    """Undo an import for at most `limit` tracks with ids after `after`, as `import_undo` does."""
    bulk.lock_identity_writers(connection)
    row = tables.acousticbrainz_recording.c
    query = select(row.track_id).where(row.origin == ORIGIN, row.track_id > after).distinct()
    track_ids = list(connection.scalars(query.order_by(row.track_id).limit(limit)))
    if not track_ids:
        return UndoCounts(), None
    changed = acousticbrainz_submissions.remove_groups(
        connection, track_ids, SOURCE, stored.options.get(TABLES, ()), now
    )
    return UndoCounts(kept=len(track_ids), restored=changed), track_ids[-1]

"""Store and read digests: all of one computation at once, with the time they are of."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, or_, select

from genrebase.digests.definitions import (
    DIGESTS,
    JOBS,
    OF_PREDICTIONS,
    PREDICTION_JOBS,
    WHOLE,
)
from genrebase.store import bulk, tables, views
from genrebase.store.tables import UtcDateTime, as_driver_datetime

Row = Sequence[Any]

MAX_REUSED_AGE: Final = timedelta(days=1)
"""Age up to which digests of predictions are kept while nothing but labels changes."""

_NAMING_TRACKS: Final = sorted({one.view for one in DIGESTS if one.names_tracks})


@dataclass(frozen=True, slots=True)
class StoredDigest:
    """Stored rows of a view."""

    view: str
    key: str
    as_of: datetime
    """The time of the state of the database that the rows show."""
    columns: Sequence[str]
    rows: Sequence[Row]
    """The rows in order, each with a value per column, as the view returns them."""
    is_current: bool
    """Whether nothing has changed since: no job that changes data ended later or is running,
    nobody gave a verdict, added a genre or clustered tracks, and no digest was discarded."""

    def as_dicts(self) -> list[dict[str, Any]]:
        """Return the rows with the names of their columns."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def read(connection: Connection, view: str, key: str = WHOLE) -> StoredDigest | None:
    """Return the stored rows of `view` under `key`, the name of a genre or empty.

    None: nothing is stored under the key. Where the view has other keys, it has no rows of this
    genre (`as_of`).
    """
    digest = tables.digest
    query = select(digest.c.as_of, digest.c.document).where(
        digest.c.view == view, digest.c.key == key
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    document = json.loads(row.document)
    moments = _moments(view)
    rows = [_with_times(one, moments) for one in document["rows"]] if moments else document["rows"]
    current = is_complete(connection) and not changed_since(connection, row.as_of)
    return StoredDigest(view, key, row.as_of, document["columns"], rows, current)


def as_of(connection: Connection) -> datetime | None:
    """Return the time that the stored digests are of; None if there are none."""
    latest: datetime | None = connection.scalar(select(func.max(tables.digest.c.as_of)))
    return latest


def is_discarded(connection: Connection, view: str) -> bool:
    """Return whether the digests of `view` were deleted, and are still to be computed again."""
    rows = select(tables.digest.c.view).where(tables.digest.c.view == view).limit(1)
    return connection.execute(rows).first() is None and not is_complete(connection)


def is_complete(connection: Connection) -> bool:
    """Return whether no digest has been discarded."""
    always = {one.view for one in DIGESTS if not one.keys}  # also without a row
    return always <= set(connection.scalars(select(tables.digest.c.view).distinct()))


def changed_since(connection: Connection, moment: datetime) -> bool:
    """Return whether something that digests show may have changed after `moment`."""
    given = (
        tables.verdict.c.labelled_at,
        tables.genre.c.created_at,
        tables.clustering.c.created_at,
    )
    return _has_later(connection, moment, JOBS, given)


def reusable(connection: Connection, now: datetime) -> Sequence[str]:
    """Return the views of predictions if their digests can be kept, else none.

    They can for a day while no job changes predictions or many labels, nobody gives a verdict and
    no track that they name is deleted: what a harvest adds has no predictions.
    """
    digest = tables.digest.c
    rows = connection.execute(
        select(digest.view, digest.as_of, digest.document).where(digest.view.in_(OF_PREDICTIONS))
    ).all()
    if {row.view for row in rows} != set(OF_PREDICTIONS):
        return ()
    oldest = min(row.as_of for row in rows)
    given = (tables.verdict.c.labelled_at,)
    if not timedelta() <= now - oldest <= MAX_REUSED_AGE or _has_later(
        connection, oldest, PREDICTION_JOBS, given
    ):
        return ()
    documents: dict[str, dict[str, Sequence[Row]]] = {}
    for number, row in enumerate(rows):
        documents.setdefault(row.view, {})[str(number)] = json.loads(row.document)["rows"]
    return () if _deleted_tracks(connection, documents) else OF_PREDICTIONS


def _has_later(
    connection: Connection, moment: datetime, jobs: Sequence[str], given: Sequence[Any]
) -> bool:
    """Return whether a job runs or ended after `moment`, or a column of `given` has a later time.

    `jobs` are the first words of their names.
    """
    run = tables.job_run
    ended_later = or_(run.c.outcome == "running", run.c.finished_at > moment)
    named = (run.c.job.in_(jobs), *(run.c.job.startswith(f"{name} ") for name in jobs))
    changes = select(run.c.id).where(or_(*named), run.c.outcome != "nothing_new", ended_later)
    queries = [changes, *(select(column).where(column > moment) for column in given)]
    return any(connection.execute(query.limit(1)).first() is not None for query in queries)


def replace(
    connection: Connection,
    documents: Mapping[str, Mapping[str, Sequence[Row]]],
    moment: datetime,
    kept: Sequence[str] = (),
) -> None:
    """Replace all stored digests by these: rows by view and key; inside a writing transaction.

    Those of the views `kept` stay. Rows of tracks that have been deleted since are left out.
    """
    if connection.dialect.name == "postgresql":
        # whoever discards digests waits, and then discards these, too
        connection.exec_driver_sql("LOCK TABLE digest IN SHARE ROW EXCLUSIVE MODE")
    deleted = _deleted_tracks(connection, documents)
    connection.execute(delete(tables.digest).where(tables.digest.c.view.not_in(kept)))
    time = as_driver_datetime(moment, connection.dialect.name)
    stored = [
        (view, key, time, len(rows), to_json(view, rows))
        for view, keyed in documents.items()
        for key, rows in _without(deleted, view, keyed).items()
    ]
    bulk.insert(connection, tables.digest, ("view", "key", "as_of", "rows", "document"), stored)


def discard(
    connection: Connection, *, naming_tracks: bool = False, views_named: Sequence[str] = ()
) -> None:
    """Delete the stored digests, those with names of tracks or of some views; the caller commits.

    The next check refreshes them.
    """
    chosen = [*views_named, *(_NAMING_TRACKS if naming_tracks else ())]
    query = delete(tables.digest)
    connection.execute(query.where(tables.digest.c.view.in_(chosen)) if chosen else query)


def to_json(view: str, rows: Sequence[Row]) -> str:
    """Return the document of a digest; times are in UTC, as text."""
    document = {"columns": list(views.ALL[view].columns), "rows": rows}
    return json.dumps(
        document, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_time_text
    )


def _time_text(value: Any) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} cannot be stored in a digest")
    return value.astimezone(UTC).isoformat()


def _moments(view: str) -> list[int]:
    """Return the positions of the columns that hold times."""
    columns = enumerate(views.ALL[view].table.columns)
    return [position for position, column in columns if isinstance(column.type, UtcDateTime)]


def _with_times(row: list[Any], positions: Sequence[int]) -> list[Any]:
    for position in positions:
        if row[position] is not None:
            row[position] = datetime.fromisoformat(row[position])
    return row


def _without(
    deleted: set[int], view: str, documents: Mapping[str, Sequence[Row]]
) -> Mapping[str, Sequence[Row]]:
    if not deleted or view not in _NAMING_TRACKS:
        return documents
    place = list(views.ALL[view].columns).index("track_id")
    return {
        key: [row for row in rows if row[place] not in deleted] for key, rows in documents.items()
    }


def _deleted_tracks(
    connection: Connection, documents: Mapping[str, Mapping[str, Sequence[Row]]]
) -> set[int]:
    """Return which of the tracks in the documents are no longer in the database."""
    named = {
        row[list(views.ALL[view].columns).index("track_id")]
        for view in _NAMING_TRACKS
        for rows in documents.get(view, {}).values()
        for row in rows
    }
    return named - bulk.existing_tracks(connection, sorted(named))

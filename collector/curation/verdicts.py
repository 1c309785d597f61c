"""Manual annotation: add, remove, export and import the labels that people give to tracks."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collector.catalogue import genres, verdicts
from collector.catalogue.verdicts import Verdict
from collector.curation.genres import unknown_genre
from collector.datasets import reader
from collector.datasets.column_roles import columns
from collector.datasets.formats.table import BrokenRow
from collector.datasets.parsing import cells, genre_names
from genrebase import new_file
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime.clock import Clock
from genrebase.store import find, names, person_names
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Connection, Engine, read_transaction

CSV_HEADER: Final = (
    *("source", "source_id", "genre", "by", "at", "note"),
    *("title", "artists", "blind"),
)
"""The columns of an export; title and artists are for readers and not imported."""

Check = Callable[[Sequence[Verdict]], None]
"""Raises if a track's labels are not those that a change expects."""

_COLUMN_ALIASES: Final = {
    "track": ("track", "track_id", "id", "track_uri", "uri", "track_url", "url"),
    "source": ("source",),
    "source_id": ("source_id",),
    "genre": ("genre", "label"),
    "by": ("by", "labelled_by"),
    "at": ("at", "labelled_at"),
    "note": ("note",),
    "blind": ("blind",),
}

MAX_NOTE_LENGTH: Final = 2_000
"""Maximum characters of a note."""
_BLIND: Final = "yes"
"""The cell of a label that was given blind; others are empty."""


class NoLabeller(UserError):
    """A label is given without the name of a person."""


@dataclass(frozen=True, slots=True)
class LabelImportResult:
    """Counts of the rows of an imported file."""

    rows: int
    labelled: int
    unchanged: int
    """Rows that equal the stored label, or are older."""
    rejected: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class LabelChange:
    """A label that a person gave, and the same person's label of the track before."""

    stored: Verdict
    earlier: Verdict | None


def add(
    engine: Engine,
    clock: Clock,
    track: str,
    genre: str,
    by: str,
    note: str | None = None,
    *,
    check: Check | None = None,
    blind: bool = False,
) -> LabelChange:
    """Store that a person labels `track` as `genre`.

    `check` gets the stored labels of the track, and raises where nothing is to be changed.
    `blind`: the track was drawn at random, and the person did not see its label and prediction.
    """
    person = _labeller(by)
    if note is not None and len(note) > MAX_NOTE_LENGTH:
        raise UserError(
            f"A note has at most {MAX_NOTE_LENGTH:,} characters, and this one has {len(note):,}: "
            "shorten it."
        )
    with exclusive_transaction(engine) as connection:
        track_id = _track_id(connection, track)
        genre_id = _genre_id(connection, genre)
        if check is not None:
            check(verdicts.list_verdicts(connection, [track_id]))
        earlier = _label_of(connection, track_id, person)
        verdicts.add(connection, track_id, genre_id, person, clock.now(), note, blind=blind)
        stored = _label_of(connection, track_id, person)
    assert stored is not None  # noqa: S101 - it was just stored, in the same transaction
    return LabelChange(stored, earlier)


def undo(engine: Engine, change: LabelChange) -> None:
    """Restore a person's earlier label, with its time and note; remove the label without one.

    Raises `UserError` if the label was changed since.
    """
    given, earlier = change.stored, change.earlier
    with exclusive_transaction(engine) as connection:
        stored = _label_of(connection, given.track_id, given.by)
        if stored is None or _content(stored) != _content(given):
            raise UserError(
                f"The label of track {given.track_id} by {given.by} was changed since: nothing "
                "was taken back."
            )
        verdicts.remove(connection, given.track_id, given.by)
        if earlier is not None:
            genre_id = _genre_id(connection, earlier.genre)
            verdicts.add(
                connection, given.track_id, genre_id, given.by, earlier.at, earlier.note,
                blind=earlier.blind,
            )  # fmt: skip


def remove(
    engine: Engine, track: str, by: str | None = None, *, check: Check | None = None
) -> list[Verdict]:
    """Remove a person's label of a track (without `by`: the only one there is).

    `check` is as in `add`.
    """
    with exclusive_transaction(engine) as connection:
        track_id = _track_id(connection, track)
        stored = verdicts.list_verdicts(connection, [track_id])
        if check is not None:
            check(stored)
        labels = {label.by: label for label in stored}
        person = names.clean(by) if by is not None else None
        if not labels or (person is not None and person not in labels):
            raise NothingToDo(f"There is no such label of {track!r} to remove.")
        if person is None and len(labels) > 1:
            raise UserError(
                f"{', '.join(sorted(labels))} labelled {track!r}: name whose label to remove, "
                "with --by NAME."
            )
        person = person or next(iter(labels))
        verdicts.remove(connection, track_id, person)
    return [labels[person]]


def export_labels(engine: Engine, path: Path, *, for_spreadsheets: bool = False) -> int:
    """Write all labels to a new CSV file that `import_labels` takes anywhere; return how many.

    With `for_spreadsheets`, the file is for reading: texts that would be executed are changed.
    """
    with read_transaction(engine) as connection:
        labels = verdicts.list_verdicts(connection)
    with new_file.create_csv(path, CSV_HEADER, for_spreadsheets=for_spreadsheets) as writer:
        writer.writerows(_csv_row(label) for label in labels)
    return len(labels)


def import_labels(
    engine: Engine, clock: Clock, path: Path, by: str | None = None
) -> LabelImportResult:
    """Import labels from a CSV file in one transaction; `by` is the labeller of rows without one.

    A row needs a track (`track`, or `source` and `source_id`) and a stored genre. Rows that cannot
    be used are counted by reason and skipped.
    """
    by = None if by is None else _labeller(by)
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with reader.open_dataset(path) as dataset:
        positions = _column_positions(dataset.header, path, by)
        with exclusive_transaction(engine) as connection:
            genre_ids = genres.ids_by_name(connection)
            now = clock.now()
            for row in dataset.rows():
                if isinstance(row, BrokenRow):
                    reasons[str(row)] += 1
                    continue
                values = {name: names.clean(row[index]) for name, index in positions.items()}
                outcome = _import_row(connection, values, genre_ids, by, now)
                if isinstance(outcome, bool):
                    outcomes["labelled" if outcome else "unchanged"] += 1
                else:
                    reasons[outcome] += 1
            if outcomes["labelled"]:  # their times may be earlier than the digests'
                verdicts.discard_digests(connection)
    rejected = reasons.total()
    return LabelImportResult(
        outcomes.total() + rejected,
        outcomes["labelled"],
        outcomes["unchanged"],
        rejected,
        dict(sorted(reasons.items())),
    )


def _import_row(
    connection: Connection,
    row: Mapping[str, str],
    genre_ids: Mapping[str, int],
    by: str | None,
    now: datetime,
) -> bool | str:
    """Import one row; return whether it changed anything, or why it was rejected."""
    genre_id = genre_ids.get(genre_names.clean_name(row["genre"]))
    if genre_id is None:
        return "unknown genre"
    try:
        person = _labeller(row.get("by") or by or "")
    except NoLabeller:
        return "labelled by nobody"
    except person_names.InvalidPersonName:
        return "the labeller's name is too long, or has control characters"
    labelled_at = _parse_time(row.get("at", ""), now)
    if labelled_at is None:
        return "not a moment"
    try:
        track_id = _track_of_row(connection, row)
    except find.AmbiguousTrack:
        return "ambiguous track"
    if track_id is None:
        return "unknown track"
    note = row.get("note") or None
    if note is not None and len(note) > MAX_NOTE_LENGTH:
        return f"note over {MAX_NOTE_LENGTH:,} characters"
    blind = row.get("blind") == _BLIND
    return verdicts.add(connection, track_id, genre_id, person, labelled_at, note, blind=blind)


def _track_of_row(connection: Connection, row: Mapping[str, str]) -> int | None:
    source, source_id = row.get("source", ""), row.get("source_id", "")
    if source and source_id:
        return find.track_with_alias(connection, source, source_id)
    track = row.get("track") or source_id
    return None if cells.is_missing(track) else find.find_track(connection, track)


def _column_positions(header: Sequence[str], path: Path, by: str | None) -> dict[str, int]:
    plain = [columns.normalise(name) for name in header]
    positions = {
        field: plain.index(next(alias for alias in aliases if alias in plain))
        for field, aliases in _COLUMN_ALIASES.items()
        if any(alias in plain for alias in aliases)
    }
    required = ("genre",) if by else ("genre", "by")
    missing = [field for field in required if field not in positions]
    if "track" not in positions and "source_id" not in positions:
        missing.insert(0, "track")
    if missing:
        raise columns.ColumnsMissing(
            f"{path} has no column {' and none called '.join(missing)}. Labels need track (or "
            f"source and source_id), genre and by; the columns are: {', '.join(header)}."
        )
    return positions


def _parse_time(text: str, default: datetime) -> datetime | None:
    """Return an ISO 8601 time, UTC unless it names a zone; None for anything else."""
    if not text:
        return default
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _csv_row(label: Verdict) -> tuple[str, ...]:
    fields = asdict(label) | {"at": label.at.isoformat(), "note": label.note or ""}
    fields["blind"] = _BLIND if label.blind else ""
    return tuple(fields[column] for column in CSV_HEADER)


def _track_id(connection: Connection, track: str) -> int:
    track_id = find.find_track(connection, track)
    if track_id is None:
        raise find.UnknownTrack(track)
    return track_id


def _genre_id(connection: Connection, genre: str) -> int:
    genre_ids = genres.ids_by_name(connection)
    genre_id = genre_ids.get(genre_names.clean_name(genre))
    if genre_id is None:
        raise unknown_genre(genre, genre_ids)
    return genre_id


def _label_of(connection: Connection, track_id: int, person: str) -> Verdict | None:
    labels = verdicts.list_verdicts(connection, [track_id])
    return next((label for label in labels if label.by == person), None)


def _content(label: Verdict) -> tuple[str, datetime, str | None, bool]:
    return label.genre, label.at, label.note, label.blind


def _labeller(by: str) -> str:
    person = person_names.validate(by)
    if not person:
        raise NoLabeller("A label needs the name of the person who gives it.")
    return person

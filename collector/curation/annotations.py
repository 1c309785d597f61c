"""Human labels: giving, taking back, carrying from one database to another."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from collector.catalogue import find, genres, verdicts
from collector.catalogue.verdicts import Verdict
from collector.curation.genres import unknown_genre
from collector.datasets import cells, columns, reader
from collector.imports import rejects_file
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime.clock import Clock
from genrebase.store import names
from genrebase.store.engine import Connection, Engine, read_transaction, transaction

CSV_HEADER: Final = ("source", "source_id", "genre", "by", "at", "note", "title", "artists")
"""The columns of an export; the last two are for people."""

_COLUMNS: Final = {
    "track": ("track", "track_id", "id", "track_uri", "uri", "track_url", "url"),
    "source": ("source",),
    "source_id": ("source_id",),
    "genre": ("genre", "label"),
    "by": ("by", "labelled_by"),
    "at": ("at", "labelled_at"),
    "note": ("note",),
}


class UnknownTrack(UserError):
    """No such track is stored."""


@dataclass(frozen=True, slots=True)
class LabelImportResult:
    """What became of the rows of a file of labels."""

    rows: int
    labelled: int
    unchanged: int
    """Rows that say what is stored already, or less recently."""
    rejected: int
    reasons: dict[str, int]


def add(
    engine: Engine, clock: Clock, track: str, genre: str, by: str, note: str | None = None
) -> Verdict:
    """Store that a person says `track` is `genre`."""
    person = _person(by)
    with transaction(engine) as connection:
        track_id = _find(connection, track)
        known = genres.ids_by_name(connection)
        genre_id = known.get(genre.strip())
        if genre_id is None:
            raise unknown_genre(genre, known)
        verdicts.add(connection, track_id, genre_id, person, clock.now(), note)
        given = verdicts.list_verdicts(connection, [track_id])
    return next(label for label in given if label.by == person)


def remove(engine: Engine, track: str, by: str | None = None) -> list[Verdict]:
    """Remove a person's label of a track (without `by`: the only one there is)."""
    with transaction(engine) as connection:
        track_id = _find(connection, track)
        people = verdicts.labellers(connection, track_id)
        person = by.strip() if by is not None else None
        if not people or (person is not None and person not in people):
            raise NothingToDo(f"There is no such label of {track!r} to remove.")
        if person is None and len(people) > 1:
            raise UserError(
                f"{', '.join(people)} labelled {track!r}: say whose label goes, with --by NAME."
            )
        person = person or people[0]
        gone = [
            label for label in verdicts.list_verdicts(connection, [track_id]) if label.by == person
        ]
        verdicts.remove(connection, track_id, person)
    return gone


def export_labels(engine: Engine, path: Path) -> int:
    """Write all labels to a new CSV file that `import_labels` takes anywhere; return how many."""
    with read_transaction(engine) as connection:
        everything = verdicts.list_verdicts(connection)
    with rejects_file.create_text(path) as file:
        writer = csv.writer(file)
        writer.writerow(CSV_HEADER)
        writer.writerows(_exported(label) for label in everything)
    return len(everything)


def import_labels(
    engine: Engine, clock: Clock, path: Path, by: str | None = None
) -> LabelImportResult:
    """Take labels from a CSV file, in one transaction; `by` labels the rows that name nobody.

    A row needs a track (`track`, or `source` and `source_id`) and a genre that is there; one that
    cannot be used is counted with its reason and does not stop the others.
    """
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    with reader.open_dataset(path) as dataset:
        at = _positions(dataset.header, path, by)
        with transaction(engine) as connection:
            known = genres.ids_by_name(connection)
            now = clock.now()
            for row in dataset.rows():
                outcome = _take(connection, row, at, known, by, now)
                if isinstance(outcome, bool):
                    outcomes["labelled" if outcome else "unchanged"] += 1
                else:
                    reasons[outcome] += 1
    rejected = reasons.total()
    return LabelImportResult(
        outcomes.total() + rejected,
        outcomes["labelled"],
        outcomes["unchanged"],
        rejected,
        dict(sorted(reasons.items())),
    )


def _take(
    connection: Connection,
    row: Sequence[str] | reader.BrokenRow,
    at: Mapping[str, int],
    known: Mapping[str, int],
    by: str | None,
    now: datetime,
) -> bool | str:
    """Take one row; return whether it changed anything, or why it cannot be used."""
    if isinstance(row, reader.BrokenRow):
        return str(row)
    said = {name: names.clean(row[index]) for name, index in at.items()}
    genre_id = known.get(said["genre"])
    if genre_id is None:
        return "unknown genre"
    person = said.get("by") or by
    if not person:
        return "labelled by nobody"
    moment = _moment(said.get("at", ""), now)
    if moment is None:
        return "not a moment"
    track_id = _addressed(connection, said)
    if track_id is None:
        return "unknown track"
    return verdicts.add(connection, track_id, genre_id, person, moment, said.get("note") or None)


def _addressed(connection: Connection, said: Mapping[str, str]) -> int | None:
    source, source_id = said.get("source", ""), said.get("source_id", "")
    if source and source_id:
        return find.track_with_alias(connection, source, source_id)
    track = said.get("track") or source_id
    return None if cells.is_missing(track) else find.find_track(connection, track)


def _positions(header: Sequence[str], path: Path, by: str | None) -> dict[str, int]:
    plain = [columns.normalise(name) for name in header]
    at = {
        what: plain.index(next(name for name in known if name in plain))
        for what, known in _COLUMNS.items()
        if any(name in plain for name in known)
    }
    missing = [what for what in ("genre", "by") if what not in at and not (what == "by" and by)]
    if "track" not in at and "source_id" not in at:
        missing.insert(0, "track")
    if missing:
        raise columns.ColumnsMissing(
            f"{path} has no column {' and none called '.join(missing)}. Labels need track (or "
            f"source and source_id), genre and by; the columns are: {', '.join(header)}."
        )
    return at


def _moment(text: str, now: datetime) -> datetime | None:
    if not text:
        return now
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _exported(label: Verdict) -> tuple[str, ...]:
    return (
        label.source,
        label.source_id,
        label.genre,
        label.by,
        label.at.isoformat(),
        label.note or "",
        label.title,
        label.artists,
    )


def _find(connection: Connection, track: str) -> int:
    track_id = find.find_track(connection, track)
    if track_id is None:
        raise UnknownTrack(
            f"There is no track {track!r}. Give a source's id, a Spotify URL or URI, or the "
            "track's number (track_id in every view)."
        )
    return track_id


def _person(by: str) -> str:
    person = names.clean(by)
    if not person:
        raise UserError("A label needs somebody who gives it: --by NAME.")
    return person

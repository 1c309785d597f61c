"""Read Spotify ids of tracks from a file: one per line, or a column of a table."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from collector.datasets import reader, survey
from collector.datasets.column_roles import id_columns
from collector.datasets.formats.table import BrokenRow, DatasetReader, NotADataset
from collector.imports import table_hints
from genrebase.counts import agree, counted
from genrebase.errors import UserError, as_clause
from genrebase.store import source_ids

_COMMENT: Final = "#"
_MAX_LINE: Final = 1_000
"""Maximum characters of a first line that is tested as an id."""


def read_ids(file: Path, warn: Callable[[str], object]) -> list[str]:
    """Return the ids of a list or a table, in the file's order.

    `warn` gets a sentence on rows without an id. Raises `UserError` for another file, and for a
    line of a list that is no id.
    """
    if not file.is_file():
        raise UserError(
            f"{str(file)!r} is no Spotify id, URI or URL of a track, and no readable file."
        )
    return _read_list(file) if _is_list(file) else _read_tables(file, warn)


def _is_list(file: Path) -> bool:
    """Return whether the first line that is not blank or a comment is an id, a URI or a URL."""
    try:
        with file.open(encoding="utf-8-sig") as text:
            for line in iter(lambda: text.readline(_MAX_LINE), ""):
                plain = line.strip()
                if plain and not plain.startswith(_COMMENT):
                    return source_ids.parse_track_id(plain) is not None
    except (OSError, ValueError):
        return False
    return True


def _read_list(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UserError(f"{file} cannot be read: {as_clause(error)}.") from error
    ids = []
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith(_COMMENT):
            continue
        source_id = source_ids.parse_track_id(line)
        if source_id is None:
            raise UserError(
                f"Line {number} of {file} is no Spotify id, URI or URL of a track: {line[:80]!r}."
            )
        ids.append(source_id)
    return ids


def _read_tables(file: Path, warn: Callable[[str], object]) -> list[str]:
    ids: list[str] = []
    has_ids = False
    with reader.open_tables(file) as entries:
        for entry in entries:
            try:
                table = entry.open()
            except NotADataset as error:
                if len(entries) == 1:
                    raise
                warn(f"{entry.name} was passed over: {error}")
                continue
            is_other = id_columns.names_others(entry.name.rsplit(".", 1)[-1])
            at = None if is_other else _id_column(table)
            if at is None:
                if len(entries) > 1:
                    warn(
                        f"{entry.name} was passed over: it has no column of Spotify ids of tracks."
                    )
                continue
            has_ids = True
            ids += _column_ids(
                table, at, f"{file}/{entry.name}" if entry.name else str(file), warn
            )
    if not has_ids:
        raise UserError(f"{file} is no list of Spotify ids of tracks, and has no column of them.")
    return ids


def _id_column(table: DatasetReader) -> int | None:
    """Return the column of track ids; in a table without a header its name is an id."""
    at = table_hints.find_ids(table.header, survey.survey_table(table))
    if at is not None:
        return at
    ids = [place for place, name in enumerate(table.header) if source_ids.parse_track_id(name)]
    return ids[0] if ids else None


def _column_ids(
    table: DatasetReader, at: int, name: str, warn: Callable[[str], object]
) -> list[str]:
    """Return the ids of a column, including that of the first line if the table has no header."""
    first = source_ids.parse_track_id(table.header[at])
    ids, without = [first] if first else [], 0
    for row in table.rows():
        source_id = None if isinstance(row, BrokenRow) else source_ids.parse_track_id(row[at])
        if source_id is not None:
            ids.append(source_id)
        elif row is not BrokenRow.HEADER:
            without += 1
    if without:
        warn(
            f"{counted(without, 'row')} of {name} {agree(without, 'has', 'have')} no Spotify id "
            f"of a track in the column {table.header[at]!r}: they were passed over."
        )
    return ids

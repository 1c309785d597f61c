"""Messages on tables that cannot be imported as they are: the reason, and what to do."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from collector.datasets.column_roles import columns, id_columns
from collector.datasets.formats import text_encoding
from collector.datasets.formats.table import DatasetReader, NotADataset
from collector.datasets.parsing import cells
from collector.datasets.rows import RowRejection
from collector.datasets.survey import TableSummary
from collector.imports.records import ImportResult
from genrebase.counts import agree, counted
from genrebase.errors import UserError

_MAX_LISTED: Final = 12
_FOLLOWERS: Final = frozenset({"followers", "followerstotal", "artistfollowers"})
_OF_TRACKS: Final = frozenset({"trackid", "trackname", "album", "albumname", "durationms", "isrc"})
_HEADERLESS: Final = (
    "If that is the first track already, write a line of names above it, such as title,artist."
)
ENCODING_HINT: Final = "name it, such as --encoding latin-1"


def explain(
    error: columns.ColumnsMissing,
    path: Path,
    name: str,
    dataset: DatasetReader,
    summary: TableSummary,
) -> UserError:
    """Return the error for a table without a title or an artist, depending on its content."""
    if not error.missing:  # a column that was named
        return error
    if any(map(cells.has_half_character, dataset.header)):
        return NotADataset(
            f"The names of the columns of {name} have half of a character (a lone surrogate, such "
            "as \\ud800): correct them in the file."
        )
    if any(map(text_encoding.is_undecoded, dataset.header)):
        return NotADataset(
            f"The names of the columns of {name} are not valid UTF-8: name the file's encoding, "
            "such as --encoding cp1252, shift_jis or gbk."
        )
    if _is_of_artists(dataset.header):
        return NotADataset(
            f"{name} is a table of artists, not of tracks: its names, followers and ids are those "
            "of artists. Import a table of tracks; genres of artists come with their tracks."
        )
    ids = find_ids(dataset.header, summary)
    if ids is not None:
        return NotADataset(
            f"{name} lacks names of tracks or artists, but has Spotify ids in the column "
            f"{dataset.header[ids]!r}. Fetch the "
            f"tracks by their ids: collector add {shlex.quote(str(path))}"
        )
    if dataset.is_json:
        listed = ", ".join(dataset.header[:_MAX_LISTED])
        return NotADataset(
            f"{name} is JSON without a list of tracks: its objects hold {listed}. A list of "
            "objects with a title and an artist is needed."
        )
    if len(dataset.header) == 1:
        return NotADataset(
            f"{name} is text without columns. A table needs "
            "a header row with columns for title and artists (docs/imports.md)."
        )
    if len(error.missing) > 1:
        return columns.ColumnsMissing(f"{error} {_HEADERLESS}", error.missing)
    return error


def find_ids(header: Sequence[str], summary: TableSummary) -> int | None:
    """Return the column of a table whose cells are Spotify ids of tracks."""
    if _is_of_artists(header):
        return None
    keys: dict[str, int] = {}
    for position, name in enumerate(header):
        keys.setdefault(columns.column_key(name), position)
    return id_columns.find_spotify_column(keys, summary)


def _is_of_artists(header: Sequence[str]) -> bool:
    """Return whether a table describes artists: only they have followers."""
    keys = {columns.column_key(name) for name in header}
    return "name" in keys and not _FOLLOWERS.isdisjoint(keys) and not _OF_TRACKS & keys


def misread_texts(summary: TableSummary, layout: columns.DatasetColumns) -> Sequence[str]:
    """Return advice on names that were read in a wrong encoding before they came into the file.

    Only the first cells of a column are looked at.
    """
    hints = []
    for position in (layout.title, layout.artists):
        column = summary.get(position)
        repaired = [
            (cell, text)
            for cell in ([] if column is None else column.sample)
            if (text := _as_utf8(cell)) is not None
        ]
        if column is not None and repaired:
            cell, text = repaired[0]
            hints.append(
                f"{column.name} has texts such as {cell!r}, which should be {text!r}: UTF-8 that "
                f"was read as Latin-1 ({len(repaired):,} of the first {len(column.sample):,}). "
                "They are stored as they are; correct the file first."
            )
    return hints


def _as_utf8(text: str) -> str | None:
    """Return the text that was misread; None if this is no misread text."""
    if text.isascii():
        return None
    for encoding in ("cp1252", "latin-1"):
        try:
            return text.encode(encoding).decode()
        except UnicodeError:
            continue
    return None


def encoding_hints(result: ImportResult, dataset: DatasetReader) -> Sequence[str]:
    """Return advice on rows that are not in the file's encoding."""
    cut = result.reasons.get(RowRejection.HALF_CHARACTER, 0)
    if not cut:
        return _undecodable_hints(result, dataset)
    hint = (
        "A lone surrogate, such as \\ud83c, is half of a character: the text was cut inside it "
        f"before the file was written. Correct {counted(cut, 'row')} in the file."
    )
    return (hint, *_undecodable_hints(result, dataset))


def _undecodable_hints(result: ImportResult, dataset: DatasetReader) -> Sequence[str]:
    undecodable = result.reasons.get(RowRejection.UNDECODABLE, 0)
    decodable = dataset.non_ascii_rows - undecodable
    if not undecodable:
        return ()
    if decodable <= undecodable:
        return (f"Rows that cannot be decoded may be in another encoding: {ENCODING_HINT}.",)
    hint = (
        f"{counted(undecodable, 'row')} {agree(undecodable, 'is', 'are')} not valid UTF-8, while "
        f"{counted(decodable, 'other')} with characters beyond ASCII "
        f"{agree(decodable, 'is', 'are')}: another encoding would spoil the other "
        f"{counted(decodable, 'row')}. Correct the {undecodable:,} in the file, or name "
        "their encoding (--encoding latin-1): it is used for them only."
    )
    return (hint,)

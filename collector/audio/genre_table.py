"""Tables that give audio files their genres, by path, file name or number."""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from collector.datasets import reader
from collector.datasets.column_roles import columns
from collector.datasets.parsing import cells, genre_cells
from genrebase.audio.scan import AudioFile, name_text, printable
from genrebase.errors import UserError

_NUMBERED: Final = re.compile(r"(?:(?:fma|track)[-_ ]?)?([0-9]+)(?:\.0)?", re.IGNORECASE)
_KEYS: Final = ("path", "file_path", "file", "filename", "file_name", "track_id", "id")
_ID_KEYS: Final = frozenset({"track_id", "id"})
_LOW_QUALITY: Final = ".low."
"""In the names of MTG-Jamendo's smaller files, but not in its tables."""
_MAX_NAMED: Final = 5
"""Maximum of ambiguous names in a message."""

Genres = tuple[str, ...]


def file_number(stem: str) -> str:
    """Return a file's number without leading zeros, as in tables: 2 for `000002`.

    A dataset's name may precede the number, as in `fma_000002` and `track_0000002`.
    """
    match = _NUMBERED.fullmatch(stem)
    return stem if match is None else str(int(match.group(1)))


@dataclass(slots=True)
class GenreTable:
    """The genres of a table's rows, by the lookup keys of files."""

    by_path: dict[str, Genres] = field(default_factory=dict)
    """By the full name in the table, and by number: these take precedence."""
    by_name: dict[str, Genres] = field(default_factory=dict)
    """By the last part of a path in the table."""
    ambiguous: set[str] = field(default_factory=set)
    """Names of files with different genres in the table."""
    shared: set[str] = field(default_factory=set)
    """Names of several files, without paths in the table."""

    def genres(self, file: AudioFile) -> Genres:
        """Return the genres of a file, () if there are none or they are ambiguous."""
        relative = PurePosixPath(file.relative_path)
        for key in _path_keys(file):
            if key in self.ambiguous or ("/" not in key and relative.name in self.shared):
                return ()
            if key in self.by_path:
                return self.by_path[key]
        if relative.name in self.shared:
            return ()
        for key in [*_spellings([relative.name, relative.stem]), file_number(relative.stem)]:
            if key in self.ambiguous:
                return ()
            if key in self.by_name:
                return self.by_name[key]
        return ()

    def survey(self, files: Sequence[AudioFile]) -> list[str]:
        """Find files that the table does not distinguish, and return messages about them."""
        folders: dict[str, set[str]] = {}
        for file in files:
            path = PurePosixPath(file.relative_path)
            folders.setdefault(path.name, set()).add(str(path.parent))
        for name, parents in folders.items():
            keys = {_text(name), _text(PurePosixPath(name).stem)}
            if len(parents) > 1 and keys & self.by_path.keys():
                self.shared.add(name)
        looked_up: set[str] = set()
        for file in files:
            if self.ambiguous and not self.genres(file):
                looked_up.update(_path_keys(file))
        sentences = []
        if names := _without_parts(self.ambiguous & looked_up):
            sentences.append(
                f"The table gives different genres for one name: {_listed(names)}. "
                "These files are not labelled: give their paths in a column path."
            )
        if names := sorted(self.shared - self.ambiguous):
            sentences.append(
                "Several files have one name, of which the table gives no paths: "
                f"{_listed(names)}. Those that have no path in the table are not labelled."
            )
        return sentences


def read_genre_table(path: Path, separator: str | None) -> GenreTable:
    """Read the genres of a table; raise `UserError` if it lacks the columns."""
    with reader.open_dataset(path) as dataset:
        header = [columns.normalise(name) for name in dataset.header]
        key = next((header.index(name) for name in _KEYS if name in header), None)
        genre = columns.find_genre_column(dataset.header)
        if key is None or genre is None:
            raise UserError(
                f"{printable(str(path))} has no genres of files: it needs a column "
                f"{', '.join(_KEYS[:-1])} or {_KEYS[-1]}, and a column genre or label. "
                f"Its columns are: {', '.join(dataset.header[:30])}."
            )
        rows = (
            (row[key], genre_cells.split_genres(row[genre], separator))
            for row in dataset.whole_rows()
        )
        return build_table(rows, are_ids=header[key] in _ID_KEYS)


def build_table(rows: Iterable[tuple[str, Genres]], *, are_ids: bool) -> GenreTable:
    """Return the table of (name, genres) rows.

    The genres of several rows with one id, or one path with folders, are combined. Different
    genres of a file name without a folder are ambiguous: several files may have this name.
    """
    table = GenreTable()
    numbers: dict[str, Genres] = {}
    for cell, genres in rows:
        key = _key(cell)
        if not key or not genres or cells.is_missing(key):
            continue
        adds_up = are_ids or "/" in key
        _add(table.by_path, key, genres, table.ambiguous, adds_up=adds_up)
        last = PurePosixPath(key)
        for name in set() if are_ids else {last.name, last.stem} - {key}:
            _add(table.by_name, name, genres, table.ambiguous, adds_up=False)
        number = file_number(last.stem if "/" in key else key)
        if number.isdecimal() and number != key:
            _add(numbers, number, genres, table.ambiguous, adds_up=adds_up)
    for number, genres in numbers.items():
        table.by_path.setdefault(number, genres)
    return table


def _add(
    genres_of: dict[str, Genres], key: str, genres: Genres, ambiguous: set[str], *, adds_up: bool
) -> None:
    stored = genres_of.setdefault(key, genres)
    if stored == genres:
        return
    if adds_up:
        genres_of[key] = tuple(dict.fromkeys((*stored, *genres)))
    else:
        ambiguous.add(key)


def _key(cell: str) -> str:
    return _text(cell.strip().replace("\\", "/").removeprefix("./"))


def _text(name: str) -> str:
    """Return a name's comparison key: systems differ in the Unicode form of file names."""
    return unicodedata.normalize("NFC", name)


def _path_keys(file: AudioFile) -> list[str]:
    """Return the names by which a table may identify a file, the most specific first."""
    relative = PurePosixPath(file.relative_path)
    full = PurePosixPath(file.path.as_posix())
    plain = full.with_name(full.name.replace(_LOW_QUALITY, "."))
    wholes = [full] if plain == full else [full, plain]
    paths = [PurePosixPath(*path.parts[at:]) for at in range(len(full.parts)) for path in wholes]
    keys = [key for path in paths for key in (str(path), str(path.with_suffix("")))]
    return [*_spellings(keys), file_number(relative.stem)]


def _spellings(keys: Iterable[str]) -> list[str]:
    """Return each key as it is and, if it is not UTF-8, as it is shown and read."""
    spelled = []
    for key in keys:
        spelled += (
            [key] if key.isascii() else [_text(key), _key(printable(key)), _text(name_text(key))]
        )
    return list(dict.fromkeys(spelled))


def _without_parts(names: Iterable[str]) -> list[str]:
    """Return names sorted, without the stems and numbers of others."""
    given = set(names)
    stems = {name: PurePosixPath(name).stem for name in given}
    parts = {(name, part) for name, stem in stems.items() for part in (stem, file_number(stem))}
    return sorted(given - {part for name, part in parts if part != name})


def _listed(names: Sequence[str]) -> str:
    quoted = [f'"{printable(os.fspath(name))}"' for name in names[:_MAX_NAMED]]
    more = len(names) - _MAX_NAMED
    return ", ".join(quoted) + (f" and {more:,} more" if more > 0 else "")

"""Take the genre of an audio file from its folder, its tags or a table."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from collector.datasets import cells, columns, reader
from genrebase.audio.scan import AudioFile
from genrebase.audio.tags import AudioTags
from genrebase.errors import UserError

FOLDER: Final = "folder"
TAGS: Final = "tags"

GenreSource = Callable[[AudioFile, AudioTags | None], Sequence[str]]
"""Returns the genres of a file, the one that counts first; tags are None if they were not read."""

_NUMBERED: Final = re.compile(r"(?:fma[-_ ]?)?([0-9]+)", re.IGNORECASE)
_KEYS: Final = ("path", "file_path", "file", "filename", "file_name", "track_id", "id")


def no_genres(_file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
    """Return no genre."""
    return ()


def genre_source(option: str | None, encoding: str = reader.DEFAULT_ENCODING) -> GenreSource:
    """Return the source named by `option`: `folder`, `tags`, a table's file name, or None.

    Raises `UserError` for a table that does not exist or lacks the columns.
    """
    if option is None:
        return no_genres
    if option == FOLDER:
        return _from_folder
    if option == TAGS:
        return _from_tags
    if not Path(option).is_file():
        raise UserError(f"--genre-from {option}: give folder, tags, or the name of a table (CSV).")
    return _from_table(read_genre_table(Path(option), encoding))


def _from_folder(file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
    return cells.clean_genre_names([file.path.parent.name])


def _from_tags(_file: AudioFile, tags: AudioTags | None) -> Sequence[str]:
    return () if tags is None else cells.clean_genre_names(tags.genres)


def _from_table(genre_of: Mapping[str, str]) -> GenreSource:
    def genres(file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
        matches = [genre_of[key] for key in _table_keys(file) if key in genre_of]
        return cells.clean_genre_names(matches[:1])

    return genres


def _table_keys(file: AudioFile) -> list[str]:
    """Return the names by which a table may identify a file, the most specific first."""
    relative = PurePosixPath(file.relative_path)
    return [
        file.path.as_posix(),
        file.relative_path,
        relative.with_suffix("").as_posix(),
        relative.name,
        relative.stem,
        file_number(relative.stem),
    ]


def file_number(stem: str) -> str:
    """Return a file's number without leading zeros, as tables have it: 2 for `000002`.

    A dataset's name may precede the number, as in `fma_000002`.
    """
    match = _NUMBERED.fullmatch(stem)
    return stem if match is None else str(int(match.group(1)))


def read_genre_table(path: Path, encoding: str) -> dict[str, str]:
    """Return the genres of a table, by path, file name or track id."""
    with reader.open_dataset(path, encoding) as dataset:
        header = [columns.normalise(name) for name in dataset.header]
        key = next((header.index(name) for name in _KEYS if name in header), None)
        genre = columns.find_genre_column(dataset.header)
        if key is None or genre is None:
            raise UserError(
                f"{path} has no genres of files: it needs a column {', '.join(_KEYS[:-1])} or "
                f"{_KEYS[-1]}, and a column genre or label. "
                f"Its columns are: {', '.join(dataset.header[:30])}."
            )
        return {
            row[key].strip().replace("\\", "/"): row[genre]
            for row in dataset.rows()
            if not isinstance(row, reader.BrokenRow)
        }

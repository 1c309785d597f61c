"""Where the genre of a sound file is taken from: its folder, its tags, or a table."""

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
"""The genres of a file, the one that counts first; without tags (None) as far as known."""

_NUMBERED: Final = re.compile(r"(?:fma[-_ ]?)?([0-9]+)", re.IGNORECASE)
_KEYS: Final = ("path", "file_path", "file", "filename", "file_name", "track_id", "id")


def no_genres(_file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
    """Tell no genre."""
    return ()


def genre_source(told: str | None, encoding: str = reader.DEFAULT_ENCODING) -> GenreSource:
    """Return what tells genres: `folder`, `tags`, a table's file name, or nothing for None.

    Raises `UserError` for a table that is not there, or lacks the columns.
    """
    if told is None:
        return no_genres
    if told == FOLDER:
        return _of_folder
    if told == TAGS:
        return _of_tags
    if not Path(told).is_file():
        raise UserError(f"--genre-from {told}: say folder, tags, or the name of a table (CSV).")
    return _of_table(read_genre_table(Path(told), encoding))


def _of_folder(file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
    return cells.clean_genre_names([file.path.parent.name])


def _of_tags(_file: AudioFile, tags: AudioTags | None) -> Sequence[str]:
    return () if tags is None else cells.clean_genre_names(tags.genres)


def _of_table(genre_of: Mapping[str, str]) -> GenreSource:
    def genres(file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
        found = (genre_of[key] for key in _keys_of(file) if key in genre_of)
        return cells.clean_genre_names([name] if (name := next(found, None)) is not None else [])

    return genres


def _keys_of(file: AudioFile) -> list[str]:
    """Return what a table may call a file, the most telling first."""
    inside = PurePosixPath(file.relative_path)
    return [
        file.path.as_posix(),
        file.relative_path,
        inside.with_suffix("").as_posix(),
        inside.name,
        inside.stem,
        file_number(inside.stem),
    ]


def file_number(stem: str) -> str:
    """Return a file's number without the zeros before it, as tables have it: 2 for `000002`.

    Also where the dataset's name stands before it, as in `fma_000002`.
    """
    found = _NUMBERED.fullmatch(stem)
    return stem if found is None else str(int(found.group(1)))


def read_genre_table(path: Path, encoding: str) -> dict[str, str]:
    """Return the genres that a table tells, by path, file name or track id."""
    with reader.open_dataset(path, encoding) as dataset:
        header = [columns.normalise(name) for name in dataset.header]
        key = next((header.index(name) for name in _KEYS if name in header), None)
        genre = columns.find_genre_column(dataset.header)
        if key is None or genre is None:
            raise UserError(
                f"{path} tells no genres of files: it needs a column {', '.join(_KEYS[:-1])} or "
                f"{_KEYS[-1]}, and a column genre or label. "
                f"Its columns are: {', '.join(dataset.header[:30])}."
            )
        return {
            row[key].strip().replace("\\", "/"): row[genre]
            for row in dataset.rows()
            if not isinstance(row, reader.BrokenRow)
        }

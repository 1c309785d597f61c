"""Take the genre of an audio file from its folder, its name, its tags or a table."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Final

from collector.audio import genre_table
from collector.audio.genre_table import GenreTable
from collector.datasets.parsing import cells, genre_cells, genre_names
from genrebase.audio.scan import AudioFile, name_text, printable
from genrebase.audio.tags import AudioTags
from genrebase.counts import counted
from genrebase.errors import UserError

FOLDER: Final = "folder"
NAME: Final = "name"
TAGS: Final = "tags"

_NAMED: Final = re.compile(r"(?=.*[^\W\d_])(.+?)(?:[ ._-]+\d+)+")
"""A genre and numbers, as in `blues.00000` and `hip-hop_12`."""
_SLASHED: Final = frozenset({"singer/songwriter", "hip-hop/rap", "hip hop/rap", "r&b/soul"})
"""Genres of shops whose names hold a slash."""
_MIN_GENRES: Final = 2
_MIN_FILES_PER_GENRE: Final = 3
"""Names of so many genres, each of so many files, are those of a dataset that lies flat."""


@dataclass(frozen=True, slots=True)
class GenreSource:
    """Where the genres of files come from."""

    genres: Callable[[AudioFile, AudioTags | None], Sequence[str]]
    """Returns the genres of a file, the one that counts first; tags are None if unread."""
    survey: Callable[[Sequence[AudioFile]], list[str]]
    """Looks at all files before the first is labelled; returns sentences for the user."""
    reads_tags: bool = False


def _survey_without_genres(files: Sequence[AudioFile]) -> list[str]:
    """Return a hint if the names of the files look like genres."""
    if named := genres_in_names(files):
        return [f"The files are named after {_listed(named)}: --genre-from name labels them."]
    return []


no_genres: Final = GenreSource(lambda _file, _tags: (), _survey_without_genres)


def _of_folder(file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
    name = genre_names.clean_name(" ".join(name_text(file.path.parent.name).split()))
    return (name,) if name else ()


def _survey_folders(files: Sequence[AudioFile]) -> list[str]:
    """Return a hint if all files lie in one folder and their names look like genres."""
    folders = {file.path.parent for file in files}
    named = genres_in_names(files)
    if len(folders) > 1 or not named:
        return []
    (folder,) = folders
    text = (
        f"All files lie in one folder: its name, {name_text(folder.name)}, became their only "
        f"genre. They are named after {_listed(named)}: --genre-from name labels them by that."
    )
    return [text]


def _of_name(file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
    """Return what is before the number, as in `blues.00000.wav`."""
    genre = genre_in_name(file)
    return (genre,) if genre else ()


def _survey_names(files: Sequence[AudioFile]) -> list[str]:
    """Return a hint if no name holds a genre."""
    if any(genre_in_name(file) for file in files):
        return []
    hint = "No file is named after a genre and a number, such as blues.00000.wav"
    folders = {file.path.parent.name for file in files}
    more = f": --genre-from folder takes the names of {counted(len(folders), 'folder')}"
    return [f"{hint}{more if len(folders) > 1 else ''}."]


def _of_tags(separator: str | None, _file: AudioFile, tags: AudioTags | None) -> Sequence[str]:
    """Return the genres of the tag: separated by `;`, `|`, `/`, NUL or the `separator`."""
    if tags is None:
        return ()
    values = [part for value in tags.genres for part in _split_slashes(value)]
    return genre_cells.split_genres(values, separator)


def _split_slashes(value: str) -> Iterable[str]:
    for part in re.split(r"[;\0]", " ".join(value.split())):
        is_one = cells.is_missing(part) or part.strip().casefold() in _SLASHED
        yield from [part] if is_one else part.split("/")


def _survey_table(table: GenreTable, files: Sequence[AudioFile]) -> list[str]:
    """Return sentences about names that are ambiguous, or match no file."""
    sentences = table.survey(files)
    if not sentences and files and not any(table.genres(file) for file in files):
        sentences.append(
            "No row of the table is about one of these files: give their paths, file names "
            "or numbers."
        )
    return sentences


def genre_source(option: str | None, separator: str | None = None) -> GenreSource:
    """Return the source named by `option`: `folder`, `name`, `tags`, a table's file, or None.

    `separator` separates the genres of a tag, or of a cell of a table, besides the usual marks.
    Raises `UserError` for a table that does not exist or lacks the columns, and for a separator
    without one of these.
    """
    if separator and option in {None, FOLDER, NAME}:
        raise UserError("--genre-separator needs genres of tags or of a table: --genre-from tags.")
    if option is None:
        return no_genres
    if option == FOLDER:
        return GenreSource(_of_folder, _survey_folders)
    if option == NAME:
        return GenreSource(_of_name, _survey_names)
    if option == TAGS:  # which are not read when the files are surveyed
        return GenreSource(partial(_of_tags, separator), lambda _files: [], reads_tags=True)
    if not Path(option).is_file():
        raise UserError(
            f"--genre-from {printable(option)}: give folder, name, tags, or the name of a table "
            "(CSV)."
        )
    table = genre_table.read_genre_table(Path(option), separator)
    return GenreSource(lambda file, _tags: table.genres(file), partial(_survey_table, table))


def genre_in_name(file: AudioFile) -> str:
    """Return the genre with which a file's name begins; "" if there is none."""
    match = _NAMED.fullmatch(name_text(PurePosixPath(file.relative_path).stem))
    return "" if match is None else genre_names.clean_name(match.group(1))


def genres_in_names(files: Sequence[AudioFile]) -> list[str]:
    """Return the genres of files that are all named after one; [] if they are not."""
    counts = Counter(map(genre_in_name, files))
    is_dataset = (
        "" not in counts
        and len(counts) >= _MIN_GENRES
        and min(counts.values(), default=0) >= _MIN_FILES_PER_GENRE
    )
    return sorted(counts) if is_dataset else []


def _listed(genres: Sequence[str]) -> str:
    first_genres = ", ".join(genres[:3])
    return f"{counted(len(genres), 'genre')} ({first_genres}{', …' if len(genres) > 3 else ''})"

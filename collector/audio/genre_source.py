"""Take the genre of an audio file from its folder, its name, its tags or a table."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from collector.audio import genre_table
from collector.audio.genre_table import GenreTable
from collector.datasets import reader
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


class GenreSource(Protocol):
    """Where the genres of files come from."""

    def __call__(self, file: AudioFile, tags: AudioTags | None, /) -> Sequence[str]:
        """Return the genres of a file, the one that counts first; tags are None if unread."""
        ...

    def survey(self, files: Sequence[AudioFile], /) -> list[str]:
        """Look at all files before the first is labelled; return sentences for the user."""
        ...


@dataclass(frozen=True, slots=True)
class NoGenres:
    """Files without genres."""

    def __call__(self, _file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
        """Return no genre."""
        return ()

    def survey(self, files: Sequence[AudioFile]) -> list[str]:
        """Return a hint if the names or folders of the files look like genres."""
        if named := genres_in_names(files):
            return [f"The files are named after {_listed(named)}: --genre-from name labels them."]
        return []


no_genres: Final = NoGenres()


@dataclass(frozen=True, slots=True)
class FolderGenres:
    """The name of a file's folder is its genre."""

    def __call__(self, file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
        """Return the folder's name."""
        name = genre_names.clean_name(" ".join(name_text(file.path.parent.name).split()))
        return (name,) if name else ()

    def survey(self, files: Sequence[AudioFile]) -> list[str]:
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


@dataclass(frozen=True, slots=True)
class NameGenres:
    """A file's name begins with its genre: `blues.00000.wav`."""

    def __call__(self, file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
        """Return what is before the number."""
        genre = genre_in_name(file)
        return (genre,) if genre else ()

    def survey(self, files: Sequence[AudioFile]) -> list[str]:
        """Return a hint if no name holds a genre."""
        if any(genre_in_name(file) for file in files):
            return []
        hint = "No file is named after a genre and a number, such as blues.00000.wav"
        folders = {file.path.parent.name for file in files}
        more = f": --genre-from folder takes the names of {counted(len(folders), 'folder')}"
        return [f"{hint}{more if len(folders) > 1 else ''}."]


@dataclass(frozen=True, slots=True)
class TagGenres:
    """The genre tag of a file."""

    separator: str | None = None
    """Separates genres besides `;`, `|`, `/` and NUL."""

    def __call__(self, _file: AudioFile, tags: AudioTags | None) -> Sequence[str]:
        """Return the genres of the tag: separated by `;`, `|`, `/` or NUL."""
        if tags is None:
            return ()
        values = [part for value in tags.genres for part in _split_slashes(value)]
        return genre_cells.split_genres(values, self.separator)

    def survey(self, _files: Sequence[AudioFile]) -> list[str]:
        """Return nothing: tags are not read yet."""
        return []


def _split_slashes(value: str) -> Iterable[str]:
    for part in re.split(r"[;\0]", " ".join(value.split())):
        is_one = cells.is_missing(part) or part.strip().casefold() in _SLASHED
        yield from [part] if is_one else part.split("/")


@dataclass(frozen=True, slots=True)
class TableGenres:
    """A table has the genres of the files."""

    table: GenreTable

    def __call__(self, file: AudioFile, _tags: AudioTags | None) -> Sequence[str]:
        """Return the genres of the file's row."""
        return self.table.genres(file)

    def survey(self, files: Sequence[AudioFile]) -> list[str]:
        """Return sentences about names that are ambiguous, or match no file."""
        sentences = self.table.survey(files)
        if not sentences and files and not any(self.table.genres(file) for file in files):
            sentences.append(
                "No row of the table is about one of these files: give their paths, file names "
                "or numbers."
            )
        return sentences


def genre_source(
    option: str | None,
    separator: str | None = None,
    encoding: str = reader.DEFAULT_ENCODING,
) -> GenreSource:
    """Return the source named by `option`: `folder`, `name`, `tags`, a table's file, or None.

    `separator` separates the genres of a tag, or of a cell of a table, besides the usual marks.
    Raises `UserError` for a table that does not exist or lacks the columns, and for a separator
    without one of these.
    """
    if separator and option in {None, FOLDER, NAME}:
        raise UserError("--genre-separator needs genres of tags or of a table: --genre-from tags.")
    chosen: dict[str | None, GenreSource] = {
        None: no_genres,
        FOLDER: FolderGenres(),
        NAME: NameGenres(),
        TAGS: TagGenres(separator),
    }
    if option in chosen:
        return chosen[option]
    assert option is not None  # noqa: S101 - None is one of the choices
    if not Path(option).is_file():
        raise UserError(
            f"--genre-from {printable(option)}: give folder, name, tags, or the name of a table "
            "(CSV)."
        )
    return TableGenres(genre_table.read_genre_table(Path(option), encoding, separator))


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

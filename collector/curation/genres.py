"""Genres to collect: add, set targets, pause, rename, merge, remove and import them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from collector.catalogue import genre_counters, genres, track_claims
from collector.catalogue.genres import Genre, GenreReferences
from collector.datasets import reader
from collector.datasets.formats.table import DEFAULT_ENCODING, BrokenRow, DatasetReader
from collector.datasets.parsing import genre_cells, genre_names
from genrebase.counts import agree, counted
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Engine, read_transaction

_MAX_SUGGESTIONS: Final = 3
_MAX_LISTED: Final = 20


@dataclass(frozen=True, slots=True)
class GenreMerge:
    """The result of merging two genres."""

    merged: str
    into: Genre
    shared_sightings: int
    """Sightings that both genres had."""


@dataclass(frozen=True, slots=True)
class RemovedGenre:
    """The result of removing a genre."""

    name: str
    tracks_left: int
    """Tracks whose claim it was; now it is another genre, or none."""
    references: GenreReferences
    """Rows that were deleted with it."""


def add(
    engine: Engine, clock: Clock, name: str, target: int, playlists: Sequence[str] = ()
) -> Genre:
    """Add a genre, or set the target of a stored one; bind playlists to it."""
    name = genre_names.validate(name)
    ids = [_playlist(text) for text in playlists]
    with exclusive_transaction(engine) as connection:
        genres.set_targets(connection, [name], target, clock.now())
        genres.bind_playlists(connection, genres.ids_by_name(connection)[name], ids)
        return _by_name(genres.list_genres(connection), name)


def list_genres(engine: Engine) -> list[Genre]:
    with read_transaction(engine) as connection:
        return genres.list_genres(connection)


def find(engine: Engine, name: str) -> Genre:
    """Return a genre by name; raise `UserError` with the nearest names if there is none."""
    return _by_name(list_genres(engine), name)


def set_target(engine: Engine, name: str, target: int | None) -> Genre:
    """Set how many unique tracks of a genre to collect; None leaves it to imports."""
    if target is not None:
        genre_names.validate(name)
    return _change(engine, name, target=target)


def set_paused(engine: Engine, name: str, *, paused: bool = True) -> Genre:
    """Exclude a genre from harvests, or include it again."""
    return _change(engine, name, paused=paused)


def _change(engine: Engine, name: str, **values: object) -> Genre:
    with exclusive_transaction(engine) as connection:
        genre = _by_name(genres.list_genres(connection), name)
        genres.set_values(connection, genre.id, **values)
        return _by_name(genres.list_genres(connection), genre.name)


def rename(engine: Engine, old: str, new: str) -> Genre:
    """Rename a genre; from now on the new name is its search term."""
    new = genre_names.validate(new)
    with exclusive_transaction(engine) as connection:
        stored = genres.list_genres(connection)
        genre = _by_name(stored, old)
        if genre.name == new:
            raise NothingToDo(f"The genre is called {new!r} already.")
        if any(genre.name == new for genre in stored):
            raise UserError(
                f"There is a genre {new!r} already. To make the two one: "
                f"collector genres merge {old!r} {new!r}"
            )
        genres.rename(connection, genre.id, genre.name, new)
        return _by_name(genres.list_genres(connection), new)


def merge(engine: Engine, merged: str, into: str) -> GenreMerge:
    """Merge the first genre into the second."""
    with exclusive_transaction(engine) as connection:
        stored = genres.list_genres(connection)
        first, second = _by_name(stored, merged), _by_name(stored, into)
        if first.id == second.id:
            raise UserError("A genre cannot be merged into itself: name two.")
        genres.merge(connection, first, second)
        after = _by_name(genres.list_genres(connection), second.name)
    shared = first.sightings + second.sightings - after.sightings
    return GenreMerge(first.name, after, shared)


def recount(engine: Engine) -> list[str]:
    """Set the counters of all genres to the numbers of their rows; return the corrected genres.

    The claims of tied tracks, which depend on the counters, are recomputed.
    """
    with exclusive_transaction(engine) as connection:
        wrong = [one.name for one in genre_counters.wrong_counters(connection)]
        if wrong:
            genre_counters.recount(connection)
            track_claims.recompute_tied(connection)
    return wrong


def remove(engine: Engine, name: str, *, force: bool = False) -> RemovedGenre:
    """Remove a genre; its tracks stay.

    A genre with labels given by people is refused, because those are never deleted. A genre with
    predictions or metrics of models needs `force`, because they are deleted too.
    """
    with exclusive_transaction(engine) as connection:
        genre = _by_name(genres.list_genres(connection), name)
        references = genres.references(connection, genre.id)
        if references.verdicts:
            raise UserError(
                f"{counted(references.verdicts, 'label')} that people gave "
                f"{agree(references.verdicts, 'is', 'are')} {name!r}. Merge it into "
                f"another (collector genres merge {name!r} OTHER), or remove those labels first "
                "(collector label TRACK --remove)."
            )
        if (references.predictions or references.metrics) and not force:
            raise UserError(
                f"With {name!r}, {counted(references.predictions, 'prediction')} and "
                f"{counted(references.metrics, 'metric')} of models would be deleted. Repeat with "
                f"--force, or merge it into another: collector genres merge {name!r} OTHER"
            )
        genres.remove(connection, genre.id)
    return RemovedGenre(genre.name, genre.tracks, references)


def set_targets(engine: Engine, clock: Clock, listed: Sequence[str], target: int) -> list[str]:
    """Add genres, or set their targets, all or none; return their names as stored."""
    checked = [genre_names.validate(name) for name in listed]
    with exclusive_transaction(engine) as connection:
        genres.set_targets(connection, checked, target, clock.now())
    return checked


def unknown_genre(name: str, existing: Iterable[str]) -> UserError:
    """Return the error for an unknown name, with the nearest existing ones."""
    by_fold = {one.casefold(): one for one in existing}
    near = get_close_matches(name.strip().casefold(), by_fold, n=_MAX_SUGGESTIONS, cutoff=0.5)
    if near:
        hint = "Did you mean " + " or ".join(repr(by_fold[one]) for one in near) + "?"
    elif by_fold:
        hint = "There are: " + ", ".join(sorted(by_fold.values())[:_MAX_LISTED]) + "."
    else:
        hint = "There is none yet: collector genres add NAME --target N"
    return UserError(f"There is no genre {name!r}. {hint}")


def _by_name(stored: Sequence[Genre], name: str) -> Genre:
    plain = name.strip()
    for genre in stored:
        if genre.name == plain:
            return genre
    raise unknown_genre(name, (genre.name for genre in stored))


def _playlist(text: str) -> str:
    playlist_id = source_ids.parse_playlist_id(text)
    if playlist_id is None:
        raise UserError(f"{text!r} is no playlist: give its id, URI or URL.")
    return playlist_id


def read_names(path: Path, genre_column: str | None = None) -> list[str]:
    """Return the genres that a dataset or a text file names; raise `NothingToDo` without one."""
    listed = _names_in(path, genre_column)
    if not listed:
        raise NothingToDo(f"{path} names no genre.")
    return listed


def _names_in(path: Path, genre_column: str | None) -> list[str]:
    from collector.datasets.column_roles import columns  # imports numpy; few commands need it

    with reader.open_dataset(path) as dataset:
        at = columns.find_genre_column(dataset.header, genre_column)
        if at is not None:
            cells = dict.fromkeys(row[at] for row in dataset.whole_rows())
            return list(genre_cells.split_genres(cells))
        if columns.is_track_header(dataset.header) or _is_table(dataset):
            raise columns.ColumnsMissing(
                f"{path} has no column that names genres (genre, track_genre, playlist_genre, "
                f"label). Its columns are: {', '.join(dataset.header)}. "
                "Say which it is: --genre-column NAME"
            )
    return _lines(path)


def _is_table(dataset: DatasetReader) -> bool:
    """Return whether all lines have equally many cells, over one, unlike names with commas."""
    return len(dataset.header) > 1 and not any(
        isinstance(row, BrokenRow) for row in dataset.rows()
    )


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding=DEFAULT_ENCODING)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: save it as UTF-8 and try again.") from error
    return list(dict.fromkeys(name for line in text.splitlines() if (name := line.strip())))

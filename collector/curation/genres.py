"""What to collect: adding genres, aiming, pausing, renaming, merging and removing them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from collector.catalogue import genres
from collector.catalogue.genres import Genre, GenreReferences
from collector.curation import genre_names
from collector.datasets import cells, columns, reader
from collector.datasets.reader import DatasetReader
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime.clock import Clock
from genrebase.store import source_ids
from genrebase.store.engine import Engine, read_transaction, transaction

_NEAREST: Final = 3
_SHOWN: Final = 20


class UnknownGenre(UserError):
    """There is no genre of that name."""


class GenreInUse(UserError):
    """Labels or models refer to the genre."""


@dataclass(frozen=True, slots=True)
class GenreMerge:
    """Two genres made one."""

    merged: str
    into: Genre
    shared_sightings: int
    """Sightings of the merged genre that the other had, too."""


@dataclass(frozen=True, slots=True)
class RemovedGenre:
    """A genre that is gone."""

    name: str
    tracks_left: int
    """Tracks that counted for it: another genre claims them now, or none."""
    references: GenreReferences
    """What went with it."""


def add(
    engine: Engine, clock: Clock, name: str, target: int, playlists: Sequence[str] = ()
) -> Genre:
    """Add a genre, or give one that is there a target; bind playlists to it."""
    name = genre_names.validate(name)
    ids = [_playlist(text) for text in playlists]
    with transaction(engine) as connection:
        genres.set_targets(connection, [name], target, clock.now())
        genres.bind_playlists(connection, genres.ids_by_name(connection)[name], ids)
        return _listed(genres.list_genres(connection), name)


def list_genres(engine: Engine) -> list[Genre]:
    """Return all genres, by name."""
    with read_transaction(engine) as connection:
        return genres.list_genres(connection)


def find(engine: Engine, name: str) -> Genre:
    """Return a genre; raise `UnknownGenre` with the nearest names otherwise."""
    return _listed(list_genres(engine), name)


def set_target(engine: Engine, name: str, target: int | None) -> Genre:
    """Say how many unique tracks are wanted of a genre; None leaves it to imports."""
    if target is not None:
        genre_names.validate(name)
    with transaction(engine) as connection:
        found = _listed(genres.list_genres(connection), name)
        genres.set_target(connection, found.id, target)
        return _listed(genres.list_genres(connection), found.name)


def set_paused(engine: Engine, name: str, *, paused: bool = True) -> Genre:
    """Leave a genre out of harvests, or take it in again."""
    with transaction(engine) as connection:
        found = _listed(genres.list_genres(connection), name)
        genres.set_paused(connection, found.id, paused=paused)
        return _listed(genres.list_genres(connection), found.name)


def rename(engine: Engine, old: str, new: str) -> Genre:
    """Give a genre another name, under which it is asked for from now on."""
    new = genre_names.validate(new)
    with transaction(engine) as connection:
        everything = genres.list_genres(connection)
        found = _listed(everything, old)
        if found.name == new:
            raise NothingToDo(f"The genre is called {new!r} already.")
        if any(genre.name == new for genre in everything):
            raise UserError(
                f"There is a genre {new!r} already. To make the two one: "
                f"collector genres merge {old!r} {new!r}"
            )
        genres.rename(connection, found.id, found.name, new)
        return _listed(genres.list_genres(connection), new)


def merge(engine: Engine, merged: str, into: str) -> GenreMerge:
    """Make two genres one, under the name of the second."""
    with transaction(engine) as connection:
        everything = genres.list_genres(connection)
        first, second = _listed(everything, merged), _listed(everything, into)
        if first.id == second.id:
            raise UserError("A genre cannot be merged into itself: name two.")
        genres.merge(connection, first, second)
        after = _listed(genres.list_genres(connection), second.name)
    united = first.sightings + second.sightings - after.sightings
    return GenreMerge(first.name, after, united)


def remove(engine: Engine, name: str, *, force: bool = False) -> RemovedGenre:
    """Remove a genre; its tracks stay.

    Labels that people gave are never thrown away: with those it is refused. With predictions or
    metrics of models it takes `force`, because they go too.
    """
    with transaction(engine) as connection:
        found = _listed(genres.list_genres(connection), name)
        referring = genres.references(connection, found.id)
        if referring.verdicts:
            raise GenreInUse(
                f"{referring.verdicts:,} labels given by people say {name!r}. Merge it into "
                f"another (collector genres merge {name!r} OTHER), or remove those labels first "
                "(collector label TRACK --remove)."
            )
        if (referring.predictions or referring.metrics) and not force:
            raise GenreInUse(
                f"{referring.predictions:,} predictions and {referring.metrics:,} figures of "
                f"models speak of {name!r} and would go with it. Repeat with --force, or merge "
                f"it into another: collector genres merge {name!r} OTHER"
            )
        genres.remove(connection, found.id)
    return RemovedGenre(found.name, found.tracks, referring)


def import_names(
    engine: Engine, clock: Clock, path: Path, target: int, genre_column: str | None = None
) -> list[str]:
    """Add all genres named in a dataset or in a plain list, all or none; return their names."""
    found = _named_in(path, genre_column)
    if not found:
        raise NothingToDo(f"{path} names no genre.")
    checked = [genre_names.validate(name) for name in found]
    with transaction(engine) as connection:
        genres.set_targets(connection, checked, target, clock.now())
    return checked


def unknown_genre(name: str, known: Iterable[str]) -> UnknownGenre:
    """Return the error for a name that is not there, with those that are nearest to it."""
    by_fold = {one.casefold(): one for one in known}
    near = get_close_matches(name.strip().casefold(), by_fold, n=_NEAREST, cutoff=0.5)
    if near:
        hint = "Did you mean " + " or ".join(repr(by_fold[one]) for one in near) + "?"
    elif by_fold:
        hint = "There are: " + ", ".join(sorted(by_fold.values())[:_SHOWN]) + "."
    else:
        hint = "There is none yet: collector genres add NAME --target N"
    return UnknownGenre(f"There is no genre {name!r}. {hint}")


def _listed(everything: Sequence[Genre], name: str) -> Genre:
    plain = name.strip()
    for genre in everything:
        if genre.name == plain:
            return genre
    raise unknown_genre(name, (genre.name for genre in everything))


def _playlist(text: str) -> str:
    playlist_id = source_ids.parse_playlist_id(text)
    if playlist_id is None:
        raise UserError(f"{text!r} is no playlist: give its id, URI or URL.")
    return playlist_id


def _named_in(path: Path, genre_column: str | None) -> list[str]:
    with reader.open_dataset(path) as dataset:
        at = columns.find_genre_column(dataset.header, genre_column)
        if at is not None:
            return _distinct(dataset, at)
        if columns.is_track_header(dataset.header) or _is_table(dataset):
            raise columns.ColumnsMissing(
                f"{path} has no column that names genres (genre, track_genre, playlist_genre, "
                f"label). Its columns are: {', '.join(dataset.header)}. "
                "Say which it is: --genre-column NAME"
            )
    return _lines(path)


def _is_table(dataset: DatasetReader) -> bool:
    """Tell a table from a list in which some names hold a comma: all its lines are alike."""
    return len(dataset.header) > 1 and not any(
        isinstance(row, reader.BrokenRow) for row in dataset.rows()
    )


def _distinct(dataset: DatasetReader, at: int) -> list[str]:
    raw = dict.fromkeys(row[at] for row in dataset.rows() if not isinstance(row, reader.BrokenRow))
    return list(dict.fromkeys(cell.strip() for cell in raw if not cells.is_missing(cell)))


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding=reader.DEFAULT_ENCODING)
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8: save it as UTF-8 and try again.") from error
    return list(dict.fromkeys(_filled(text.splitlines())))


def _filled(lines: Iterable[str]) -> Iterator[str]:
    return (stripped for line in lines if (stripped := line.strip()))

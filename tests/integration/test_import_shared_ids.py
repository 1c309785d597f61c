"""Spotify ids that stand beside several titles: of albums and artists, or mistakes."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from collector.imports.records import ImportResult
from genrebase.store.engine import read_transaction
from tests.consistency import assert_consistent
from tests.import_runs import run_dataset


def an_id(number: int) -> str:
    return f"{number:x>22}"


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def run(engine: Engine, path: Path, **options: object) -> ImportResult:
    result = run_dataset(engine, path, **options)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
    return result


def artists(engine: Engine) -> dict[str, str]:
    with read_transaction(engine) as connection:
        return dict(map(tuple, connection.execute(text("SELECT title, artists FROM track"))))


def spotify_ids(engine: Engine) -> set[tuple[str, str]]:
    query = """
        SELECT a.source_id, t.title FROM track_alias a JOIN track t ON t.id = a.track_id
        WHERE a.source = 'spotify'"""
    with read_transaction(engine) as connection:
        return set(map(tuple, connection.execute(text(query))))


@pytest.mark.parametrize(
    ("column", "id_of", "count"),
    [
        ("id", lambda _: an_id(7), 3),
        ("id", lambda n: an_id(n // 8), 60),
        ("spotify_id", lambda n: an_id(n // 4), 60),
        ("uri", lambda n: f"spotify:album:{an_id(n // 8)}", 60),
        ("track_url", lambda n: f"https://open.spotify.com/intl-de/artist/{an_id(n)}?si=x", 60),
        ("href", lambda n: f"https://api.spotify.com/v1/albums/{an_id(n)}", 60),
    ],
)
def test_ids_of_albums_or_artists_merge_nothing(
    sqlite_engine: Engine, tmp_path: Path, column: str, id_of: Callable[[int], str], count: int
):
    """A track of its own for each row, by its own artist; the summary names the column."""
    rows = [f"{id_of(n)},Song {n},Artist {n}" for n in range(count)]
    path = write(tmp_path / "x.csv", f"{column},title,artist", rows)
    assert run(sqlite_engine, path, dry_run=True).tracks_new == count
    result = run(sqlite_engine, path)
    assert (result.tracks_new, result.conflicts) == (count, 0)
    assert column in result.ignored_columns
    assert [one for one in result.warnings if one.startswith(f"{column} ")] != []
    assert artists(sqlite_engine) == {f"Song {n}": f"Artist {n}" for n in range(count)}
    assert spotify_ids(sqlite_engine) == set()


def test_the_next_column_of_ids_is_taken(sqlite_engine: Engine, tmp_path: Path):
    """Ids of artists under the better name, those of tracks beside them."""
    rows = [
        f"{an_id(100 + n // 4)},spotify:track:{an_id(n)},Song {n},Artist {n // 4}"
        for n in range(40)
    ]
    result = run(sqlite_engine, write(tmp_path / "x.csv", "id,link,title,artist", rows))
    assert (result.tracks_new, result.columns["id"]) == (40, "link")
    assert spotify_ids(sqlite_engine) == {(an_id(n), f"Song {n}") for n in range(40)}


def test_one_id_with_two_titles_is_a_mistake_of_one_row(sqlite_engine: Engine, tmp_path: Path):
    """It is counted and matched by its name; equal titles in other spellings are no mistake."""
    rows = [f"{an_id(n)},Song {n},Artist {n}" for n in range(5)]
    rows += [f"{an_id(3)},Other,Somebody", f"{an_id(4)},song 4 - Remastered 2011,Artist 4"]
    path = write(tmp_path / "x.csv", "track_id,title,artist", rows)
    result = run(sqlite_engine, path)
    assert (result.tracks_new, result.conflicts) == (6, 1)
    assert artists(sqlite_engine)["Other"] == "Somebody"
    assert spotify_ids(sqlite_engine) == {(an_id(n), f"Song {n}") for n in range(5)}
    again = run(sqlite_engine, path)
    assert (again.tracks_new, again.conflicts) == (0, 1)


def test_tracks_of_several_genres_keep_their_ids(sqlite_engine: Engine, tmp_path: Path):
    """Each track has a row per genre: the ids repeat beside the same titles."""
    rows = [f"{an_id(n)},Song {n},A,{genre}" for genre in ("pop", "rock") for n in range(30)]
    result = run(sqlite_engine, write(tmp_path / "x.csv", "id,title,artist,genre", rows))
    assert (result.tracks_new, result.conflicts, result.columns["id"]) == (30, 0, "id")

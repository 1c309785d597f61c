"""New versions of a file correct it; other tables of its name stay apart. On both databases."""

import csv
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from collector.imports.records import ImportResult
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.consistency import assert_consistent
from tests.import_runs import run_dataset

FEATURES = ("danceability", "tempo", "loudness", "duration_ms")


def write(path: Path, header: str, *rows: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def run(engine: Engine, path: Path, **options: object) -> ImportResult:
    result = run_dataset(engine, path, **options)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
    return result


def read(engine: Engine, *columns: str) -> set[tuple[object, ...]]:
    """Return columns of the view `tracks`."""
    with read_transaction(engine) as connection:
        query = select(*(views.tracks.c[name] for name in columns))
        return {tuple(row) for row in connection.execute(query)}


def genres_of(engine: Engine) -> dict[str, set[str]]:
    """Return per title all genres it was sighted in."""
    with read_transaction(engine) as connection:
        query = select(views.tracks.c.title, views.track_genres.c.genre).join(
            views.track_genres, views.track_genres.c.track_id == views.tracks.c.track_id
        )
        genres: dict[str, set[str]] = {}
        for title, genre in connection.execute(query):
            genres.setdefault(title, set()).add(genre)
        return genres


def test_two_tables_of_one_name_and_one_numbering(engine: Engine, tmp_path: Path):
    """Two `train.csv` with ids from 1: four tracks, four artists, one genre each."""
    header = "id,title,artist,genre"
    first = write(tmp_path / "a" / "train.csv", header, "1,Blue,Ana,pop", "2,Red,Bo,rock")
    second = write(tmp_path / "b" / "train.csv", header, "1,Green,Cy,jazz", "2,Grey,Di,folk")
    run(engine, first)
    result = run(engine, second)
    assert (result.tracks_new, result.duplicates, result.corrects) == (2, 0, [])
    assert result.other_tables == [1]
    assert read(engine, "title", "artists", "label") == {
        ("Blue", "Ana", "pop"),
        ("Red", "Bo", "rock"),
        ("Green", "Cy", "jazz"),
        ("Grey", "Di", "folk"),
    }
    assert all(len(genres) == 1 for genres in genres_of(engine).values())
    assert read(engine, "origin") == {("csv:train.csv",), ("csv:train.csv#2",)}
    for path in (first, second):
        assert run(engine, path).tracks_new == 0


def test_moved_row_numbers_merge_nothing(engine: Engine, tmp_path: Path):
    """A version with other numbers of its rows: every song stays itself, new ones are added."""
    header = "id,title,artist,genre"
    rows = [f"{7 * n},Song {n},Artist {n},genre {n % 2}" for n in range(10)]
    run(engine, write(tmp_path / "data.csv", header, *rows))
    before = read(engine, "title", "artists", "label")
    moved = [f"{7 * n},Song {n - 1},Artist {n - 1},genre {(n - 1) % 2}" for n in range(1, 11)]
    again = write(tmp_path / "data.csv", header, "0,Newest,Zoe,genre 0", *moved)
    result = run(engine, again)
    assert (result.tracks_new, result.corrected, result.conflicts) == (1, 0, 10)
    assert read(engine, "title", "artists", "label") == before | {("Newest", "Zoe", "genre 0")}
    assert run(engine, again).tracks_new == 0


def test_an_id_that_repeats_in_a_file_is_no_identity(engine: Engine, tmp_path: Path):
    """Such as a number of the album: the names decide."""
    path = write(tmp_path / "x.csv", "id,title,artist", "7,One,A", "7,Two,A", "7,One,B", "7,One,A")
    result = run(engine, path)
    assert (result.tracks_new, result.conflicts) == (3, 2)
    assert run(engine, path).tracks_new == 0


def test_recordings_of_one_name_are_told_apart_by_duration(engine: Engine, tmp_path: Path):
    """Two recordings whose numbers are exchanged in the next version stay two."""
    header = "id,title,artist,duration_ms,album"
    run(engine, write(tmp_path / "x.csv", header, "1,Intro,A,60000,a", "2,Intro,A,200000,b"))
    before = read(engine, "title", "duration_ms", "album")
    result = run(
        engine, write(tmp_path / "x.csv", header, "2,Intro,A,60000,a", "1,Intro,A,200000,b")
    )
    assert (result.tracks_new, result.corrected) == (0, 0)
    assert read(engine, "title", "duration_ms", "album") == before


@pytest.mark.parametrize("ids", [("id", "1", "2"), ("track_id", "a" * 22, "b" * 22), None])
def test_right_headers_fill_what_was_missing(
    engine: Engine, tmp_path: Path, ids: tuple[str, str, str] | None
):
    """Four columns under names that nobody knows; the second import knows them."""
    names = ["", "1,", "2,"] if ids is None else [f"{name}," for name in ids]
    if ids is None:
        names = ["", "", ""]
    unknown = f"{names[0]}title,artist,genre,xdance,xbpm,xdb,xlen"
    rows = (
        f"{names[1]}One,A,pop,0.5,120.5,-7.5,200000",
        f"{names[2]}Two,B,rock,0.25,99,-3,180000",
    )
    run(engine, write(tmp_path / "data.csv", unknown, *rows))
    assert read(engine, *FEATURES) == {(None, None, None, None)}
    right = f"{names[0]}title,artist,genre,danceability,tempo,loudness,duration_ms"
    result = run(engine, write(tmp_path / "data.csv", right, *rows))
    assert (result.tracks_new, result.duplicates, result.corrected) == (0, 2, 2)
    assert result.corrects == [1]
    assert read(engine, "title", *FEATURES) == {
        ("One", 0.5, 120.5, -7.5, 200_000),
        ("Two", 0.25, 99.0, -3.0, 180_000),
    }
    assert run(engine, tmp_path / "data.csv").corrected == 0


def test_wrong_values_are_corrected(engine: Engine, tmp_path: Path):
    """Features, metadata, the duration of the only track of a name; no empty cell corrects."""
    header = "title,artist,genre,album,popularity,duration_ms,energy,tempo"
    run(engine, write(tmp_path / "d.csv", header, "One,A,pop,Worng,10,215,0.9,100"))
    corrected = write(tmp_path / "d.csv", header, "One,A,pop,Right,,215000,0.1,")
    assert run(engine, corrected).corrected == 1
    assert read(engine, "album", "popularity", "duration_ms", "energy", "tempo") == {
        ("Right", 10, 215_000, 0.1, 100.0)
    }


def test_a_corrected_genre_moves_the_claim(engine: Engine, tmp_path: Path):
    """The old genre is withdrawn, the counters follow; a row that is gone keeps its track."""
    header = "title,artist,genre"
    rows = ["One,A,pop", "Two,A,pop", "Three,A,rock", "Four,A,rock"]
    run(engine, write(tmp_path / "d.csv", header, *rows))
    result = run(engine, write(tmp_path / "d.csv", header, "One,A,jazz", *rows[1:3]))
    assert (result.corrected, result.claims_moved, result.only_earlier) == (1, 1, 1)
    assert genres_of(engine) == {
        "One": {"jazz"}, "Two": {"pop"}, "Three": {"rock"}, "Four": {"rock"},
    }  # fmt: skip
    assert read(engine, "title", "label") == {
        ("One", "jazz"), ("Two", "pop"), ("Three", "rock"), ("Four", "rock"),
    }  # fmt: skip


def test_an_earlier_version_counts_again_where_it_is_the_last(engine: Engine, tmp_path: Path):
    """Two versions by turns: the last one's values, and each genre sighted once."""
    header = "title,artist,genre,tempo"
    old = write(tmp_path / "1" / "a.csv", header, "Alpha,Ana,rock,120", "Beta,Bo,pop,90")
    new = write(tmp_path / "2" / "a.csv", header, "Alpha,Ana,folk,121", "Beta,Bo,pop,90")
    expected = {old: ("rock", 120.0), new: ("folk", 121.0)}
    for number, path in enumerate((old, new, old, new, old), 1):
        result = run(engine, path)
        assert result.import_id == number
        assert result.corrects == list(range(1, number))
        assert (result.tracks_new, result.corrected) == (0 if number > 1 else 2, int(number > 1))
        assert ("Alpha", *expected[path]) in read(engine, "title", "label", "tempo")
        assert genres_of(engine)["Alpha"] == {expected[path][0]}
        again = run(engine, path)
        assert (again.import_id, again.tracks_new, again.corrected) == (number, 0, 0)
        assert again.corrects == list(range(1, number))
        assert genres_of(engine)["Alpha"] == {expected[path][0]}


def test_earlier_options_count_again_where_they_are_the_last(engine: Engine, tmp_path: Path):
    """The same bytes without, with and without an option."""
    path = write(
        tmp_path / "c2.csv", "title,artist,energy", *(f"Song {n},A,0.{n}" for n in range(1, 9))
    )
    percent = {"units": {"energy": "percent"}}
    run(engine, path)
    plain = read(engine, "title", "energy")
    run(engine, path, **percent)
    assert read(engine, "title", "energy") != plain
    assert run(engine, path).corrected == 8
    assert read(engine, "title", "energy") == plain


def test_values_of_other_sources_are_not_corrected(engine: Engine, tmp_path: Path):
    """What Spotify or another file delivered stays; so does its genre."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        track = make.add_track(
            connection, "One", ["A"], genres=[rock], album="Theirs", popularity=None
        )
        make.add_features(connection, track, "spotify", energy=0.75)
    header = "title,artist,genre,album,popularity,energy"
    write(tmp_path / "other.csv", header, "One,A,folk,,,0.5")
    run(engine, tmp_path / "other.csv")
    run(engine, write(tmp_path / "d.csv", header, "One,A,pop,Ours,10,0.1"))
    result = run(engine, write(tmp_path / "d.csv", header, "One,A,jazz,Better,20,0.2"))
    assert result.corrected == 1
    assert read(engine, "album", "popularity") == {("Theirs", 20)}
    assert genres_of(engine) == {"One": {"rock", "folk", "jazz"}}
    with read_transaction(engine) as connection:
        features = tables.audio_features
        query = select(features.c.provider, features.c.energy)
        assert dict(map(tuple, connection.execute(query))) == {"spotify": 0.75, "csv": 0.5}


def descriptors(path: Path, vectors: dict[str, tuple[str, float]]) -> Path:
    path.parent.mkdir(exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["filename", *(f"mfcc_{n}" for n in range(9)), "label"])
        for name, (label, value) in vectors.items():
            writer.writerow([name, *(value + n for n in range(9)), label])
    return path


@pytest.mark.parametrize("labels", [("rock", "folk"), ("pop", "jazz")])
def test_tables_of_descriptors_with_equal_file_names(
    engine: Engine, tmp_path: Path, labels: tuple[str, str]
):
    """`1.wav` of one table is not `1.wav` of another, even under the same label."""
    run(engine, descriptors(tmp_path / "a" / "x.csv", {"1.wav": ("pop", 1), "2.wav": ("jazz", 2)}))
    other = {"1.wav": (labels[0], 50.0), "2.wav": (labels[1], 60.0)}
    result = run(engine, descriptors(tmp_path / "b" / "x.csv", other))
    assert (result.tracks_new, result.corrects) == (2, [])
    assert run(engine, tmp_path / "a" / "x.csv").tracks_new == 0
    assert run(engine, tmp_path / "b" / "x.csv").tracks_new == 0


def test_a_corrected_table_of_descriptors_finds_its_tracks(engine: Engine, tmp_path: Path):
    """With another label, and another vector, of single files."""
    vectors = {f"{n}.wav": ("pop", n) for n in range(6)}
    run(engine, descriptors(tmp_path / "x.csv", vectors))
    vectors |= {"1.wav": ("rock", 1), "2.wav": ("pop", 99)}
    result = run(engine, descriptors(tmp_path / "x.csv", vectors))
    assert (result.tracks_new, result.corrected, result.claims_moved) == (0, 2, 1)
    assert dict(read(engine, "title", "label"))["1.wav"] == "rock"

"""Importing datasets, on both databases."""

import csv
import random
import shutil

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import func, select

from collector.datasets.column_roles import columns
from collector.datasets.formats.table import NotADataset
from collector.errors import CatalogueMismatch
from collector.imports import dataset
from genrebase.errors import UserError
from genrebase.progress import ProgressCallback
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests.fakes import NOON
from tests.import_runs import run_dataset
from tests.killed_imports import Killed, KilledAt

BATCH_ROWS = 500
HEADER = ("track_id", "track_name", "artists", "track_genre", "popularity", "tempo", "duration_ms")


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(dataset, "batch_rows", lambda _engine: BATCH_ROWS)


def write(path, rows, header=HEADER):
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
    return path


def spotify_id(number):
    return f"{number:022d}"


def row(number, genre, title=None, artist="Artist", **facts):
    output = {"popularity": "50", "tempo": "120.0", "duration_ms": "200000", **facts}
    return (spotify_id(number), title or f"Song {number}", artist, genre, *output.values())


def run(engine, path, advance=None, **options):
    return run_dataset(engine, path, advance=advance, **options)


def contents(engine):
    """Everything an import stores, without surrogate ids and times."""
    track, genre, sighting = tables.track, tables.genre, tables.sighting
    alias, features = tables.track_alias, tables.audio_features
    facts = (track.c.identity, track.c.title, track.c.artists, track.c.side, track.c.popularity)
    queries = {
        "tracks": select(*facts, genre.c.name).outerjoin(genre, genre.c.id == track.c.genre_id),
        "aliases": select(alias.c.source, alias.c.source_id, track.c.identity).join(track),
        "sightings": select(
            track.c.identity, genre.c.name, sighting.c.best_rank, sighting.c.times
        ).select_from(
            sighting.join(track, track.c.id == sighting.c.track_id).join(
                genre, genre.c.id == sighting.c.genre_id
            )
        ),
        "features": select(track.c.identity, features.c.provider, features.c.tempo).join(track),
        "genres": select(genre.c.name, genre.c.target, genre.c.sightings),
        "mappings": select(tables.genre_mapping),
        "files": select(tables.imported_file.c.sha256, tables.imported_file.c.rows_done),
    }
    with read_transaction(engine) as connection:
        return {
            name: sorted(map(repr, map(tuple, connection.execute(query))))
            for name, query in queries.items()
        }


def count(engine, table):
    with read_transaction(engine) as connection:
        return connection.scalar(select(func.count()).select_from(table))


def sightings(engine):
    """(title, genre) -> (best rank, times)."""
    with read_transaction(engine) as connection:
        track, genre, sighting = tables.track, tables.genre, tables.sighting
        query = select(
            track.c.title, genre.c.name, sighting.c.best_rank, sighting.c.times
        ).select_from(
            sighting.join(track, track.c.id == sighting.c.track_id).join(
                genre, genre.c.id == sighting.c.genre_id
            )
        )
        return {
            (title, name): (rank, times) for title, name, rank, times in connection.execute(query)
        }


def many_rows(rows):
    """Rows with repeats, re-releases and tracks of several genres, the same on every call."""
    chance = random.Random(7)
    return [
        row(
            number := chance.randrange(rows),
            f"genre {chance.randrange(5)}",
            title=f"Song {number // 2}",
            artist=f"Artist {number % 50};Guest {number % 7}",
        )
        for _ in range(rows)
    ]


def test_every_row_is_new_a_duplicate_or_rejected(engine, tmp_path):
    """The three sum to the rows, each rejection with its reason and its row's number."""
    path = write(
        tmp_path / "data.csv",
        [
            row(1, "rock"),
            row(1, "pop"),
            row(2, "rock", title="Song 1"),
            row(3, "", title="NA", artist="NA"),
            ("too", "short"),
            row(4, "nan"),
            row(5, "rock", tempo="0", popularity="x"),
        ],
    )
    rejects = tmp_path / "rejected.csv"
    imported = run(engine, path, rejected=rejects)
    counts = (imported.rows, imported.tracks_new, imported.duplicates, imported.rejected)
    assert counts == (7, 3, 2, 2)
    assert imported.reasons == {"no name": 1, "wrong number of columns": 1}
    assert imported.unlabelled == 1
    assert rejects.read_text() == "row,reason\n4,no name\n5,wrong number of columns\n"
    assert sightings(engine) == {
        ("Song 1", "rock"): (0, 2),
        ("Song 1", "pop"): (0, 1),
        ("Song 5", "rock"): (2, 1),
    }
    with read_transaction(engine) as connection:
        origins = set(connection.scalars(select(tables.track.c.origin)))
        providers = set(connection.scalars(select(tables.audio_features.c.provider)))
    assert (origins, providers) == ({"csv:data.csv"}, {"csv"})


def test_importing_again_changes_nothing(engine, tmp_path):
    """Not even how often a track was seen; every row is a duplicate then."""
    path = write(tmp_path / "data.csv", many_rows(300))
    first = run(engine, path)
    before = contents(engine)
    again = run(engine, path)
    assert contents(engine) == before
    assert (again.tracks_new, again.duplicates) == (0, first.rows)


def test_the_same_bytes_under_another_name_are_the_same_file(engine, tmp_path):
    """A renamed file is not counted again."""
    path = write(tmp_path / "data.csv", many_rows(50))
    run(engine, path)
    before = contents(engine)
    run(engine, path.rename(tmp_path / "renamed.csv"))
    assert contents(engine) == before


@pytest.fixture
def undisturbed(migrated_sqlite, tmp_path):
    """One more database, for an import that runs through."""
    copy = shutil.copyfile(migrated_sqlite, tmp_path / "undisturbed.db")
    made = make_engine(f"sqlite:///{copy}")
    yield made
    made.dispose()


@pytest.mark.usefixtures("small_batches")
def test_a_killed_import_ends_in_the_same_database(engine, undisturbed, tmp_path):
    """Killed between two batches and started again: equal to one that ran through."""
    path = write(tmp_path / "data.csv", many_rows(2 * BATCH_ROWS + 50))
    with pytest.raises(Killed):
        run(engine, path, KilledAt(1))
    assert str(BATCH_ROWS) in contents(engine)["files"][0]
    assert run(engine, path).rows == run(undisturbed, path).rows
    assert contents(engine) == contents(undisturbed)


def test_another_genre_column_corrects_the_genres(engine, tmp_path):
    """The same file imported by subgenre; the mapping holds the broad genres."""
    header = ("track_id", "track_name", "track_artist", "playlist_genre", "playlist_subgenre")
    rows = [(spotify_id(n), f"Song {n}", "A", "pop", f"fine {n % 2}") for n in range(6)]
    path = write(tmp_path / "songs.csv", rows, header)
    run(engine, path)
    run(engine, path, genre_column="playlist_subgenre")
    run(engine, path, genre_column="playlist_subgenre")
    with read_transaction(engine) as connection:
        genres = dict(
            connection.execute(select(tables.genre.c.name, tables.genre.c.sightings)).all()
        )
        mapped = connection.execute(select(tables.genre_mapping).order_by("fine")).all()
    assert genres == {"pop": 0, "fine 0": 3, "fine 1": 3}
    assert [tuple(one) for one in mapped] == [
        ("songs", "fine 0", "pop"),
        ("songs", "fine 1", "pop"),
    ]
    assert {times for _, times in sightings(engine).values()} == {1}


def test_rows_without_an_id_are_identified_by_name_and_duration(engine, tmp_path):
    """The same name within two seconds is one track; else another recording."""
    path = write(
        tmp_path / "data.csv",
        [
            ("Song", "A", "pop", "200000"),
            ("song", "a", "pop", "201000"),
            ("Song", "A", "pop", "260000"),
        ],
        ("title", "artist", "genre", "duration_ms"),
    )
    assert run(engine, path).tracks_new == 2
    assert run(engine, path).tracks_new == 0
    assert count(engine, tables.track_alias) == 2


def test_plain_numbers_of_two_files_are_not_confused(engine, tmp_path):
    """Row 0 of one file is not row 0 of another."""
    header = ("id", "title", "artist")
    run(engine, write(tmp_path / "one.csv", [("0", "Song", "A")], header))
    run(engine, write(tmp_path / "two.csv", [("0", "Other", "B")], header))
    assert count(engine, tables.track) == 2


def test_invalid_rows_do_not_stop_the_import(engine, tmp_path):
    """Bytes of another encoding, NUL, endless names, open quotes: the rest is imported."""
    path = tmp_path / "data.csv"
    path.write_bytes(
        b"track_id,title,artist,genre,popularity\n"
        b"," + "日本の歌".encode() + b",A,J-\xe3\x83\x9d\xe3\x83\x83\xe3\x83\x97,1\n"
        b",caf\xe9,A,pop,1\n"
        b",S\0ong,A,pop,99999999999999999999\n"
        b"," + b"x" * 50_000 + b",A,pop,1\n"
        b',"open,A,pop,1\n'
        b',"quoted, title",A,"drum & bass",1e400\n'
        b",None,B,50's,\n"
    )
    imported = run(engine, path)
    assert imported.reasons == {
        "name too long": 1,
        "not in the file's encoding": 1,
        "wrong number of columns": 1,
    }
    assert imported.tracks_new == 4
    with read_transaction(engine) as connection:
        assert set(connection.scalars(select(tables.genre.c.name))) == {
            "J-ポップ",
            "pop",
            "drum & bass",
            "50's",
        }


def test_half_of_a_character_is_named_as_such(engine, tmp_path):
    """A text that was cut inside an escaped emoji: another encoding would not help."""
    path = tmp_path / "cut.json"
    path.write_text(
        '[{"title": "Song \\ud83c", "artist": "A"}, {"title": "Song", "artist": "A"},'
        ' {"title": "Only a title", "note": "\\ud83c"}]'
    )
    imported = run(engine, path)
    assert (imported.tracks_new, imported.rejected) == (2, 1)
    assert imported.reasons == {"half of a character (a lone surrogate)": 1}
    (hint,) = imported.warnings
    assert hint.endswith("Correct 1 row in the file.")
    assert "encoding" not in hint
    path.write_text('[{"t\\ud83c": "Song", "a": "A"}]')
    with pytest.raises(NotADataset, match="half of a character"):
        run(engine, path)


def test_without_the_needed_columns_nothing_is_written(engine, tmp_path):
    """Refused with the columns there are and those that are missing."""
    path = write(tmp_path / "data.csv", [("1", "2")], ("filename", "tempo"))
    with pytest.raises(columns.ColumnsMissing, match="filename, tempo"):
        run(engine, path)
    with pytest.raises(NotADataset):
        run(engine, tmp_path / "none.csv")
    assert count(engine, tables.imported_file) == 0
    assert count(engine, tables.job_run) == 0


def test_a_synthetic_catalogue_is_refused(engine, tmp_path):
    """A dataset does not go into a database that the synthetic catalogue filled."""
    with transaction(engine) as connection:
        connection.execute(
            tables.catalogue_origin.insert().values(
                kind="synthetic", detail="seed 1", recorded_at=NOON
            )
        )
    with pytest.raises(CatalogueMismatch, match="STORE_URL"):
        run(engine, write(tmp_path / "data.csv", [row(1, "pop")]))


def test_the_run_is_recorded(engine, tmp_path):
    """`job_run` has the counts of the import."""
    run(engine, write(tmp_path / "data.csv", [row(1, "pop")]))
    with read_transaction(engine) as connection:
        ran = connection.execute(select(tables.job_run)).one()
    assert (ran.job, ran.outcome, ran.counts["rows"]) == ("import", "done", 1)


def test_the_list_of_rejected_rows_overwrites_nothing(sqlite_engine, tmp_path):
    """A file that is there is refused, the dataset itself too, before anything is written."""
    path = write(tmp_path / "data.csv", [row(1, "rock")])
    before = path.read_bytes()
    with pytest.raises(UserError, match="exists already"):
        run(sqlite_engine, path, rejected=path)
    assert path.read_bytes() == before
    assert count(sqlite_engine, tables.track) == 0


def test_unparsable_cells_are_counted(engine, tmp_path):
    """Words, very long genres, and numbers out of range; missing values are not counted."""
    rows = [
        row(1, "rock", tempo="120,5", popularity="abc", duration_ms="long"),
        row(2, "rock", tempo="abc", popularity="", duration_ms="NA"),
        row(3, "rock", tempo="0", popularity="-1", duration_ms="0"),
        row(4, "x" * 5_000),
    ]
    imported = run(engine, write(tmp_path / "data.csv", rows))
    assert imported.unreadable == {
        "track_genre": 1,
        "popularity": 1,
        "tempo": 2,
        "duration_ms": 1,
    }
    assert imported.out_of_range == {"popularity": 1, "tempo": 1, "duration_ms": 1}
    assert (imported.tracks_new, imported.unlabelled) == (4, 1)


def test_claims_that_move_are_counted(engine, tmp_path):
    """Subgenres take tracks from the broad genre, which is counted; repeated, nothing moves."""
    header = ("track_id", "track_name", "track_artist", "playlist_genre", "playlist_subgenre")
    rows = [(spotify_id(n), f"Song {n}", "A", "pop", f"fine {n % 2}") for n in range(6)]
    path = write(tmp_path / "songs.csv", rows, header)
    assert run(engine, path).claims_moved == 0
    moved = run(engine, path, genre_column="playlist_subgenre").claims_moved
    with read_transaction(engine) as connection:
        of_fine = connection.scalar(
            select(func.count())
            .select_from(tables.track.join(tables.genre))
            .where(tables.genre.c.name != "pop")
        )
    assert moved == of_fine > 0
    assert run(engine, path, genre_column="playlist_subgenre").claims_moved == 0


def test_genres_that_differ_by_case_or_blanks_are_listed(sqlite_engine, tmp_path):
    """They stay separate genres."""
    rows = [row(n, name) for n, name in enumerate(("Rock", "rock", "hip hop", "hip  hop", "pop"))]
    imported = run(sqlite_engine, write(tmp_path / "data.csv", rows))
    assert imported.similar_genres == [["Rock", "rock"], ["hip  hop", "hip hop"]]
    assert imported.genres == 5


@pytest.mark.usefixtures("small_batches")
def test_a_stop_ends_after_the_batch(engine, tmp_path):
    """Recorded rows stay, and the next import ends like an uninterrupted one."""
    path = write(tmp_path / "data.csv", many_rows(BATCH_ROWS + 50))
    batches = []
    imported = run(
        engine,
        path,
        advance=lambda *_, **__: batches.append(1),
        stop_requested=lambda: bool(batches),
    )
    assert (imported.stopped, imported.rows) == ("interrupted", BATCH_ROWS)
    again = run(engine, path)
    assert (again.stopped, again.rows) == ("done", BATCH_ROWS + 50)
    with read_transaction(engine) as connection:
        outcomes = connection.scalars(select(tables.job_run.c.outcome).order_by("id")).all()
        seen = connection.scalar(select(func.sum(tables.sighting.c.times)))
    assert (outcomes, seen) == (["interrupted", "done"], BATCH_ROWS + 50)


class RecordedProgress(ProgressCallback):
    """Records the reports."""

    def __init__(self):
        self.totals = []

    def __call__(self, done, total=None, *, estimated=False, **_details):
        self.totals.append((done, total, estimated))


def test_an_estimated_number_of_rows_is_marked(sqlite_engine, tmp_path):
    """For CSV it is exact only at the end; Parquet metadata has the exact number."""
    rows = [row(number, "rock") for number in range(30)]
    progress = RecordedProgress()
    path = write(tmp_path / "rows.csv", rows)
    run(sqlite_engine, path, progress)
    assert progress.totals[0][2]
    assert progress.totals[-1] == (30, 30, False)
    columns = {name: [one[place] for one in rows] for place, name in enumerate(HEADER)}
    parquet.write_table(pa.table(columns), tmp_path / "rows.parquet")
    progress = RecordedProgress()
    run(sqlite_engine, tmp_path / "rows.parquet", progress)
    assert {(total, estimated) for _, total, estimated in progress.totals} == {(30, False)}

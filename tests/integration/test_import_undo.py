"""Undoing an import as a whole, on both databases."""

from collections.abc import Callable
from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text

from collector.catalogue import tracks
from collector.catalogue.import_undo import UndoCounts
from collector.curation import imports
from collector.imports.records import ImportResult
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.errors import UserError
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.consistency import assert_consistent
from tests.fakes import NOON, FakeClock
from tests.import_runs import run_dataset

STORED = {
    "tracks": """
        SELECT t.identity, t.title, t.artists, t.side, t.origin, t.album, t.release_date,
            t.release_year, t.duration_ms, t.explicit, t.popularity, t.isrc, t.split, g.name
        FROM track t LEFT JOIN genre g ON g.id = t.genre_id""",
    "aliases": """
        SELECT a.source, a.source_id, t.identity FROM track_alias a
        JOIN track t ON t.id = a.track_id""",
    "sightings": """
        SELECT t.identity, g.name, s.best_rank, s.times, s.playlist FROM sighting s
        JOIN track t ON t.id = s.track_id JOIN genre g ON g.id = s.genre_id""",
    "features": """
        SELECT t.identity, f.provider, f.energy, f.tempo, f.loudness FROM audio_features f
        JOIN track t ON t.id = f.track_id""",
    "descriptors": """
        SELECT t.identity, d.provider, d.schema, d.data FROM descriptor d
        JOIN track t ON t.id = d.track_id""",
    "schemas": "SELECT name FROM descriptor_schema",
    "artists": "SELECT name FROM artist",
    "genres": "SELECT name, sightings FROM genre",
    "mappings": "SELECT * FROM genre_mapping",
    "deliveries": """
        SELECT t.identity, f.name, d.created, d.replaced IS NULL FROM import_track d
        JOIN track t ON t.id = d.track_id JOIN imported_file f ON f.id = d.import_id""",
}
HEADER = "title,artists,genre,album,popularity,energy,tempo"


def stored(engine: Engine) -> dict[str, list[str]]:
    """Return all that imports store, without surrogate keys and times."""
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        return {
            name: sorted(repr(tuple(row)) for row in connection.execute(text(query)))
            for name, query in STORED.items()
        }


def write(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def run(engine: Engine, path: Path, **options: object) -> ImportResult:
    return run_dataset(engine, path, **options)


def undo(engine: Engine, import_id: int | None, **options: object) -> UndoCounts:
    assert import_id is not None
    outcome = imports.undo(engine, FakeClock(), import_id, **options)
    assert not outcome.stopped
    return outcome.counts


def harvest(engine: Engine, title: str, artist: str, genre: str, rank: int) -> None:
    """Record a track as the harvest does."""
    track = SourceTrack(
        "spotify", f"{title:x<22}", title, (ArtistCredit(artist),), album="Of Spotify"
    )
    with transaction(engine) as connection:
        observed = [TrackObservation(track, genre, rank)]
        tracks.record(connection, observed, Provenance("spotify", None), NOON)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three tables that share tracks and agree in what they say about them."""
    header = f"{HEADER},playlist_name"
    shared = "Shared,A,pop,Album,10,0.5,100,Best of Pop"
    both, only_a = "Both,B,jazz,,7,0.25,,Late Night", "OnlyA,A;Guest,rock,,,,,"
    rows_of = {
        "a.csv": (shared, only_a, both),
        "b.csv": (shared, "OnlyB,B,folk,X,1,0.1,90,", both),
        "c.csv": (shared, "OnlyC,C,pop,,,,,", only_a),
    }
    return [write(tmp_path / name, *rows, header=header) for name, rows in rows_of.items()]


def test_an_import_that_is_undone_leaves_nothing(engine: Engine, tmp_path: Path):
    """Not a genre, artist, id, mapping; and the file can be imported again."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        track = make.add_track(connection, "One", ["A"], genres=[rock])
        make.add_alias(connection, track, "c" * 22)
        connection.execute(tables.sighting.update().values(best_rank=3))
    before = stored(engine)
    header = "track_id,title,artists,playlist_genre,playlist_subgenre,album,isrc,energy"
    rows = (
        f"{'a' * 22},One,A;Guest,rock,hard rock,Album,USAAA1234567,0.5",
        f"{'b' * 22},Two,B,jazz,be bop,,,",
    )
    path = write(tmp_path / "songs.csv", *rows, header=header)
    imported = run(engine, path)
    after = stored(engine)
    assert imported.tracks_new == 1
    assert undo(engine, imported.import_id).tracks == 1
    assert stored(engine) == before
    again = run(engine, path)
    assert (again.tracks_new, again.import_id) == (1, 2)
    assert stored(engine) == after


IN_EVERY_ORDER = pytest.mark.parametrize(
    ("database_url", "order"),
    [
        *(("sqlite", order) for order in permutations(range(3))),
        ("postgresql", (0, 2, 1)),
        ("postgresql", (2, 0, 1)),
    ],
    indirect=["database_url"],
)
"""Of three imports; the order is no matter of SQL: on PostgreSQL two orders are enough."""


@IN_EVERY_ORDER
def test_whatever_is_undone_the_others_stay(
    engine: Engine, files: list[Path], order: tuple[int, ...]
):
    """Three imports, undone in every order: what is left is what the others brought."""
    alone = {}
    for count in range(3):
        left = sorted(order[count + 1 :])
        ids = [run(engine, files[at]).import_id for at in left]
        alone[count] = stored(engine)
        for import_id in ids:
            undo(engine, import_id)
    ids = [run(engine, path).import_id for path in files]
    for count, at in enumerate(order):
        undo(engine, ids[at])
        assert stored(engine)["tracks"] == alone[count]["tracks"]
        for kind in ("sightings", "aliases", "features", "artists", "genres"):
            assert stored(engine)[kind] == alone[count][kind], kind


def test_a_correction_that_is_undone_restores_the_values(engine: Engine, tmp_path: Path):
    """Values, genre and features are those of the version before."""
    rows = ["One,A,pop,Worng,10,0.9,100", "Two,B,rock,,,,"]
    run(engine, write(tmp_path / "d.csv", *rows))
    before = stored(engine)
    corrected = ["One,A,jazz,Right,,0.1,", "Two,B,rock,New,5,0.5,90"]
    result = run(engine, write(tmp_path / "d.csv", *corrected))
    assert result.corrected == 2
    counts = undo(engine, result.import_id)
    assert (counts.tracks, counts.kept, counts.restored) == (0, 2, 2)
    assert stored(engine) == before


def test_the_version_before_a_correction_can_be_undone(engine: Engine, tmp_path: Path):
    """The corrected values stay; rows that only the first version had are removed."""
    path = tmp_path / "d.csv"
    first = run(engine, write(path, "One,A,pop,Worng,10,0.9,100", "Gone,B,rock,,,,"))
    second = run(engine, write(path, "One,A,jazz,Right,,0.1,"))
    assert second.only_earlier == 1
    assert undo(engine, first.import_id).tracks == 1
    kept = stored(engine)
    assert len(kept["tracks"]) == len(kept["genres"]) == 1
    assert "'Right'" in kept["tracks"][0]
    assert "'jazz'" in kept["tracks"][0]
    undo(engine, second.import_id)
    assert all(rows == [] for rows in stored(engine).values())


@IN_EVERY_ORDER
def test_a_version_that_was_imported_twice_leaves_nothing(
    engine: Engine, tmp_path: Path, order: tuple[int, ...]
):
    """A version, a correction and the version again, undone in every order."""
    header = "title,artist,genre,tempo"
    old = write(tmp_path / "1" / "a.csv", "Alpha,Ana,rock,120", "Beta,Bo,pop,90", header=header)
    new = write(tmp_path / "2" / "a.csv", "Alpha,Ana,folk,121", "Beta,Bo,pop,90", header=header)
    before = stored(engine)
    left = {run(engine, path).import_id: path for path in (old, new, old)}
    for at in order:
        import_id = at + 1
        undo(engine, import_id)
        del left[import_id]
        if left:
            values = ["('Alpha', 'rock', 120.0)", "('Alpha', 'folk', 121.0)"]
            assert claims(engine)[0] == values[left[max(left)] == new]
    assert stored(engine) == before
    assert run(engine, old).tracks_new == 2


def claims(engine: Engine) -> list[str]:
    query = """
        SELECT t.title, g.name, a.tempo FROM track t LEFT JOIN genre g ON g.id = t.genre_id
        LEFT JOIN audio_features a ON a.track_id = t.id ORDER BY t.title"""
    with read_transaction(engine) as connection:
        return [repr(tuple(row)) for row in connection.execute(text(query))]


BPM = ("title,artist,bpm", "Alpha,Ana,120")
FULL = ("title,artist,energy,valence,tempo,year", "Alpha,Ana,0.51,0.3,120.1,1999")
LOUD = ("title,artist,energy,tempo,loudness", "Alpha,Ana,0.51,120,-7")


@IN_EVERY_ORDER
def test_missing_features_are_filled_by_other_files(
    engine: Engine, tmp_path: Path, order: tuple[int, ...]
):
    """Each file fills what is missing, the first one counts; undone, the others' stay."""
    tables_ = dict(zip(("bpm.csv", "full.csv", "loud.csv"), (BPM, FULL, LOUD), strict=True))
    files = [write(tmp_path / name, row, header=head) for name, (head, row) in tables_.items()]
    before = stored(engine)
    results = [run(engine, path) for path in files]
    assert [one.features_not_taken for one in results] == [0, 1, 0]
    kept = {"tempo": {0, 2}, "energy": {1, 2}, "valence": {1}, "loudness": {2}}
    values = {"tempo": 120.0, "energy": 0.51, "valence": 0.3, "loudness": -7.0}
    left = {0, 1, 2}
    for at in (None, *order):
        if at is not None:
            undo(engine, results[at].import_id)
            left.discard(at)
        expected = tuple(values[name] if kept[name] & left else None for name in kept)
        assert features_of(engine) == ({expected} if left and set(expected) != {None} else set())
    assert stored(engine) == before


def test_a_version_corrects_only_its_own_features(engine: Engine, tmp_path: Path):
    """Not those that another file filled meanwhile."""
    run(engine, write(tmp_path / "bpm.csv", BPM[1], header=BPM[0]))
    run(engine, write(tmp_path / "full.csv", FULL[1], header=FULL[0]))
    new = write(tmp_path / "bpm.csv", "Alpha,Ana,99,0.9,-3", header=f"{BPM[0]},energy,loudness")
    result = run(engine, new)
    assert features_of(engine) == {(99.0, 0.51, 0.3, -3.0)}
    undo(engine, result.import_id)
    assert features_of(engine) == {(120.0, 0.51, 0.3, None)}


def features_of(engine: Engine) -> set[tuple[object, ...]]:
    with read_transaction(engine) as connection:
        query = text("SELECT tempo, energy, valence, loudness FROM audio_features")
        return {tuple(row) for row in connection.execute(query)}


def test_a_harvested_track_stays(engine: Engine, tmp_path: Path):
    """Harvested before or after the import, with its own rank, and what the harvest filled in."""
    harvest(engine, "Before", "A", "pop", 30)
    before = stored(engine)["sightings"]
    imported = run(engine, write(tmp_path / "d.csv", "Before,A,pop,,9,,", "After,B,rock,,9,,"))
    harvest(engine, "After", "B", "rock", 20)
    counts = undo(engine, imported.import_id)
    assert (counts.tracks, counts.kept) == (0, 2)
    assert stored(engine)["sightings"] == [
        repr(("after|b", "rock", 20, 1, None)),
        *before,
    ]
    assert {row.split(", ")[4] for row in stored(engine)["tracks"]} == {"'spotify'"}
    assert all("Of Spotify" in row and ", 9," not in row for row in stored(engine)["tracks"])


def test_a_labelled_track_keeps_an_alias(engine: Engine, tmp_path: Path):
    """However often the import that delivered it is repeated and undone."""
    path = write(
        tmp_path / "a.csv", "xa,Alpha,Ana,rock", "xb,Beta,Bo,pop", header="id,title,artists,genre"
    )
    ids = (
        "SELECT t.title, count(a.track_id) FROM track t"
        " LEFT JOIN track_alias a ON a.track_id = t.id"
    )
    for round_ in range(3):
        result = run(engine, path)
        if not round_:
            with transaction(engine) as connection:
                track = connection.scalar(text("SELECT id FROM track WHERE title = 'Alpha'"))
                genre = connection.scalar(text("SELECT id FROM genre WHERE name = 'rock'"))
                make.add_verdict(connection, track, genre)
        undo(engine, result.import_id)
        with read_transaction(engine) as connection:
            rows = [tuple(row) for row in connection.execute(text(f"{ids} GROUP BY t.title"))]
        assert rows == [("Alpha", 1)]


def test_a_labelled_track_keeps_what_identifies_it(engine: Engine, tmp_path: Path):
    """As `forget` keeps it: name, credits, ids and the verdict; no sighting, no features."""
    imported = run(engine, write(tmp_path / "d.csv", "One,A,pop,Album,10,0.9,100"))
    with transaction(engine) as connection:
        jazz = make.add_genre(connection, "jazz")
        make.add_verdict(connection, 1, jazz)
    counts = undo(engine, imported.import_id)
    assert (counts.tracks, counts.kept_for_labels) == (0, 1)
    left = stored(engine)
    assert (left["sightings"], left["features"]) == ([], [])
    assert "'one|a', 'One', 'A'" in left["tracks"][0]
    assert "Album" not in left["tracks"][0]
    assert len(left["aliases"]) == 1


def test_predictions_have_to_be_given_up(engine: Engine, tmp_path: Path):
    """Without --force nothing changes."""
    imported = run(engine, write(tmp_path / "d.csv", "One,A,pop,,,,"))
    with transaction(engine) as connection:
        genre = connection.scalar(select(tables.genre.c.id))
        model = make.add_model(connection)
        make.add_predictions(connection, model, 1, [(genre, 0.9)])
    before = stored(engine)
    with pytest.raises(UserError, match=r"predictions of 1 track .*--force"):
        undo(engine, imported.import_id)
    assert stored(engine) == before
    assert undo(engine, imported.import_id, force=True).tracks == 1


def test_descriptors_are_removed_or_restored(engine: Engine, tmp_path: Path):
    """With their schema, so that a table with other columns can follow."""
    names = [f"mfcc_{n}" for n in range(9)]

    def table(value: int, columns: list[str]) -> Path:
        rows = [
            f"{n}.wav,{','.join(str(value * n + at) for at in range(9))},pop" for n in range(4)
        ]
        header = ",".join(["filename", *columns, "label"])
        return write(tmp_path / "x.csv", *rows, header=header)

    first = run(engine, table(1, names))
    before = stored(engine)
    rows = (tmp_path / "x.csv").read_text().replace("1.wav,1,", "1.wav,100,")
    (tmp_path / "x.csv").write_text(rows)
    second = run(engine, tmp_path / "x.csv")
    assert (second.tracks_new, second.corrected) == (0, 1)
    undo(engine, second.import_id)
    assert stored(engine) == before
    undo(engine, first.import_id)
    assert stored(engine)["schemas"] == []
    assert run(engine, table(1, [f"chroma_{n}" for n in range(9)])).described == 4


def stop_after(calls: int) -> Callable[[], bool]:
    """Return a stop request that comes after so many batches."""
    left = iter([False] * calls)
    return lambda: next(left, True)


def test_a_stopped_undo_continues(engine: Engine, tmp_path: Path):
    """Batch by batch; until it is done, the file cannot be imported."""
    rows = [f"Song {n},Artist {n},genre {n % 3},,,," for n in range(10)]
    path = write(tmp_path / "d.csv", *rows)
    imported = run(engine, path)
    for _ in range(3):
        stopped = imports.undo(engine, FakeClock(), 1, stop_requested=stop_after(1), batch_size=3)
        assert (stopped.stopped, stopped.counts.tracks) == (True, 3)
        with pytest.raises(UserError, match="imports undo 1"):
            run(engine, path)
        assert imports.list_imports(engine)[0].state == "undo unfinished"
    assert undo(engine, imported.import_id).tracks == 1
    assert all(rows == [] for rows in stored(engine).values())
    assert [one.state for one in imports.list_imports(engine)] == ["undone"]
    with pytest.raises(UserError, match="undone already"):
        undo(engine, 1)
    with pytest.raises(UserError, match="There is no import 5"):
        undo(engine, 5)


def test_an_import_of_an_earlier_version_cannot_be_undone(engine: Engine, tmp_path: Path):
    """What it delivered was not recorded; the message says what to do."""
    run(engine, write(tmp_path / "d.csv", "One,A,pop,,,,"))
    with transaction(engine) as connection:
        connection.execute(tables.imported_file.update().values(started_at=None))
    with pytest.raises(UserError, match=r"collector forget --origin csv:d\.csv"):
        undo(engine, 1)

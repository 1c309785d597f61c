"""Audio features of several rows that are one track, on both databases."""

from itertools import permutations
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from collector.catalogue import tracks
from collector.curation import imports
from collector.imports import dataset
from collector.records import ArtistCredit, DurationMs, Provenance, SourceTrack, TrackObservation
from genrebase.store.engine import read_transaction, transaction
from tests.consistency import assert_consistent
from tests.fakes import NOON, FakeClock
from tests.import_runs import run_dataset

HEADER = "title,artist,duration_ms,genre,energy,valence,tempo"
ROWS = ("200000,pop,0.5,0.9,100", "203000,pop,0.5,0.2,120", "205500,pop,0.7,0.1,90")
SMALLEST = (0.5, 0.2, 120.0)
"""The features of the smallest row: its own, not the smallest of each."""


def run(engine: Engine, path: Path, *rows: str, header: str = HEADER) -> int:
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    result = run_dataset(engine, path)
    assert result.import_id is not None
    return result.import_id


def harvest(engine: Engine, title: str) -> None:
    """Record two recordings whose durations connect those of the rows."""
    with transaction(engine) as connection:
        seen = [
            TrackObservation(
                SourceTrack(
                    "musicbrainz",
                    f"{title} {duration}",
                    title,
                    (ArtistCredit("Artist"),),
                    duration_ms=DurationMs(duration),
                ),
                "rock",
                0,
            )
            for duration in (201_500, 205_000)
        ]
        tracks.record(connection, seen, Provenance("musicbrainz", None), NOON)


def features_of(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    query = """
        SELECT t.title, f.energy, f.valence, f.tempo FROM track t
        LEFT JOIN audio_features f ON f.track_id = t.id"""
    features: dict[str, list[tuple[object, ...]]] = {}
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        for title, *values in connection.execute(text(query)):
            features.setdefault(title, []).append(tuple(values))
    return features


@pytest.mark.parametrize("batch_rows", [1, 500])
def test_no_order_of_rows_or_sources_changes_the_features(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int
) -> None:
    """Whether the rows are one track from the start, or their tracks are merged later."""
    monkeypatch.setattr(dataset, "batch_rows", lambda _engine: batch_rows)
    imported = []
    for number, order in enumerate(permutations(ROWS)):
        for first in ("rows", "sources"):
            title = f"Song {number} {first}"
            rows = [f"{title},Artist,{row}" for row in order]
            if first == "sources":
                harvest(engine, title)
            imported.append(run(engine, tmp_path / f"{title}.csv", *rows))
            if first == "rows":
                harvest(engine, title)
    features = features_of(engine)
    assert len(features) == len(imported)
    assert {title: values for title, values in features.items() if values != [SMALLEST]} == {}


def test_rows_without_some_features_fill_them_from_each_other(
    engine: Engine, tmp_path: Path
) -> None:
    """What the smallest row lacks comes from another one; an undo removes all."""
    header = "title,artist,genre,energy,valence,tempo"
    harvest(engine, "Song")
    before = features_of(engine)
    rows = ("Song,Artist,pop,0.4,,110", "Song,Artist,pop,0.6,0.3,90")
    imported = run(engine, tmp_path / "a.csv", *rows, header=header)
    values = [one for rows in features_of(engine).values() for one in rows]
    assert (0.4, 0.3, 110.0) in values
    imports.undo(engine, FakeClock(), imported)
    assert features_of(engine) == before


def test_features_that_another_file_created_a_track_with_stay(
    engine: Engine, tmp_path: Path
) -> None:
    """Also where a file delivered the same ones before its next version changes them."""
    header = "title,artist,genre,energy"
    run(engine, tmp_path / "first.csv", "Song,Artist,pop,0.5", header=header)
    run(engine, tmp_path / "other.csv", "Song,Artist,rock,0.5", header=header)
    run(engine, tmp_path / "other.csv", "Song,Artist,rock,0.1", header=header)
    assert features_of(engine) == {"Song": [(0.5, None, None)]}


def test_a_second_row_of_another_batch_changes_no_features_of_other_files(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although its first row had the same ones."""
    monkeypatch.setattr(dataset, "batch_rows", lambda _engine: 1)
    header = "title,artist,genre,energy"
    run(engine, tmp_path / "first.csv", "Song,Artist,pop,0.5", header=header)
    rows = ("Song,Artist,pop,0.5", "Song,Artist,pop,0.1")
    run(engine, tmp_path / "other.csv", *rows, header=header)
    assert features_of(engine) == {"Song": [(0.5, None, None)]}

"""Importing audio files again corrects the names and genres that they delivered."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from sqlalchemy import Engine, func, select

from collector.imports.audio import AudioImportResult
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests import synthetic_audio
from tests.consistency import assert_consistent
from tests.integration.test_import_audio import claims, note, rows, run

__all__ = ["run"]

Import = Callable[..., AudioImportResult]


def names_of(engine: Engine) -> list[tuple[object, ...]]:
    """Return titles and artists, after checking the database."""
    with read_transaction(engine) as connection:
        assert_consistent(connection)
    return sorted(rows(engine, select(tables.track.c.title, tables.track.c.artists)))


def tag(path: Path, **values: object) -> Path:
    """Replace the tags of a file, and its time."""
    file = mutagen.File(path, easy=True)
    file.delete()
    file.update(values)
    file.save()
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))
    return path


@pytest.mark.parametrize("tagged", ["01.flac", "02.flac"])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_name_from_tags_beats_a_file_name(
    engine: Engine, run: Import, tmp_path: Path, tagged: str, at_once: bool
):
    """In whatever order the files of one sound come."""
    note(tmp_path / "01.flac", 0)
    if not at_once and tagged == "02.flac":
        run(tmp_path)
    shutil.copy(tmp_path / "01.flac", tmp_path / "02.flac")
    tag(tmp_path / tagged, title="Blue", artist=["Ana", "Bob"])
    if not at_once and tagged == "01.flac":
        run(tmp_path / "01.flac")
    result = run(tmp_path)
    assert names_of(engine) == [("Blue", "Ana; Bob")]
    assert result.renamed == (not at_once and tagged == "02.flac")
    assert result.tracks_new == at_once
    assert run(tmp_path).unchanged == 2
    assert rows(engine, select(func.count()).select_from(tables.sound_file)) == [(2,)]


@pytest.mark.parametrize("at_once", [True, False])
def test_identical_audio_under_two_names_is_one_track(
    engine: Engine, run: Import, tmp_path: Path, at_once: bool
):
    """No artist of the other name is added; a remark has the name that stays."""
    note(tmp_path / "Ana - Blue.wav", 0)
    if not at_once:
        run(tmp_path)
    note(tmp_path / "Bob - Red.wav", 0)
    note(tmp_path / "02.wav", 0)
    result = run(tmp_path)
    assert names_of(engine) == [("Blue", "Ana")]
    remark = "the same audio is stored under the name Ana - Blue"
    assert sorted((Path(one.path).name, one.remark) for one in result.remarks) == [
        ("02.wav", remark),
        ("Bob - Red.wav", remark),
    ]
    assert rows(engine, select(func.count()).select_from(tables.track_artist)) == [(1,)]


def test_a_file_name_with_an_artist_beats_one_without(engine: Engine, run: Import, tmp_path: Path):
    """Whichever was imported first."""
    note(tmp_path / "01.wav", 0)
    run(tmp_path)
    note(tmp_path / "Ana - Blue.wav", 0)
    assert run(tmp_path).renamed == 1
    assert names_of(engine) == [("Blue", "Ana")]


def test_a_file_that_is_tagged_later_is_renamed(engine: Engine, run: Import, tmp_path: Path):
    """With its features, genres and verdicts; an artist from the file name is replaced, too."""
    first = note(tmp_path / "rock" / "Anna - Blu.flac", 0)
    run(tmp_path, genre_from="folder")
    with transaction(engine) as connection:
        track, genre = (
            connection.scalar(select(one.c.id)) for one in (tables.track, tables.genre)
        )
        make.add_verdict(connection, track, genre)
    tag(first, title="Blue", artist="Ana")
    result = run(tmp_path, genre_from="folder")
    assert (result.renamed, result.relabelled, result.tracks_new) == (1, 0, 0)
    assert names_of(engine) == [("Blue", "Ana")]
    assert claims(engine) == {"Blue": "rock"}
    for table in (tables.verdict, tables.audio_features, tables.descriptor, tables.sound_summary):
        assert rows(engine, select(func.count()).select_from(table)) == [(1,)]
    tag(first, title="Blue Eyes", artist="Ana")
    assert run(tmp_path).renamed == 1
    assert names_of(engine) == [("Blue Eyes", "Ana")]


def test_a_tagged_file_is_matched_to_a_catalogue_s_track(
    engine: Engine, run: Import, tmp_path: Path
):
    """The track that the file name made is gone; the catalogue's keeps its name."""
    with transaction(engine) as connection:
        make.add_track(connection, "Jóga", ["Björk"], duration_ms=1_100)
    note(tmp_path / "07.flac", 4)
    run(tmp_path)
    assert len(names_of(engine)) == 2
    tag(tmp_path / "07.flac", title="jóga", artist="Björk")
    run(tmp_path)
    assert names_of(engine) == [("Jóga", "Björk")]


def test_a_name_of_a_catalogue_or_of_other_tags_stays(engine: Engine, run: Import, tmp_path: Path):
    """Only names that came from the files are replaced, and no artist is lost."""
    with transaction(engine) as connection:
        make.add_track(connection, "Jóga", ["Björk"], duration_ms=1_100)
    catalogue = note(tmp_path / "a.flac", 4, title="Jóga", artist="Björk")
    other = note(tmp_path / "b.flac", 5, title="Blue", artist="Ana")
    named = note(tmp_path / "Ana - Red.flac", 6)
    run(tmp_path)
    tag(catalogue, title="Else", artist="Somebody")
    shutil.copy(other, tmp_path / "c.flac")
    tag(tmp_path / "c.flac", title="Green", artist="Eve")
    tag(named, title="Reddish")
    assert run(tmp_path).renamed == 0
    assert [name[0] for name in names_of(engine)] == ["Blue", "Jóga", "Red"]


@pytest.mark.parametrize("genre", ["jazz", ["jazz", "rock"]])
def test_corrected_tags_replace_the_genres(
    engine: Engine, run: Import, tmp_path: Path, genre: object
):
    """The claim is the first genre of the tags as they are now."""
    path = note(tmp_path / "a.flac", 0, title="A", artist="B", genre="rock")
    run(tmp_path, genre_from="tags")
    tag(path, title="A", artist="B", genre=genre)
    result = run(tmp_path, genre_from="tags")
    assert (result.relabelled, result.renamed) == (1, 0)
    assert claims(engine) == {"A": "jazz"}
    stored = rows(engine, select(views.track_genres.c.genre))
    assert len(stored) == (2 if isinstance(genre, list) else 1)
    names_of(engine)


def test_a_corrected_table_or_folder_replaces_the_genres(
    engine: Engine, run: Import, tmp_path: Path
):
    """Without analysing a file again; a file that was moved counts by its new folder."""
    music = tmp_path / "music"
    path = note(music / "rock" / "a.flac", 0)
    table = tmp_path / "genres.csv"
    table.write_text("filename,genre\na.flac,blues\n")
    run(music, genre_from=str(table))
    table.write_text("filename,genre\na.flac,soul\n")
    result = run(music, genre_from=str(table))
    assert (result.relabelled, result.unchanged) == (1, 1)
    assert claims(engine) == {"a": "soul"}
    assert run(music, genre_from=str(table)).relabelled == 0
    (music / "jazz").mkdir()
    path.rename(music / "jazz" / "a.flac")
    run(music, genre_from="folder")
    assert claims(engine) == {"a": "jazz"}
    assert rows(engine, select(views.track_genres.c.genre)) == [("jazz",)]
    names_of(engine)


def test_two_files_of_one_sound_both_count(engine: Engine, run: Import, tmp_path: Path):
    """Their genres are those of both."""
    note(tmp_path / "rock" / "a.flac", 0)
    note(tmp_path / "jazz" / "a.flac", 0)
    run(tmp_path, genre_from="folder")
    assert run(tmp_path, genre_from="folder").relabelled == 0
    assert sorted(rows(engine, select(views.track_genres.c.genre))) == [("jazz",), ("rock",)]
    names_of(engine)


def test_a_name_of_any_bytes_is_imported(engine: Engine, run: Import, tmp_path: Path):
    """Its path is shown with escapes, its title is read as Western text, and a remark tells so."""
    wave = synthetic_audio.write(tmp_path / "x.wav", synthetic_audio.tone(0, 3.0))
    wave.rename(tmp_path / os.fsdecode(b"Bj\xf6rk - J\xf3ga.wav"))
    rejected = tmp_path / "rejected.csv"
    result = run(tmp_path, rejected=rejected, genre_from="folder")
    assert (result.analysed, result.unreadable) == (1, [])
    (remark,) = result.remarks
    assert remark.path.endswith(r"Bj\xf6rk - J\xf3ga.wav")
    assert remark.remark == "its name is not UTF-8: read as Björk - Jóga.wav"
    assert r"J\xf3ga.wav" in rejected.read_text()
    assert names_of(engine) == [("Jóga", "Björk")]
    assert rows(engine, select(tables.track.c.duration_ms)) == [(3_000,)]
    assert run(tmp_path).unchanged == 1

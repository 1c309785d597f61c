"""Audio files are imported as tracks, each sound once."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import mutagen
import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from collector.audio import genre_source
from collector.curation.forget import forget
from collector.datasets import fma
from collector.imports import audio as use_case
from collector.imports.audio import AudioImportRequest, AudioImportResult
from collector.imports.records import ImportContext
from genrebase.audio import descriptors, packed_vectors
from genrebase.runtime.console import Output
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests import synthetic_audio
from tests.analysers import InProcess, Killed
from tests.consistency import assert_consistent
from tests.fakes import FakeClock

RATE = 8_000


@pytest.fixture
def run(engine: Engine) -> Callable[..., AudioImportResult]:
    """Import a folder."""

    def run(
        path: Path, analyser: InProcess | None = None, **requested: object
    ) -> AudioImportResult:
        stop = requested.pop("stop", lambda: False)
        reported = requested.pop("genre_from", None)
        rejected = requested.pop("rejected", None)
        with Output(as_json=True).progress("x") as advance:
            return use_case.import_audio(
                ImportContext(engine, FakeClock(), advance, rejected, stop_requested=stop),
                AudioImportRequest(path, genre_source.genre_source(reported), **requested),
                analyser or InProcess(),
            )

    return run


def note(path: Path, pitch: float, seconds: float = 1.1, **tags: object) -> Path:
    """Write a small file with a tone of its own, tagged."""
    path.parent.mkdir(parents=True, exist_ok=True)
    synthetic_audio.write(path, synthetic_audio.tone(pitch, seconds, rate=RATE), rate=RATE)
    if tags:
        file = mutagen.File(path, easy=True)
        file.update(tags)
        file.save()
    return path


def rows(engine: Engine, query: object) -> list[tuple[object, ...]]:
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def claims(engine: Engine) -> dict[str, str | None]:
    track, genre = tables.track, tables.genre
    query = select(track.c.title, genre.c.name).outerjoin(genre, genre.c.id == track.c.genre_id)
    return dict(rows(engine, query))


def test_a_file_becomes_a_track_with_all_features(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """Name, features, descriptors, sections and spectrogram, under the provider `audio`."""
    synthetic_audio.write(tmp_path / "Björk - Jóga.flac", synthetic_audio.song(9, 0, seconds=6.0))
    result = run(tmp_path, genre_from="folder")
    assert (result.files, result.analysed, result.tracks_new, result.unreadable) == (1, 1, 1, [])
    (track,) = rows(
        engine,
        select(views.tracks.c["title", "artists", "origin", "claim", "provider", "key", "mode"]),
    )
    assert track == ("Jóga", "Björk", "audio", tmp_path.name, "audio", 9, 0)
    (stored,) = rows(engine, select(views.track_descriptors.c["provider", "schema", "data"]))
    assert stored[:2] == ("audio", descriptors.SCHEMA_NAME)
    (columns,) = rows(engine, select(views.descriptor_schemas.c.columns))[0]
    values = dict(zip(columns, packed_vectors.unpack(stored[2], len(columns)), strict=True))
    assert tuple(columns) == descriptors.COLUMNS
    assert values["chroma_cqt_mean_10"] > values["chroma_cqt_mean_11"]
    assert rows(engine, select(views.sound_matrices.c["provider", "kind"])) == [
        ("audio", "logmel")
    ]
    assert rows(engine, select(views.harmony.c["provider", "key", "mode"])) == [("audio", 9, 0)]
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_an_unchanged_file_is_not_analysed_again(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """The same sound in another file or with other tags is the same track."""
    first = note(tmp_path / "a" / "One.flac", 0, title="One", artist="Band")
    note(tmp_path / "a" / "Two.flac", 5, title="Two", artist="Band")
    run(tmp_path)
    first.rename(tmp_path / "a" / "Moved.flac")
    note(tmp_path / "b" / "copy.flac", 5, title="Two (wrong)", artist="Somebody")
    analyser = InProcess()
    result = run(tmp_path, analyser)
    assert analyser.analysed == ["a/Moved.flac", "b/copy.flac"]
    assert (result.unchanged, result.analysed, result.tracks_new, result.duplicates) == (
        1,
        2,
        0,
        2,
    )
    analyser = InProcess()
    assert run(tmp_path, analyser).unchanged == 3
    assert analyser.analysed == []
    changed = note(tmp_path / "a" / "Two.flac", 7, title="Two", artist="Band")
    assert run(tmp_path, analyser).analysed == 1
    assert analyser.analysed == [changed.relative_to(tmp_path).as_posix()]
    assert set(claims(engine)) == {"One", "Two"}


def test_a_killed_import_resumes(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """Recorded files are not analysed again; nothing is lost or stored twice."""
    for number in range(20):
        note(tmp_path / f"g{number % 3}" / f"Band - Song {number:02}.wav", number)
    dying = InProcess(dies_after=18)
    with pytest.raises(Killed):
        run(tmp_path, dying, genre_from="folder")
    kept = use_case.BATCH_FILES
    assert len(rows(engine, select(tables.sound_file.c.path))) == kept
    analyser = InProcess()
    result = run(tmp_path, analyser, genre_from="folder")
    assert (result.unchanged, result.analysed) == (kept, 20 - kept)
    assert analyser.analysed == (dying.analysed + analyser.analysed[2:])[kept:]
    expected = {f"Song {number:02}": f"g{number % 3}" for number in range(20)}
    assert claims(engine) == expected
    assert rows(engine, select(func.sum(tables.sighting.c.times))) == [(20,)]
    for table in (tables.audio_features, tables.descriptor, tables.sound_summary):
        assert rows(engine, select(func.count()).select_from(table)) == [(20,)]


def test_a_stop_request_keeps_the_recorded_files(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """Files in progress are recorded, the rest is left for the next import."""
    for number in range(4):
        note(tmp_path / f"Band - Song {number}.wav", number)
    analyser = InProcess()
    result = run(tmp_path, analyser, stop=lambda: len(analyser.analysed) == 2)
    assert (result.stopped, result.analysed, result.files) == ("interrupted", 2, 4)
    result = run(tmp_path)
    assert (result.stopped, result.unchanged, result.analysed) == ("done", 2, 2)
    outcomes = rows(engine, select(tables.job_run.c.outcome).order_by(tables.job_run.c.id))
    assert outcomes == [("interrupted",), ("done",)]


def test_unreadable_files_are_reported_and_skipped(
    engine: Engine,
    run: Callable[..., AudioImportResult],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    """Each file is analysed, or has one line with a reason."""
    (tmp_path / "text.mp3").write_text("a letter, not a song\n" * 50)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "movie.m4a").write_bytes(b"\0\0\0\x20ftypM4A " + bytes(200))
    note(tmp_path / "short.wav", 1, seconds=0.3)
    cut = synthetic_audio.write(tmp_path / "cut.mp3", synthetic_audio.song(0, 1, seconds=6.0))
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    quiet = np.zeros(int(1.2 * RATE), np.float32)
    synthetic_audio.write(tmp_path / "silence.wav", quiet, rate=RATE)
    note(tmp_path / "Mötley Crüe – Ünï" / "ein Lied, naïve.wav", 2)
    note(tmp_path / "mono 8 kHz.wav", 3)
    rejected = tmp_path / "rejected.csv"
    monkeypatch.setenv("PATH", str(tmp_path / "no programs"))
    result = run(tmp_path, rejected=rejected)
    assert result.passed_over == {".m4a": 1}
    assert {Path(one.path).name: one.remark for one in result.remarks} == {
        "cut.mp3": "the file breaks off: 2.9 of 6.0 s could be decoded",
        "silence.wav": "it is silent",
    }
    assert {Path(one.path).name: one.reason for one in result.unreadable} == {
        "text.mp3": "this is not audio that can be decoded.",
        "empty.wav": "the file is empty.",
        "movie.m4a": "files of the kind .m4a need ffmpeg, which is not installed.",
        "short.wav": "0.30 s of audio; at least 1 s are needed.",
    }
    assert (result.files, result.analysed, result.tracks_new) == (8, 4, 4)
    assert len(rejected.read_text().splitlines()) == 1 + 4 + 2
    assert json.loads(json.dumps(result.as_json()))["unreadable"][0].keys() == {
        "path", "reason"
    }  # fmt: skip
    track, features = tables.track, tables.audio_features
    stored = rows(
        engine,
        select(track.c.title, track.c.duration_ms, features.c.loudness, features.c.energy).join(
            features, features.c.track_id == track.c.id
        ),
    )
    by_title = {title: rest for title, *rest in stored}
    assert by_title.keys() == {"cut", "silence", "ein Lied, naïve", "mono 8 kHz"}
    assert by_title["silence"][1:] == [None, None]
    assert 2_500 < by_title["cut"][0] < 3_500


def test_files_without_metadata_are_identified_by_their_sound(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """Two files called `01` are two recordings; a copy of one is not a third."""
    note(tmp_path / "a" / "01.wav", 0)
    note(tmp_path / "b" / "01.wav", 1)
    note(tmp_path / "c" / "01.wav", 1)
    result = run(tmp_path)
    assert (result.tracks_new, result.duplicates) == (2, 1)


def test_a_file_is_matched_to_a_track_by_name(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """Its features are stored in addition to the preferred ones; its duration must match."""
    with transaction(engine) as connection:
        track = make.add_track(connection, "Jóga", ["Björk"], duration_ms=2_000)
        make.add_features(connection, track, "spotify", tempo=99.0)
    note(tmp_path / "x.flac", 4, seconds=1.5, title="Jóga", artist="Björk")
    note(tmp_path / "y.flac", 5, seconds=5.0, title="Jóga", artist="Björk")
    result = run(tmp_path)
    assert (result.tracks_new, result.duplicates) == (1, 1)
    query = select(tables.audio_features.c.provider).where(
        tables.audio_features.c.track_id == track
    )
    assert sorted(rows(engine, query)) == [("audio",), ("spotify",)]
    preferred = select(views.tracks.c["provider", "tempo"]).where(views.tracks.c.track_id == track)
    assert rows(engine, preferred) == [("spotify", 99.0)]


def test_genres_can_be_added_later(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """No file is analysed again for it, and repeating it changes nothing."""
    note(tmp_path / "rock" / "Band - A.wav", 0)
    note(tmp_path / "jazz" / "b.wav", 1)
    assert run(tmp_path).unlabelled == 2
    analyser = InProcess()
    result = run(tmp_path, analyser, genre_from="folder")
    assert (result.relabelled, analyser.analysed) == (2, [])
    assert claims(engine) == {"A": "rock", "b": "jazz"}
    assert run(tmp_path, genre_from="folder").relabelled == 0
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_tags_may_hold_several_genres(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """The first is the claim, the others are sightings."""
    note(tmp_path / "a.flac", 0, title="A", artist="B", genre=["Rock", "Indie"])
    run(tmp_path, genre_from="tags")
    assert claims(engine) == {"A": "Rock"}
    assert sorted(rows(engine, select(views.track_genres.c["genre", "is_claim"]))) == [
        ("Indie", False),
        ("Rock", True),
    ]


def test_published_tables_name_the_files(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """A file named by its number is that track, also if it was imported without the table."""
    folder = tmp_path / "fma_small"
    note(folder / "000" / "000002.mp3", 0, seconds=1.5)
    note(folder / "000" / "000140.mp3", 4, seconds=1.5)
    run(folder / "000" / "000140.mp3")
    (tmp_path / "tracks.csv").write_text(
        ",artist,set,set,track,track,track,track\n"
        ",name,split,subset,duration,genre_top,genres_all,title\n"
        "track_id,,,,,,,\n"
        "2,AWOL,training,small,168,Hip-Hop,[21],Food\n"
        "140,Alec K.,test,small,253,Folk,[17],Queen\n"
    )
    (tmp_path / "genres.csv").write_text(
        "genre_id,#tracks,parent,title,top_level\n17,1,0,Folk,17\n21,1,0,Hip-Hop,21\n"
    )
    published = fma.load_tracks(tmp_path / "tracks.csv", 2030)
    result = run(folder, fma_tracks=published)
    assert (result.unchanged, result.analysed) == (1, 1)
    assert (result.relabelled, result.tracks_new, result.unlabelled) == (1, 1, 0)
    assert run(folder, fma_tracks=published).relabelled == 0
    track = tables.track.c
    query = select(track.title, track.artists, track.split, track.duration_ms)
    assert sorted(rows(engine, query)) == [
        ("Food", "AWOL", "training", 168_000),
        ("Queen", "Alec K.", "test", 253_000),
    ]
    assert claims(engine) == {"Food": "Hip-Hop", "Queen": "Folk"}
    described = rows(engine, select(tables.descriptor.c.track_id))
    assert described == rows(engine, select(tables.sound_file.c.track_id))
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_the_same_sound_stays_two_tracks_if_a_catalogue_has_two_ids(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """Two published clips of one sound stay two tracks, each with its features."""
    for name in ("1.wav", "2.wav"):
        note(tmp_path / name, 0)
    (tmp_path / "tracks.csv").write_text(
        ",artist,set,track,track\n,name,split,genre_top,title\ntrack_id,,,,\n"
        "1,A,training,Rock,First\n2,B,test,Rock,Second\n"
    )
    result = run(tmp_path, fma_tracks=fma.load_tracks(tmp_path / "tracks.csv", 2030))
    assert (result.analysed, result.tracks_new) == (2, 2)
    assert len(rows(engine, select(tables.audio_features.c.track_id))) == 2


def test_a_forgotten_file_is_analysed_again(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """Nothing of a forgotten file stays, except the name of one with a manual annotation."""
    note(tmp_path / "Band - A.wav", 0)
    note(tmp_path / "Band - B.wav", 5)
    run(tmp_path, genre_from="folder")
    with transaction(engine) as connection:
        both = (tables.track, tables.genre)
        track, genre = (connection.scalar(select(func.min(one.c.id))) for one in both)
        make.add_verdict(connection, track, genre)
    clock = FakeClock()
    clock.advance(3_600)
    forgotten = forget(engine, clock, "audio", timedelta(minutes=1)).counts
    assert (forgotten.tracks, forgotten.kept_for_labels) == (1, 1)
    for table in (tables.sound_file, tables.descriptor, tables.audio_features, tables.section):
        assert rows(engine, select(func.count()).select_from(table)) == [(0,)]
    result = run(tmp_path)
    assert (result.unchanged, result.analysed, result.tracks_new) == (0, 2, 1)


def test_pieces_of_a_recording_share_a_fold(
    engine: Engine, run: Callable[..., AudioImportResult], tmp_path: Path
):
    """Files without tags are grouped by their names; numbered songs are not."""
    for number in range(4):
        for piece in range(3):
            name = f"{'rock' if number % 2 else 'jazz'}/song{number}_{piece}.wav"
            note(tmp_path / "cut" / name, 3 * number + piece)
    for number in range(3):
        note(tmp_path / "whole" / f"pop/pop_{number}.wav", 12 + number)
    result = run(tmp_path / "cut", genre_from="folder")
    (warning,) = result.warnings
    assert "12 names (jazz/song0_0, jazz/song0_1, …) are pieces of 4 recordings" in warning
    track = tables.track.c
    keys = select(track.name_key, func.count(), func.count(track.track_fold.distinct())).group_by(
        track.name_key
    )
    assert sorted(rows(engine, keys)) == [(f"song{number}|", 3, 1) for number in range(4)]
    assert run(tmp_path / "whole", genre_from="folder").warnings == []
    assert len(rows(engine, keys)) == 7
    with read_transaction(engine) as connection:
        assert_consistent(connection)

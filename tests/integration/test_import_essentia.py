"""Low-level documents of Essentia: folders, archives and files of them."""

import bz2
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import Engine, select

from collector.acousticbrainz_submissions import Submission
from collector.catalogue import acousticbrainz_submissions
from collector.curation import imports
from collector.datasets import essentia_documents
from collector.datasets.essentia_descriptors import COLUMNS, SCHEMA
from collector.imports.essentia import import_documents
from collector.imports.records import ImportResult
from genrebase.audio import packed_vectors
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.consistency import assert_consistent
from tests.fakes import NOON, FakeClock
from tests.filled_database import contents
from tests.import_runs import context_of

ONE, OTHER = "0dad432b-16cc-4bf0-8961-fd31d124b01b", "e8afe383-1478-497e-90b1-7885c7f37f6e"
TAGGED = "00000000-0000-4000-8000-000000000001"
ARTIST = "78f15956-c5e1-46d6-a46b-fa6f46681ec8"
BOWIE = "5441c29d-3602-4898-b1a1-b77fa23b8e50"


def document(bpm: float = 120.0, **tags: list[str]) -> dict[str, Any]:
    """Return a document with a few numbers and the file's tags."""
    own = {
        "title": ["Nascence"],
        "artist": ["Austin Wintory"],
        "musicbrainz_artistid": [ARTIST],
        "musicbrainz_recordingid": [TAGGED],
    }
    return {
        "lowlevel": {"average_loudness": 0.5, "mfcc": {"mean": [-800.5], "cov": [[2.0]]}},
        "rhythm": {"bpm": bpm, "danceability": 1.25},
        "tonal": {"key_key": "D", "key_scale": "major", "chords_histogram": [1.0] * 24},
        "metadata": {
            "audio_properties": {"length": 106.5, "md5_encoded": "ab" * 16},
            "tags": {**own, **tags},
        },
    }


SAMPLE = {
    f"acousticbrainz/lowlevel/0/d/{ONE}-0.json": document(120, genre=["Soundtrack; Ambient"]),
    f"acousticbrainz/lowlevel/0/d/{ONE}-1.json": document(62, originaldate=["2012-03"]),
    f"acousticbrainz/lowlevel/0/d/{ONE}-2.json": document(60, album=["Journey"]),
    f"acousticbrainz/lowlevel/e/8/{OTHER}-0.json": document(
        90,
        title=["Soul Love"],
        artist=["David Bowie"],
        musicbrainz_artistid=[BOWIE],
        genre=["Rock"],
        isrc=["USJT10200020"],
    ),
}
MINE = {
    "a/nascence.json": document(120, genre=["Ambient"]),
    "b/untagged.json": {**document(90), "metadata": {}},
    "._a.json": {},
    "cover.jpg": {},
}

Run = Callable[..., ImportResult]


@pytest.fixture
def run(engine: Engine) -> Run:
    def run(path: Path, **options: Any) -> ImportResult:
        files = essentia_documents.recognise(path)
        assert files is not None
        licence = options.pop("licence", None)
        return import_documents(context_of(engine, **options), files, licence=licence)

    return run


def as_bytes(content: object) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def write_folder(folder: Path, files: Mapping[str, object]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(as_bytes(content))
    return folder


def write_tar(path: Path, files: Mapping[str, object]) -> Path:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as opened:
        for name, content in {"COPYING": b"CC0", **files}.items():
            info = tarfile.TarInfo(name)
            info.size = len(as_bytes(content))
            opened.addfile(info, io.BytesIO(as_bytes(content)))
    if path.suffix == ".bz2":
        path.write_bytes(bz2.compress(buffer.getvalue()))
    else:
        path.write_bytes(pa.compress(buffer.getvalue(), "zstd", asbytes=True))
    return path


def write_zip(path: Path, files: Mapping[str, object]) -> Path:
    with zipfile.ZipFile(path, "w") as opened:
        for name, content in files.items():
            opened.writestr(name, as_bytes(content))
    return path


def rows(engine: Engine, *columns: Any) -> list[tuple[Any, ...]]:
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(columns[0]))]


@pytest.mark.parametrize("suffix", ["bz2", "zst"])
def test_a_sample_dump(engine: Engine, run: Run, tmp_path: Path, suffix: str) -> None:
    """Its documents are AcousticBrainz' own; those of a recording are summarised."""
    result = run(write_tar(tmp_path / f"sample.tar.{suffix}", SAMPLE))
    assert (result.rows, result.tracks_new, result.duplicates, result.rejected) == (4, 2, 2, 0)
    assert (result.described, result.unlabelled) == (2, 2)
    assert "1 file passed over" in result.warnings[0]
    track = views.tracks.c
    names = (track.title, track.artists, track.album, track.release_date, track.isrc, track.label)
    assert rows(engine, *names) == [
        ("Nascence", "Austin Wintory", "Journey", "2012-03", None, "Soundtrack"),
        ("Soul Love", "David Bowie", None, None, "USJT10200020", "Rock"),
    ]
    assert rows(engine, track.title, track.duration_ms, track.provider, track.tempo) == [
        ("Nascence", 106_500, "acousticbrainz", 62.0),
        ("Soul Love", 106_500, "acousticbrainz", 90.0),
    ]
    numbers = views.acousticbrainz_features.c
    values = (numbers.recording_id, numbers.rhythm_submissions, numbers.bpm, numbers.bpm_range)
    assert rows(engine, *values, numbers.key, numbers.mode, numbers.licence) == [
        (ONE, 3, 62.0, 60.0, 2, 1, "cc0"),
        (OTHER, 1, 90.0, None, 2, 1, "cc0"),
    ]
    alias = tables.track_alias.c
    assert [row[0] for row in rows(engine, alias.source_id)] == [ONE, OTHER]
    labels = views.track_genre_sources.c
    assert {row[1:] for row in rows(engine, labels.genre, labels.source, labels.licence)} == {
        (f"acousticbrainz:sample.tar.{suffix}", "cc0")
    }
    with read_transaction(engine) as connection:
        assert_consistent(connection)


def test_descriptors_are_a_set_of_their_own(engine: Engine, run: Run, tmp_path: Path) -> None:
    """The median over a recording's documents; what a document lacks is missing."""
    run(write_tar(tmp_path / "sample.tar.bz2", SAMPLE))
    stored = tables.descriptor.c
    packed = rows(engine, stored.track_id, stored.provider, stored.schema, stored.data)
    assert [row[1:3] for row in packed] == [("acousticbrainz", SCHEMA)] * 2
    values = dict(zip(COLUMNS, packed_vectors.unpack(packed[0][3], len(COLUMNS)), strict=True))
    assert (values["rhythm.bpm"], values["lowlevel.mfcc.mean.0"]) == (62.0, -800.5)
    assert values["lowlevel.mfcc.cov.0.0"] == 2.0
    present = {name for name, value in values.items() if value == value}
    assert present == {
        "lowlevel.average_loudness",
        "lowlevel.mfcc.mean.0",
        "lowlevel.mfcc.cov.0.0",
        "rhythm.bpm",
        "rhythm.danceability",
        *(f"tonal.chords_histogram.{place}" for place in range(24)),
    }
    ((name, columns),) = rows(
        engine, views.descriptor_schemas.c.schema, views.descriptor_schemas.c["columns"]
    )
    assert (name, tuple(columns)) == (SCHEMA, COLUMNS)


@pytest.mark.parametrize("write", [write_folder, write_zip])
def test_documents_of_ones_own(
    engine: Engine, run: Run, tmp_path: Path, write: Callable[..., Path]
) -> None:
    """They are somebody's: another provider, without a known licence; hidden files are none."""
    result = run(write(tmp_path / "mine", MINE))
    assert (result.rows, result.tracks_new, result.rejected) == (2, 2, 0)
    track, alias = views.tracks.c, tables.track_alias.c
    assert rows(engine, track.title, track.artists, track.label, track.provider, track.tempo) == [
        ("Nascence", "Austin Wintory", "Ambient", "essentia", 120.0),
        ("untagged", "", None, "essentia", 90.0),
    ]
    ids = dict(rows(engine, alias.source, alias.source_id))
    assert ids["musicbrainz"] == TAGGED
    assert ids["essentia"].startswith("md5:")
    numbers = views.acousticbrainz_features.c
    assert {
        row[1:] for row in rows(engine, numbers.track_id, numbers.origin, numbers.licence)
    } == {("essentia:mine", "unknown")}


def test_the_licence_of_ones_own(engine: Engine, run: Run, tmp_path: Path) -> None:
    """It is that of the labels, the tempo, the descriptors and the numbers; others' is unknown."""
    run(write_folder(tmp_path / "mine", MINE), licence="cc-by-4.0")
    track, numbers = views.tracks.c, views.acousticbrainz_features.c
    described = views.track_descriptors.c
    labels = views.track_genre_sources.c
    assert rows(engine, labels.genre, labels.licence) == [("Ambient", "cc-by-4.0")]
    assert {row[1] for row in rows(engine, track.track_id, track.features_licence)} == {
        "cc-by-4.0"
    }
    assert {row[1] for row in rows(engine, numbers.track_id, numbers.licence)} == {"cc-by-4.0"}
    assert {row[1] for row in rows(engine, described.track_id, described.licence)} == {"cc-by-4.0"}
    run(write_folder(tmp_path / "yours", {"nascence.json": document(120)}))
    licences = rows(engine, track.title, track.features_licence)
    assert licences == [("Nascence", "unknown"), ("untagged", "cc-by-4.0")]


def test_what_is_no_document_is_rejected(engine: Engine, run: Run, tmp_path: Path) -> None:
    """Each with its reason; the others are imported."""
    broken = {
        **SAMPLE,
        f"{OTHER}-1.json": b"{",
        f"{OTHER}-2.json": [1],
        f"{OTHER}-3.json": {"highlevel": {"genre_rosamerica": {"value": "cla"}}},
        f"{OTHER}-4.json": b"[" * 100_000,
        f"{OTHER}-5.json": b" " * (essentia_documents.MAX_DOCUMENT + 1),
        f"{OTHER}-6.json": document(title=["x" * 3_000]),
        f"{OTHER}-7.json": document(title=[3], artist="Bowie", isrc=[None], date=[{}]),
    }
    result = run(write_tar(tmp_path / "a.tar.bz2", broken))
    assert result.reasons == {"no low-level document of Essentia": 5, "name too long": 1}
    assert (result.rows, result.rejected) == (11, 6)
    numbers = views.acousticbrainz_features.c
    assert (OTHER, 2) in rows(engine, numbers.recording_id, numbers.rhythm_submissions)


def test_repeated_or_stopped_it_ends_in_the_same_database(
    engine: Engine, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a stop comes between two documents of one recording."""
    path = write_tar(tmp_path / "sample.tar.bz2", SAMPLE)
    monkeypatch.setattr("collector.imports.essentia.BATCH_ROWS", 1)
    for rows_before_stop in (1, 2, 3):
        stops = iter([False] * rows_before_stop + [True])
        assert run(path, stop_requested=lambda s=stops: next(s)).stopped == "interrupted"
    assert run(path).stopped == "done"
    without_jobs = {name: contents(engine)[name] for name in contents(engine) if name != "job_run"}
    numbers = tables.acousticbrainz_recording.c
    assert rows(engine, numbers.recording_id, numbers.rhythm_submissions) == [
        (ONE, 3),
        (OTHER, 1),
    ]
    run(path)
    assert {name: contents(engine)[name] for name in without_jobs} == without_jobs


def test_a_dry_run_writes_nothing(engine: Engine, run: Run, tmp_path: Path) -> None:
    """It counts what an import would do."""
    before = contents(engine)
    result = run(write_folder(tmp_path / "mine", MINE), dry_run=True)
    assert (result.rows, result.tracks_new, result.dry_run) == (2, 2, True)
    assert contents(engine) == before


def test_an_undo_leaves_what_others_delivered(engine: Engine, run: Run, tmp_path: Path) -> None:
    """The API's numbers of the same recording stay, and the tempo is theirs again."""
    result = run(write_tar(tmp_path / "first.tar.bz2", SAMPLE))
    run(write_tar(tmp_path / "second.tar.bz2", dict(list(SAMPLE.items())[:1])))
    ((track, _),) = [
        row
        for row in rows(engine, tables.track_alias.c.track_id, tables.track_alias.c.source_id)
        if row[1] == ONE
    ]
    with transaction(engine) as connection:
        acousticbrainz_submissions.store_submissions(
            connection, {(track, ONE): [Submission(bpm=121)] * 2}, NOON
        )
    numbers = views.acousticbrainz_features.c
    assert rows(engine, numbers.recording_id, numbers.bpm) == [(ONE, 62.0), (OTHER, 90.0)]
    assert result.import_id is not None
    undone = imports.undo(engine, FakeClock(), result.import_id)
    assert (undone.counts.tracks, undone.counts.kept) == (1, 1)
    assert rows(engine, numbers.recording_id, numbers.bpm) == [(ONE, 121.0)]
    assert rows(engine, tables.audio_features.c.track_id, tables.audio_features.c.tempo) == [
        (track, 121.0)
    ]
    recording = tables.acousticbrainz_recording.c
    origins = {origin for origin, _ in rows(engine, recording.origin, recording.track_id)}
    assert origins == {"acousticbrainz", "acousticbrainz:second.tar.bz2"}


@pytest.mark.parametrize(
    "files", [{}, {"a.txt": b"x"}, {"a.json": [{"title": "A"}]}, {"a.json": {"rhythm": {}}}]
)
def test_other_folders_are_not_taken_for_documents(tmp_path: Path, files: dict[str, Any]) -> None:
    """The first JSON file decides."""
    assert essentia_documents.recognise(write_folder(tmp_path, files)) is None

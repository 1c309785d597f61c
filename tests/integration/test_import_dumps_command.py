"""`collector import` with dumps: the sandbox's, and made-up ones."""

import json

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from benchmarks.synthetic_dumps import AcousticBrainzDump, MusicBrainzDump
from collector.cli import app
from genrebase.errors import UserError
from genrebase.store import tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from sandbox.api.acousticbrainz_dumps import AcousticBrainzDumps
from sandbox.tracks.submissions import SubmissionCatalogue
from tests import factories
from tests.recording_catalogues import recordings, tracks_with_derived_ids

NUMBERS = "acousticbrainz-lowlevel-features-20220623-rhythm.tar.zst"


@pytest.fixture
def engine(sqlite_url):
    opened = make_engine(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture
def collector(sqlite_url, monkeypatch, tmp_path):
    """Run a command; return its document."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
        if result.exception is not None:
            raise result.exception
        return json.loads(result.stdout)

    return call


def test_musicbrainz_and_acousticbrainz_one_after_the_other(engine, collector, tmp_path):
    """Features go to the recordings that were kept."""
    files = MusicBrainzDump(1_000).write(tmp_path)
    numbers = AcousticBrainzDump(600, 300).write(tmp_path)
    collector("genres", "add", "rock", "--target", 9)
    collector("genres", "add", "jazz", "--target", 9)
    assert collector("import", *reversed(files), "--dry-run")["dry_run"]
    imported = collector("import", *files)
    assert imported["tracks_new"] > 20
    described = collector("import", *numbers, "--work-dir", tmp_path)
    assert described["rows"] > 0
    listed = collector("imports", "list")
    assert [one["name"] for one in listed] == [
        "mbdump.tar.bz2 + mbdump-derived.tar.bz2",
        " + ".join(path.name for path in numbers),
    ]
    assert [one["state"] for one in listed] == ["finished", "finished"]
    with read_transaction(engine) as connection:
        features = views.acousticbrainz_features
        rows = connection.scalar(select(func.count()).select_from(features))
    assert rows == described["rows"]
    collector("imports", "undo", 2)
    collector("imports", "undo", 1)
    with read_transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.track)) == 0


def test_the_sandbox_serves_dumps_that_can_be_imported(engine, collector, tmp_path):
    """AcousticBrainz' three tables with their checksums."""
    submissions = SubmissionCatalogue(recordings(tracks_with_derived_ids(200)))
    mbids = {one.mbid for one in submissions.all_submissions()}
    with transaction(engine) as connection:
        for number, mbid in enumerate(sorted(mbids)):
            track = factories.add_track(connection, f"Song {number}")
            factories.add_alias(connection, track, mbid, "musicbrainz")
    for name, content in AcousticBrainzDumps(submissions).files.items():
        (tmp_path / name).write_bytes(content)
    files = sorted(tmp_path.glob("acousticbrainz-lowlevel-features-*.tar.zst"))
    assert len(files) == 3
    assert collector("import", *files)["rows"] == len(mbids)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("mbdump.tar.bz2",), "mbdump-derived"),
        (("mbdump.tar.bz2", "tracks.csv"), "No part of a dump: tracks.csv"),
        (("tracks.csv", "tracks.csv"), "once per file"),
        (("tracks.csv", "--all-genres"), "need the files of a dump"),
        (("mbdump.tar.bz2", "mbdump-derived.tar.bz2", "--stored-only"), "needs Discogs' dump"),
        ((NUMBERS, "--all-genres"), "no genres"),
        ((NUMBERS, "--stored-only"), "add no track"),
        (("mbdump.tar.bz2", "mbdump-derived.tar.bz2", "--column", "title=x"), "no columns"),
        (("mbdump.tar.bz2", "mbdump-derived.tar.bz2", "--work-dir", "absent"), "no folder absent"),
    ],
)
def test_what_does_not_belong_together_is_refused(collector, tmp_path, arguments, message):
    """The message says what to do."""
    MusicBrainzDump(30).write(tmp_path)
    AcousticBrainzDump(20, 10).write(tmp_path)
    (tmp_path / "tracks.csv").write_text("title,artist\nSong,Band\n")
    collector("genres", "add", "rock", "--target", 9)
    with pytest.raises(UserError, match=message):
        collector("import", *arguments)

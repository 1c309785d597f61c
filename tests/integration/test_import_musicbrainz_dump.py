"""Importing MusicBrainz' dumps, on both databases, against a join in memory."""

from collections import defaultdict
from functools import partial

import pytest
from sqlalchemy import select

from benchmarks.synthetic_dumps import GENRES, MusicBrainzDump, mbid
from collector.curation import imports
from collector.datasets.dumps import kinds
from collector.datasets.dumps.staging import StagingFile
from collector.imports.dump_staging import DumpOptions
from collector.imports.musicbrainz_dump import ORIGIN, RECORDED, import_musicbrainz_dump
from collector.records import Level
from genrebase.errors import UserError
from genrebase.progress import ProgressCallback
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories, musicbrainz_joins
from tests.dump_contents import contents
from tests.fakes import FakeClock
from tests.import_runs import context_of
from tests.killed_imports import run_with_kills

RECORDINGS = 3_000
PLAIN = str.maketrans("“”", '""')
"""Quotation marks are stored as other catalogues write them."""
COLLECTED = ("rock", "Post-Rock", "jazz", "90s")
"""`Post-Rock` is what the dump calls `post-rock`."""


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """The two archives of a small dump."""
    return MusicBrainzDump(RECORDINGS).write(tmp_path_factory.mktemp("dump"))


@pytest.fixture
def collecting(engine):
    """A database that collects some genres."""
    collect(engine)
    return engine


def collect(engine, names=COLLECTED):
    with transaction(engine) as connection:
        for name in names:
            factories.add_genre(connection, name, target=100)


def run(engine, dump, tmp_path, advance=None, stop_requested=lambda: False, **options):
    given = {"load_rows": 400, "batch_rows": 60, "work_dir": tmp_path, **options}
    dry_run = given.pop("dry_run", False)
    return import_musicbrainz_dump(
        context_of(engine, advance, stop_requested=stop_requested, dry_run=dry_run),
        [kinds.recognise(path) for path in dump],
        DumpOptions(**given),
    )


def expected_sightings(made=None):
    """MBID -> genre -> (rank, votes, level)."""
    return musicbrainz_joins.expected_sightings(made or MusicBrainzDump(RECORDINGS), COLLECTED)


def stored_sightings(engine):
    alias, genre, sighting = tables.track_alias.c, tables.genre.c, tables.sighting.c
    query = (
        select(alias.source_id, genre.name, sighting.best_rank, sighting.votes, sighting.level)
        .select_from(tables.sighting)
        .join(tables.genre, genre.id == sighting.genre_id)
        .join(tables.track_alias, alias.track_id == sighting.track_id)
        .where(alias.source == "musicbrainz", sighting.source == ORIGIN)
    )
    stored = defaultdict(dict)
    with read_transaction(engine) as connection:
        for gid, name, *support in connection.execute(query):
            stored[gid][name] = tuple(support)
    return stored


def test_the_labelled_recordings_are_kept_with_their_votes(collecting, dump, tmp_path):
    """Votes of three levels, of all releases but compilations, ranked among all of the tags."""
    result = run(collecting, dump, tmp_path)
    expected = expected_sightings()
    assert len(expected) > 100
    assert {level for one in expected.values() for _, _, level in one.values()} == set(Level)
    merged = {mbid("merged", number) for number in range(RECORDINGS + 1)}
    stored = {gid: one for gid, one in stored_sightings(collecting).items() if gid not in merged}
    assert stored == expected
    assert result.tracks_new == len(expected) == result.rows - result.rejected
    assert result.reasons == {"no artist": result.rejected}
    assert result.rejected > 0
    assert list(tmp_path.glob("genrebase-import-*")) == []
    with read_transaction(collecting) as connection:
        source = tables.data_source.c
        licence = connection.scalar(select(source.licence).where(source.name == ORIGIN))
    assert licence == "cc-by-nc-sa-3.0"


def test_names_and_dates_come_out_of_the_escapes(collecting, dump, tmp_path):
    """A track has its artists' own names, its first date, its ISRC and its release group."""
    run(collecting, dump, tmp_path)
    made = MusicBrainzDump(RECORDINGS)
    artists = {row[0]: " ".join(row[2].split()) for row in made.rows("artist")}
    credited = defaultdict(list)
    for credit, position, artist, *_ in made.rows("artist_credit_name"):
        credited[credit].append((position, artists[artist]))
    groups = {row[2].strip() for row in made.rows("release_group")}
    recordings = {row[1]: row for row in made.rows("recording")}
    alias = tables.track_alias.c
    query = select(alias.source_id, tables.track).join(tables.track)
    checked = with_album = 0
    with read_transaction(collecting) as connection:
        for row in connection.execute(query.where(alias.source == "musicbrainz")):
            if row.source_id not in recordings:
                continue
            number, _, name, credit, length, *_ = recordings[row.source_id]
            names = "; ".join(one for _, one in sorted(credited[credit]))
            assert " ".join(row.artists.split()) == names.translate(PLAIN)
            assert row.title == name.strip().translate(PLAIN)
            assert row.duration_ms == length
            assert row.album is None or row.album in {one.translate(PLAIN) for one in groups}
            assert row.isrc == (f"QZABC26{number:05d}" if number % 10 < 3 else None)
            assert (row.release_date is None) == (row.release_year is None)
            checked += 1
            with_album += row.album is not None
    assert checked > with_album > 100


def test_dates_are_the_first_ones(collecting, dump, tmp_path):
    """Of all releases of a recording; an unknown month sorts after the known ones."""
    run(collecting, dump, tmp_path)
    made = MusicBrainzDump(RECORDINGS)
    dates = defaultdict(list)
    for release, _, *date in made.rows("release_country"):
        dates[release].append(date)
    for release, *date in made.rows("release_unknown_country"):
        dates[release].append(date)
    first = defaultdict(list)
    for row in made.rows("track"):
        if row[-1] == "f":
            first[mbid("recording", row[2])] += [one for one in dates[row[3]] if one[0]]
    alias, track = tables.track_alias.c, tables.track.c
    query = select(alias.source_id, track.release_date).join(tables.track)
    with read_transaction(collecting) as connection:
        stored = dict(map(tuple, connection.execute(query.where(alias.source == "musicbrainz"))))
    recordings = {row[1] for row in made.rows("recording")}
    for gid in recordings & stored.keys():
        known = min(first[gid], key=lambda date: [part or 99 for part in date], default=None)
        expected = known and "-".join(f"{part:02d}" for part in known if part)
        assert stored[gid] == expected, gid
    assert sum(date is not None for date in stored.values()) > 50


def test_a_stored_recording_is_kept_without_a_label(collecting, dump, tmp_path):
    """It gets its facts, also where it is stored by the id of a merged recording."""
    unlabelled = sorted(
        {
            row[1]: row[0]
            for row in MusicBrainzDump(RECORDINGS).rows("recording")
            if row[-1] == "f"
        }.items()
    )
    expected = expected_sightings()
    without = [number for gid, number in unlabelled if gid not in expected and number % 20 == 7]
    known, merged = mbid("recording", without[0]), mbid("merged", without[1])
    with transaction(collecting) as connection:
        for gid in (known, merged):
            track = factories.add_track(connection, f"track {gid}")
            factories.add_alias(connection, track, gid, "musicbrainz")
    result = run(collecting, dump, tmp_path)
    assert result.rows - result.rejected == len(expected) + 2
    assert (result.unlabelled, result.tracks_new) == (2, len(expected))


def test_merged_recordings_are_aliases(collecting, dump, tmp_path):
    """Of the recording that they were merged into."""
    run(collecting, dump, tmp_path)
    expected = expected_sightings()
    redirects = {
        gid: mbid("recording", number)
        for gid, number, _ in MusicBrainzDump(RECORDINGS).rows("recording_gid_redirect")
    }
    alias = tables.track_alias.c
    query = select(alias.source_id, alias.track_id).where(alias.source == "musicbrainz")
    with read_transaction(collecting) as connection:
        stored = dict(map(tuple, connection.execute(query)))
    assert stored.keys() == expected.keys() | {
        gid for gid, current in redirects.items() if current in expected
    }
    assert all(stored[gid] == stored[redirects[gid]] for gid in redirects.keys() & stored.keys())


def test_all_genres_of_the_list_are_collected(engine, dump, tmp_path):
    """Tags that are no genres, such as `seen live`, are not."""
    with pytest.raises(UserError, match="collector genres add"):
        run(engine, dump, tmp_path)
    result = run(engine, dump, tmp_path, all_genres=True)
    with read_transaction(engine) as connection:
        stored = set(connection.scalars(select(tables.genre.c.name)))
    assert 10 < len(stored) <= len(GENRES)
    assert stored <= set(GENRES)
    assert result.genres == len(stored)


def test_a_repeated_import_changes_nothing(collecting, dump, tmp_path):
    """No row counts twice, and no import is added."""
    run(collecting, dump, tmp_path)
    before = contents(collecting)
    again = run(collecting, dump, tmp_path)
    assert (again.tracks_new, contents(collecting)) == (0, before)


class LaterDump(MusicBrainzDump):
    """A newer dump: other tags and votes of recordings, other names of albums."""

    def _recording_tag(self):
        return self._tagged("changed", self.recordings, 20)

    def _release_group(self):
        for number, gid, name, *facts in super()._release_group():
            yield number, gid, f"{name} (new)", *facts


def test_a_later_dump_corrects_the_earlier_one(collecting, dump, tmp_path):
    """Labels and facts are those of the later one; what only the earlier one has stays."""
    first = run(collecting, dump, tmp_path)
    later = LaterDump(RECORDINGS)
    folder = tmp_path / "later"
    folder.mkdir()
    second = run(collecting, later.write(folder), tmp_path)
    assert second.corrects == [first.import_id]
    assert second.corrected > 0
    stored, expected = stored_sightings(collecting), expected_sightings(later)
    assert {gid: stored[gid] for gid in expected} == expected
    earlier = expected_sightings()
    only_first = earlier.keys() - expected.keys()
    assert only_first
    assert all(stored[gid] == earlier[gid] for gid in sorted(only_first)[:3])
    with read_transaction(collecting) as connection:
        albums = set(connection.scalars(select(tables.track.c.album)))
    albums.discard(None)
    assert len(albums) > 10
    assert all(one.endswith("(new)") for one in albums)


def test_a_dry_run_writes_nothing(collecting, dump, tmp_path):
    """It counts what an import would do."""
    before = contents(collecting)
    planned = run(collecting, dump, tmp_path, dry_run=True)
    assert contents(collecting) == before
    assert list(tmp_path.glob("genrebase-import-*")) == []
    result = run(collecting, dump, tmp_path)
    assert (planned.tracks_new, planned.rejected) == (result.tracks_new, result.rejected)


def test_an_undone_import_leaves_what_was_there(collecting, dump, tmp_path):
    """An interrupted import is undone, too; afterwards the dump can be imported again."""
    before = contents(collecting)
    result = stopped(collecting, dump, tmp_path)
    assert result.stopped == "interrupted"
    assert result.tracks_new > 0
    undo(collecting)
    after = contents(collecting)
    assert {**after, "files": []} == {**before, "files": []}
    result = run(collecting, dump, tmp_path)
    assert result.tracks_new == len(expected_sightings())


def stopped(engine, dump, tmp_path):
    """Stop an import once at least 120 recordings are stored."""
    seen = Watched()
    return run(engine, dump, tmp_path, seen, lambda: seen.stored >= 120)


class Watched(ProgressCallback):
    """Knows how many recordings are stored."""

    stored = 0

    def __call__(self, done, *_, note=None, **_details):
        if note == "recordings stored":
            self.stored = done


def undo(engine):
    imports.undo(engine, FakeClock(), 1)


def test_a_stop_while_the_archives_are_read_is_an_interruption(collecting, dump, tmp_path):
    """The next import continues in the archives."""
    result = run(collecting, dump, tmp_path, stop_requested=lambda: True)
    assert (result.stopped, result.tracks_new) == ("interrupted", 0)
    assert len(list(tmp_path.glob("genrebase-import-*.tmp"))) == 1
    assert run(collecting, dump, tmp_path).stopped == "done"


def test_killed_anywhere_and_continued_it_ends_in_the_same_database(
    collecting, other_engine, dump, tmp_path
):
    """Killed between any two batches of archive rows, joins or recordings."""
    collect(other_engine)
    run(other_engine, dump, tmp_path)
    small = partial(run, collecting, dump, tmp_path, load_rows=150, batch_rows=25)
    result, kills = run_with_kills(small, seed=4, most=19)
    assert kills > 10
    assert contents(collecting) == contents(other_engine)
    assert result.stopped == "done"
    assert list(tmp_path.glob("genrebase-import-*")) == []


def test_rows_that_were_stored_but_not_noted_count_once(collecting, other_engine, dump, tmp_path):
    """A kill between the commit of the database and that of the staging file."""
    collect(other_engine)
    run(other_engine, dump, tmp_path)
    stopped(collecting, dump, tmp_path)
    [path] = tmp_path.glob("genrebase-import-*.tmp")
    with StagingFile.open(path, ()) as staging:
        staging.note_fact(RECORDED, "60")
    run(collecting, dump, tmp_path)
    assert contents(collecting) == contents(other_engine)


def test_a_kill_at_the_very_end_costs_nothing(collecting, other_engine, dump, tmp_path):
    """The import is finished, and its staging file is left: it is only deleted."""
    collect(other_engine)
    run(other_engine, dump, tmp_path)
    stopped(collecting, dump, tmp_path)
    [path] = tmp_path.glob("genrebase-import-*.tmp")
    copy = path.read_bytes()
    done = run(collecting, dump, tmp_path)
    path.write_bytes(copy)
    with StagingFile.open(path, ()) as staging:
        staging.note_fact(RECORDED, str(done.rows))
    again = run(collecting, dump, tmp_path)
    assert (again.rows, again.stopped) == (done.rows, "done")
    assert contents(collecting) == contents(other_engine)
    assert list(tmp_path.glob("genrebase-import-*")) == []


def test_a_lost_staging_file_costs_no_row(collecting, other_engine, dump, tmp_path):
    """Everything is read again, and counts once."""
    collect(other_engine)
    run(other_engine, dump, tmp_path)
    stopped(collecting, dump, tmp_path)
    for path in tmp_path.glob("genrebase-import-*"):
        path.unlink()
    run(collecting, dump, tmp_path)
    assert contents(collecting) == contents(other_engine)

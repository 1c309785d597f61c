"""Importing AcousticBrainz' CSV dumps, on both databases."""

import random
import re
import shutil
import statistics
from collections import defaultdict
from functools import partial

import pyarrow as pa
import pytest
from sqlalchemy import select

from benchmarks.synthetic_dumps import AcousticBrainzDump, mbid
from collector.acousticbrainz_submissions import parse_key
from collector.curation import imports
from collector.datasets.dumps import kinds
from collector.datasets.dumps.archive import DamagedDump
from collector.datasets.formats.table import NotADataset
from collector.imports.acousticbrainz_dump import import_acousticbrainz_dump
from collector.imports.dump_staging import DumpOptions
from genrebase.errors import UserError
from genrebase.progress import ProgressCallback
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import database_states, factories
from tests.fakes import FakeClock
from tests.import_runs import context_of
from tests.killed_imports import run_with_kills

ROWS, RECORDINGS = 1_500, 600
PARTS = ("lowlevel", "rhythm", "tonal")


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """The three archives, and their list of checksums."""
    return AcousticBrainzDump(ROWS, RECORDINGS).write(tmp_path_factory.mktemp("dump"))


@pytest.fixture
def stocked(engine):
    """A database with half of the recordings, and merged ids of some."""
    stock(engine)
    return engine


def stock(engine):
    database_states.filled_once(engine, __name__, lambda: add_recordings(engine))


def add_recordings(engine):
    with transaction(engine) as connection:
        for number in range(1, RECORDINGS, 2):
            track = factories.add_track(connection, f"Song {number}")
            factories.add_alias(connection, track, mbid("recording", number), "musicbrainz")
            factories.add_alias(connection, track, mbid("merged", number), "musicbrainz")


def run(
    engine,
    files,
    tmp_path,
    advance=None,
    stop_requested=lambda: False,
    load_rows=700,
    batch_rows=130,
    **options,
):
    sizes = {"load_rows": load_rows, "batch_rows": batch_rows, "work_dir": tmp_path}
    return import_acousticbrainz_dump(
        context_of(engine, advance, stop_requested=stop_requested, **options),
        [kinds.recognise(path) for path in files],
        DumpOptions(**sizes),
    )


def contents(engine):
    """The numbers and the tempo of each recording, without surrogate ids."""
    row, track = tables.acousticbrainz_recording, tables.track.c
    values = [column for column in row.c if column.name not in {"track_id", "fetched_at"}]
    with read_transaction(engine) as connection:
        numbers = connection.execute(select(track.identity, *values).join(tables.track))
        tempos = select(track.identity, tables.audio_features.c.tempo).join(tables.track)
        files = select(tables.imported_file.c.rows_done, tables.imported_file.c.finished_at)
        return {
            "numbers": sorted(map(repr, map(tuple, numbers))),
            "tempos": sorted(map(repr, map(tuple, connection.execute(tempos)))),
            "files": sorted(map(repr, map(tuple, connection.execute(files)))),
        }


def given(part):
    """Recording -> its rows of a table."""
    made, rows = AcousticBrainzDump(ROWS, RECORDINGS), defaultdict(list)
    for gid, offset, number in made.submissions():
        rows[gid].append(made.values(part, number, offset))
    return rows


def known():
    numbers = range(1, RECORDINGS, 2)
    return {mbid(kind, one) for one in numbers for kind in ("recording", "merged")}


def test_submissions_are_summarised_per_recording(stocked, dump, tmp_path):
    """The lower median, the range, and the commonest key with its share."""
    result = run(stocked, dump, tmp_path)
    rhythm, tonal = given("rhythm"), given("tonal")
    assert result.rows == len(known() & rhythm.keys()) > 100
    with read_transaction(stocked) as connection:
        stored = {
            one.recording_id: one
            for one in connection.execute(select(tables.acousticbrainz_recording))
        }
    assert stored.keys() <= known() & rhythm.keys()
    several = 0
    for gid in known() & rhythm.keys():
        tempos = [float(row[0]) for row in rhythm[gid] if row[0]]
        keys = [parse_key(*row[:2]) for row in tonal[gid] if row[0]]
        if not tempos:
            assert gid not in stored or stored[gid].bpm is None
            continue
        several += len(tempos) > 1
        assert stored[gid].bpm == statistics.median_low(tempos)
        spread = max(tempos) - min(tempos) if len(tempos) > 1 else None
        assert stored[gid].bpm_range == (None if spread is None else pytest.approx(spread))
        assert stored[gid].rhythm_submissions == len(tempos)
        if keys:
            commonest = (stored[gid].key, stored[gid].mode)
            assert keys.count(commonest) == max(map(keys.count, keys))
            assert stored[gid].key_share == pytest.approx(keys.count(commonest) / len(keys))
    assert several > 30
    assert list(tmp_path.glob("genrebase-import-*")) == []


def test_the_summary_counts_what_is_not_taken(stocked, dump, tmp_path):
    """Rows of all three tables; those of unknown recordings are named."""
    result = run(stocked, dump, tmp_path)
    rows = given("rhythm")
    unknown = sum(len(of) for gid, of in rows.items() if gid not in known())
    assert result.warnings[0] == (
        f"{3 * ROWS:,} rows read, {3 * unknown:,} of recordings that are not stored."
    )
    assert re.search(r"changed for \d+ recordings", result.warnings[1])


def test_killed_anywhere_and_continued_it_ends_in_the_same_database(
    stocked, other_engine, dump, tmp_path
):
    """Between any two batches of rows or recordings."""
    stock(other_engine)
    run(other_engine, dump, tmp_path)
    small = partial(run, stocked, dump, tmp_path, load_rows=200, batch_rows=30)
    _, kills = run_with_kills(small, seed=3, most=7)
    assert kills > 5
    assert contents(stocked) == contents(other_engine)
    assert list(tmp_path.glob("genrebase-import-*")) == []


def test_tables_may_come_one_by_one_and_in_any_order(stocked, other_engine, dump, tmp_path):
    """The numbers are the same as of one import."""
    stock(other_engine)
    run(other_engine, dump, tmp_path)
    for path in reversed(dump):
        run(stocked, [path], tmp_path)
    assert contents(stocked)["numbers"] == contents(other_engine)["numbers"]
    assert contents(stocked)["tempos"] == contents(other_engine)["tempos"]


def test_rows_in_any_order_give_the_same_numbers(stocked, other_engine, dump, tmp_path):
    """Nothing depends on a dump being sorted."""
    stock(other_engine)
    run(other_engine, dump, tmp_path)

    class Shuffled(AcousticBrainzDump):
        def submissions(self):
            rows = list(super().submissions())
            random.Random(1).shuffle(rows)
            return iter(rows)

    folder = tmp_path / "shuffled"
    folder.mkdir()
    run(stocked, Shuffled(ROWS, RECORDINGS).write(folder), tmp_path)
    assert contents(stocked)["numbers"] == contents(other_engine)["numbers"]


def test_an_import_is_undone_table_by_table(stocked, dump, tmp_path):
    """The numbers of other imports stay, and so do those of the API."""
    api = {"provider": "acousticbrainz", "origin": "acousticbrainz", "recording_id": "x"}
    with transaction(stocked) as connection:
        track = factories.add_track(connection, "From the API")
        row = {
            "track_id": track,
            "bpm": 90.0,
            "rhythm_submissions": 1,
            "fetched_at": FakeClock().now(),
        }
        connection.execute(tables.acousticbrainz_recording.insert().values(**api, **row))
    run(stocked, dump[:1], tmp_path)
    before = contents(stocked)
    run(stocked, dump[1:], tmp_path)
    imports.undo(stocked, FakeClock(), 2, batch_size=40)
    assert contents(stocked)["numbers"] == before["numbers"]
    assert contents(stocked)["tempos"] == before["tempos"]
    imports.undo(stocked, FakeClock(), 1)
    assert len(contents(stocked)["numbers"]) == 1
    everything = imports.list_imports(stocked)
    states = [one.state for one in everything]
    assert {one.licence for one in everything} == {"cc0"}
    assert states == ["undone", "undone"]
    run(stocked, dump, tmp_path)
    assert len(contents(stocked)["numbers"]) > 100


def test_a_repeated_import_changes_nothing(stocked, dump, tmp_path):
    """Nor does a dry run."""
    before = contents(stocked)
    planned = run(stocked, dump, tmp_path, dry_run=True)
    assert contents(stocked) == before
    run(stocked, dump, tmp_path)
    before = contents(stocked)
    again = run(stocked, dump, tmp_path)
    assert again.rows == planned.rows
    assert again.warnings[1] == "The stored numbers changed for 0 recordings."
    assert contents(stocked) == before


@pytest.mark.parametrize("stage", ["archives", "recordings"])
def test_a_stop_is_an_interruption(stocked, dump, tmp_path, stage):
    """The next import continues."""
    notes = []

    class Noted(ProgressCallback):
        def __call__(self, done, *_, note=None, **_details):
            notes.append(note)

    def stop():
        return stage == "archives" or "recordings stored" in notes

    assert run(stocked, dump, tmp_path, Noted(), stop).stopped == "interrupted"
    assert run(stocked, dump, tmp_path).stopped == "done"


def test_without_recordings_there_is_nothing_to_do(engine, dump, tmp_path):
    """The message says where recordings come from."""
    with pytest.raises(UserError, match="import its dump first"):
        run(engine, dump, tmp_path)
    assert list(tmp_path.glob("genrebase-import-*")) == []


def test_the_same_table_twice_is_refused(stocked, dump, tmp_path):
    """Under two names."""
    other = shutil.copyfile(dump[0], tmp_path / "other.tar.zst")
    with pytest.raises(UserError, match="the same table"):
        run(stocked, [dump[0], other], tmp_path)


def test_damage_and_wrong_checksums_are_refused(stocked, dump, tmp_path):
    """Nothing is written."""
    broken = tmp_path / dump[1].name
    with pa.input_stream(dump[1], compression="zstd") as stream:
        broken.write_bytes(stream.read()[:-20_000])
    with pytest.raises(DamagedDump):
        run(stocked, [broken], tmp_path)
    (tmp_path / "sha256sums").write_text(f"{'1' * 64}  {broken.name}\n")
    shutil.copyfile(dump[1], broken)
    with pytest.raises(NotADataset, match="download it again"):
        run(stocked, [broken], tmp_path)
    assert contents(stocked)["numbers"] == []


def test_the_dumps_are_recognised(dump):
    """By the names of their columns."""
    assert [kinds.recognise(path).part for path in dump] == list(PARTS)

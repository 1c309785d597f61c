"""Claims of tied tracks, recomputed once at the end of an import."""

from sqlalchemy import select

from benchmarks.synthetic_dumps import MusicBrainzDump
from collector.catalogue import track_claims
from collector.curation import imports
from collector.datasets.dumps import kinds
from collector.imports.dump_staging import DumpOptions
from collector.imports.musicbrainz_dump import import_musicbrainz_dump
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import FakeClock
from tests.import_runs import context_of


def claims(engine):
    track, genre = tables.track.c, tables.genre.c
    query = select(track.identity, genre.name, track.claim_tied).outerjoin(
        tables.genre, genre.id == track.genre_id
    )
    with read_transaction(engine) as connection:
        return sorted(map(tuple, connection.execute(query)))


def run(engine, dump, tmp_path, stop_requested=lambda: False):
    return import_musicbrainz_dump(
        context_of(engine, stop_requested=stop_requested),
        [kinds.recognise(path) for path in dump],
        DumpOptions(tmp_path, all_genres=True, batch_rows=50),
    )


def test_the_claims_of_a_finished_import_are_settled(engine, tmp_path, monkeypatch):
    """As if they had been recomputed with each batch; a chunk of ties is no limit."""
    monkeypatch.setattr(track_claims, "_TIED_AT_ONCE", 7)
    dump = MusicBrainzDump(1_500).write(tmp_path)
    run(engine, dump, tmp_path)
    settled = claims(engine)
    assert sum(tied for *_, tied in settled) > 20
    with transaction(engine) as connection:
        track = tables.track.c
        track_claims.recompute(connection, connection.scalars(select(track.id)).all())
    assert claims(engine) == settled


def test_an_undo_of_an_unfinished_import_settles_what_is_left(engine, other_engine, tmp_path):
    """Tracks of other imports are claimed as without it."""
    dump = MusicBrainzDump(1_500).write(tmp_path)
    folder = tmp_path / "other"
    folder.mkdir()
    other = MusicBrainzDump(400).write(folder)
    run(other_engine, other, tmp_path)
    run(engine, other, tmp_path)
    batches = iter(range(100))
    run(engine, dump, tmp_path, lambda: next(batches) > 25)
    imports.undo(engine, FakeClock(), 2)
    assert claims(engine) == claims(other_engine)

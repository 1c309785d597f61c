"""Importing Discogs' monthly dump, on both databases."""

import gzip
import random
from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import select

from collector.catalogue.catalogue_origin import CatalogueOrigin, store_origin
from collector.catalogue.tracks import record
from collector.commands.import_dataset import _summary
from collector.curation import imports
from collector.datasets.formats.table import DamagedFile, NotADataset
from collector.errors import CatalogueMismatch
from collector.imports.discogs_dump import import_discogs_dump, is_discogs_dump
from collector.imports.dump_staging import DumpOptions
from collector.records import ArtistCredit, Provenance, SourceTrack, TrackObservation
from genrebase.errors import UserError
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories
from tests.dump_contents import contents
from tests.fakes import NOON, FakeClock
from tests.import_runs import context_of
from tests.killed_imports import run_with_kills

RELEASES = 300
STYLES = ("Techno", "Deep House", "Dub", "Ambient")


def release(number):
    """Three tracks by an artist of its own, and notes that hardly compress."""
    notes = random.Random(number).randbytes(1_500).hex()
    styles = "".join(f"<style>{STYLES[(number + i) % 4]}</style>" for i in range(number % 3))
    tracks = "".join(
        f"<track><position>A{place}</position><title>{title}</title>"
        f"<duration>{3 + place}:0{number % 10}</duration></track>"
        for place, title in enumerate((f"One {number}", f"Two &amp; {number}", ""))
    )
    return (
        f'<release id="{number}"><artists><artist><id>{1_000 + number}</id>'
        f"<name>Artist {number} (2)</name></artist></artists><title>Album {number}</title>"
        f"<genres><genre>Electronic</genre></genres><styles>{styles}</styles>"
        f"<notes>{notes}</notes>"
        f"<released>{1990 + number % 30}-05-00</released><tracklist>{tracks}</tracklist></release>"
    )


@pytest.fixture(scope="module")
def dump(tmp_path_factory):
    """A packed dump, without a declaration, each record on a line."""
    path = tmp_path_factory.mktemp("dump") / "discogs_20260801_releases.xml.gz"
    records = "\n".join(map(release, range(1, RELEASES + 1)))
    path.write_bytes(gzip.compress(f"<releases>\n{records}\n</releases>\n".encode()))
    return path


@pytest.fixture
def collecting(engine):
    collect(engine)
    return engine


def collect(engine):
    with transaction(engine) as connection:
        for name in ("techno", "dub"):
            factories.add_genre(connection, name, target=10)


def run(engine, path, tmp_path, advance=None, batch_rows=170, **options):
    sizes = DumpOptions(tmp_path, batch_rows=batch_rows)
    return import_discogs_dump(context_of(engine, advance, **options), path, sizes)


def expected_genres():
    """Release -> collected styles with their ranks."""
    expected = {}
    for number in range(1, RELEASES + 1):
        styles = [STYLES[(number + place) % 4].lower() for place in range(number % 3)]
        ours = {name: rank for rank, name in enumerate(styles) if name in {"techno", "dub"}}
        if ours:
            expected[number] = ours
    return expected


def test_tracks_of_the_collected_styles_are_kept(collecting, dump, tmp_path):
    """With the votes, level and licence of Discogs; the others are counted."""
    result = run(collecting, dump, tmp_path)
    expected = expected_genres()
    assert (result.rows, result.tracks_new) == (3 * RELEASES, 3 * len(expected))
    others = 3 * (RELEASES - len(expected))
    assert result.reasons == {"of another genre": others}
    alias, genre, sighting = tables.track_alias.c, tables.genre.c, tables.sighting.c
    query = (
        select(alias.source_id, genre.name, sighting.best_rank, sighting.votes, sighting.level)
        .select_from(tables.sighting)
        .join(tables.genre, genre.id == sighting.genre_id)
        .join(tables.track_alias, alias.track_id == sighting.track_id)
        .where(alias.source == "discogs", sighting.source == "discogs")
    )
    with read_transaction(collecting) as connection:
        stored = {tuple(row) for row in connection.execute(query)}
        licence = connection.scalar(select(tables.data_source.c.licence))
    assert stored == {
        (f"{number}#A{place}", name, rank, 1, 1)
        for number, ours in expected.items()
        for name, rank in ours.items()
        for place in range(3)
    }
    assert licence == "cc0"
    assert list(tmp_path.glob("genrebase-import-*")) == []


def test_killed_anywhere_and_continued_it_ends_in_the_same_database(
    collecting, other_engine, dump, tmp_path
):
    """Batches end in the middle of releases."""
    collect(other_engine)
    run(other_engine, dump, tmp_path)
    small = partial(run, collecting, dump, tmp_path, batch_rows=17)
    _, kills = run_with_kills(small, seed=2, most=8)
    assert kills > 8
    assert contents(collecting) == contents(other_engine)


def test_an_import_is_repeated_previewed_and_undone(collecting, dump, tmp_path):
    """Nothing counts twice, and nothing is left."""
    before = contents(collecting)
    planned = run(collecting, dump, tmp_path, dry_run=True)
    assert contents(collecting) == before
    result = run(collecting, dump, tmp_path)
    assert planned.tracks_new == result.tracks_new
    once = contents(collecting)
    run(collecting, dump, tmp_path)
    assert contents(collecting) == once
    imports.undo(collecting, FakeClock(), 1)
    assert {**contents(collecting), "files": []} == {**before, "files": []}


def test_a_dump_that_breaks_off_keeps_what_came_before(collecting, dump, tmp_path):
    """The whole file is another import."""
    broken = tmp_path / dump.name
    broken.write_bytes(dump.read_bytes()[:-2_000])
    with pytest.raises(DamagedFile, match="get the whole file"):
        run(collecting, broken, tmp_path)
    kept = len(contents(collecting)["tracks"])
    assert 0 < kept < 3 * len(expected_genres())
    assert not list(tmp_path.glob("genrebase-import-*")), "nothing continues from it"
    assert run(collecting, dump, tmp_path).tracks_new == 3 * len(expected_genres()) - kept


def test_the_staging_file_stays_only_to_continue(collecting, dump, tmp_path):
    """That of a file that is gone is deleted by the next import of a dump."""
    copy = tmp_path / "copy.xml.gz"
    copy.write_bytes(dump.read_bytes())
    stopped = run(collecting, copy, tmp_path, stop_requested=lambda: True)
    [kept] = tmp_path.glob("genrebase-import-*")
    assert stopped.kept_file == str(kept)
    run(collecting, dump, tmp_path)
    assert list(tmp_path.glob("genrebase-import-*")) == [kept], "the copy can still be imported"
    copy.rename(tmp_path / "renamed.xml.gz")
    assert run(collecting, dump, tmp_path).kept_file is None
    assert not list(tmp_path.glob("genrebase-import-*"))


def test_checksums_and_genres_are_required(engine, dump, tmp_path):
    """The list has one blank before the name."""
    with pytest.raises(UserError, match="collector genres add"):
        run(engine, dump, tmp_path)
    collect(engine)
    copy = tmp_path / dump.name
    copy.write_bytes(dump.read_bytes())
    sums = tmp_path / "discogs_20260801_CHECKSUM.txt"
    sums.write_text(f"{'0' * 64} {dump.name}\n")
    with pytest.raises(NotADataset, match="download it again"):
        run(engine, copy, tmp_path)


def test_only_the_dump_of_releases_is_recognised(dump, tmp_path):
    """Other XML is not."""
    other = tmp_path / "other.xml"
    other.write_text('<artists><artist id="1"></artist></artists>')
    assert is_discogs_dump(dump)
    assert not is_discogs_dump(other)
    assert not is_discogs_dump(tmp_path / "absent")


def test_a_dump_of_a_sandbox_needs_its_database(collecting, dump, tmp_path):
    """Made-up tracks join those of the same catalogue only."""
    path = tmp_path / "made_releases.xml.gz"
    content = gzip.decompress(dump.read_bytes())
    path.write_bytes(gzip.compress(content.replace(b"<releases>", b'<releases sandbox="ab12">')))
    with pytest.raises(CatalogueMismatch, match="made by a sandbox"):
        run(collecting, path, tmp_path)
    with transaction(collecting) as connection:
        store_origin(connection, CatalogueOrigin("synthetic", "seed 1, sha256:ab12"), NOON)
    assert run(collecting, path, tmp_path).tracks_new > 0
    with pytest.raises(CatalogueMismatch, match="cannot be mixed"):
        run(collecting, dump, tmp_path)


def test_only_stored_tracks_are_labelled(collecting, dump, tmp_path):
    """Tracks that are not stored are counted, and not added."""
    with transaction(collecting) as connection:
        track = SourceTrack("spotify", "a", "One 2", (ArtistCredit("Artist 2"),))
        delivery = Provenance("spotify", provider=None)
        record(connection, [TrackObservation(track, "techno", 0)], delivery, NOON)
    sizes = DumpOptions(tmp_path, stored_only=True, batch_rows=17)
    preview = import_discogs_dump(context_of(collecting, dry_run=True), dump, sizes)
    assert "1 row of stored tracks, with a genre, " in " ".join(_summary(preview))
    result = import_discogs_dump(context_of(collecting), dump, sizes)
    assert (result.tracks_new, result.duplicates) == (0, 1)
    assert (result.tracks_labelled, result.claims_by) == (1, "votes")
    sentences = " ".join(_summary(replace(result, claims_moved=1)))
    assert "1 stored track got a genre, " in sentences
    assert "duplicate" not in sentences
    assert "changed for 1 existing track, because it has more votes there." in sentences
    assert result.reasons["not stored before"] > 100
    with read_transaction(collecting) as connection:
        sources = select(tables.sighting.c.source).order_by(tables.sighting.c.source)
        assert list(connection.scalars(sources)) == ["discogs", "spotify"]

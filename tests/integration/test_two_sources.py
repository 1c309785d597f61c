"""The same music from two sources: which source was harvested first changes nothing."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from collector import composition_root
from collector.curation import genres
from genrebase.store.engine import make_engine, read_transaction
from sandbox.application import SandboxOptions
from sandbox.server import RunningSandbox, serve_in_thread
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.contracts.conftest import settings_for
from tests.fakes import FakeClock

COLUMNS = (
    "track_id", "track_name", "artists", "album_name", "release_date", "duration_ms", "isrc",
    "genre",
)  # fmt: skip
GENRES = ("rock", "indie rock", "jazz")
PER_GENRE = 60


def catalogue_rows() -> Iterator[Sequence[str]]:
    """Yield rows: every third track has two genres, every tenth is on a second release."""
    for g, genre in enumerate(GENRES):
        for number in range(PER_GENRE):
            row = (
                f"{g}{number:021}",
                f"Song {number}",
                f"{genre} band {number % 13}" + ("; Guest" if number % 4 == 0 else ""),
                "Album",
                "" if number % 7 == 0 else f"{1960 + number % 60}-05-01",
                str(180_000 + 437 * number),
                f"GBAAA{g}{number:06}",
            )
            yield (*row, genre)
            if number % 3 == 0:
                yield (*row, GENRES[(g + 1) % len(GENRES)])
            if number % 10 == 0:
                yield (f"R{g}{number:020}", *row[1:5], str(180_400 + 437 * number), row[6], genre)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    table = CatalogueTable(COLUMNS, [list(row) for row in catalogue_rows()], "made", "0" * 64)
    with serve_in_thread(SandboxCatalogue(table), SandboxOptions(mode="extended")) as running:
        yield running


def harvest(engine: Engine, url: str, sources: str) -> None:
    """Read everything that the sources have."""
    settings = settings_for(url).model_copy(update={"sources": sources})
    for source in sources.split(","):
        one = settings.model_copy(update={"sources": source})
        outcome = composition_root.open_crawl(engine, one, FakeClock()).run()
        assert outcome.stopped == "exhausted"


CONTENT = {
    "tracks": "SELECT identity, track_fold, side FROM track",
    "claims": "SELECT t.identity, g.name, CASE WHEN t.claim_tied THEN 1 ELSE 0 END FROM track t"
    " JOIN genre g ON g.id = t.genre_id",
    "aliases": "SELECT a.source, a.source_id, t.identity FROM track_alias a"
    " JOIN track t ON t.id = a.track_id",
    "sightings": "SELECT t.identity, g.name, s.source, s.best_rank, s.votes, s.level, s.licence"
    " FROM sighting s JOIN track t ON t.id = s.track_id JOIN genre g ON g.id = s.genre_id",
    "credits": "SELECT t.identity, a.name_key FROM track_artist c"
    " JOIN track t ON t.id = c.track_id JOIN artist a ON a.id = c.artist_id",
    "counters": "SELECT name, sightings FROM genre",
}
"""What two databases with the same music have in common."""


def content_of(engine: Engine) -> dict[str, list[Any]]:
    with read_transaction(engine) as connection:
        return {
            name: sorted(map(repr, connection.execute(text(query)).all()))
            for name, query in CONTENT.items()
        }


def filled(engine: Engine, url: str, sources: str) -> dict[str, list[Any]]:
    for genre in GENRES:
        genres.add(engine, FakeClock(), genre, 10_000)
    harvest(engine, url, sources)
    return content_of(engine)


def test_the_order_of_the_sources_changes_nothing(
    engine: Engine, sandbox: RunningSandbox, migrated_sqlite: Path, tmp_path: Path
) -> None:
    """Tracks, aliases, claims, sightings, credits and folds are equal in both orders."""
    shutil.copyfile(migrated_sqlite, tmp_path / "other.db")
    other = make_engine(f"sqlite:///{tmp_path / 'other.db'}")
    first = filled(engine, sandbox.url, "spotify,musicbrainz")
    second = filled(other, sandbox.url, "musicbrainz,spotify")
    other.dispose()
    for name in CONTENT:
        assert first[name] == second[name], name
    assert len(first["tracks"]) == len(GENRES) * PER_GENRE
    sources = {row.split(", ")[0] for row in first["aliases"]}
    assert sources == {"('musicbrainz'", "('spotify'"}

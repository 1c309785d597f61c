"""Databases from before every sighting had a source: what becomes of their rows."""

from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, text

from collector.catalogue import genre_counters
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine, read_transaction, transaction

BEFORE = "0007"
NOON = "2026-01-01 12:00:00.000000"
LATER = "2026-01-02 12:00:00.000000"
GENRES = ("rock", "jazz", "folk")
TRACKS = {
    "harvested": "spotify",
    "of both": "spotify",
    "of versions": "csv:a.csv",
    "of two files": "csv:a.csv",
    "without a ledger": "csv:old.csv",
    "then harvested": "csv:old.csv",
    "file": "audio",
}
IMPORTS = {1: ("a", "csv:a.csv"), 2: ("b", "csv:a.csv"), 3: ("c", "csv:b.csv")}
SIGHTINGS = [
    ("harvested", "rock", 4, 2),
    ("of both", "rock", 1, 3),
    ("of both", "jazz", 2, 1),
    ("of versions", "jazz", 5, 1),
    ("of two files", "rock", 0, 5),
    ("without a ledger", "folk", 3, 1),
    ("then harvested", "rock", 6, 2),
    ("file", "folk", 0, 1),
]
PARTS = [  # track, genre, import, rank, times, rank before
    ("of both", "rock", 1, 1, 1, 7),
    ("of versions", "rock", 1, 0, 1, None),
    ("of versions", "jazz", 2, 5, 1, None),
    ("of two files", "rock", 2, 0, 2, None),
    ("of two files", "rock", 3, 9, 3, 0),
]
EXPECTED = {
    ("harvested", "rock", "spotify", 4, 2),
    ("of both", "rock", "csv:a.csv", 1, 1),
    ("of both", "rock", "spotify", 7, 2),
    ("of both", "jazz", "spotify", 2, 1),
    ("of versions", "jazz", "csv:a.csv", 5, 1),
    ("of two files", "rock", "csv:a.csv", 0, 2),
    ("of two files", "rock", "csv:b.csv", 9, 3),
    ("without a ledger", "folk", "csv:old.csv", 3, 1),
    ("then harvested", "rock", "spotify", 6, 2),
    ("file", "folk", "audio", 0, 1),
}


def insert(connection: Connection, table: str, **values: Any) -> None:
    names = ", ".join(values)
    marks = ", ".join(f":{name}" for name in values)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), values)


def fill(connection: Connection) -> None:
    """Fill a database of revision 0007."""
    genre = {name: number for number, name in enumerate(GENRES, 1)}
    track = {name: number for number, name in enumerate(TRACKS, 1)}
    for name, number in genre.items():
        seen = sum(genre_name == name for _, genre_name, *_ in SIGHTINGS)
        insert(connection, "genre", id=number, name=name, sightings=seen, created_at=NOON)
    for name, number in track.items():
        values = {"identity": name, "name_key": name, "title": name, "artists": "A"}
        times = dict.fromkeys(("first_seen_at", "last_seen_at", "updated_at"), NOON)
        places = {"track_fold": 0, "side": "train", "origin": TRACKS[name]}
        insert(connection, "track", id=number, **values, **places, **times)
    for name in ("harvested", "of both", "without a ledger", "then harvested"):
        alias = {"source": "spotify", "source_id": name, "track_id": track[name]}
        insert(connection, "track_alias", **alias)
    shard = {"source": "spotify", "query": "q", "year_from": 0, "year_to": 9999}
    insert(connection, "shard", genre_id=genre["rock"], created_at=NOON, **shard)
    for number, (sha256, origin) in IMPORTS.items():
        facts = {"name": origin, "origin": origin, "rows_done": 1, "started_at": NOON}
        insert(connection, "imported_file", id=number, sha256=sha256, **facts)
    for name, genre_name, rank, times in SIGHTINGS:
        key = {"track_id": track[name], "genre_id": genre[genre_name]}
        moments = {"first_seen_at": NOON, "last_seen_at": LATER}
        insert(connection, "sighting", **key, best_rank=rank, times=times, **moments)
    for name, genre_name, number, rank, times, before in PARTS:
        key = {"track_id": track[name], "genre_id": genre[genre_name], "import_id": number}
        ranks = {"best_rank": rank, "rank_before": before}
        insert(connection, "import_sighting", **key, times=times, **ranks)
    insert(
        connection, "audio_features", track_id=1, provider="reccobeats", tempo=1.5, fetched_at=NOON
    )


def rows(engine: Engine, query: str) -> set[tuple]:
    with read_transaction(engine) as connection:
        return {tuple(row) for row in connection.execute(text(query))}


@pytest.fixture
def upgraded(bare_url: str) -> Any:
    command.upgrade(schema_upgrade.alembic_config(bare_url), BEFORE)
    engine = make_engine(bare_url)
    with transaction(engine) as connection:
        fill(connection)
    command.upgrade(schema_upgrade.alembic_config(bare_url), "head")
    yield engine
    engine.dispose()


SIGHTED = """
    SELECT track.title, genre.name, {source} best_rank, times FROM sighting
    JOIN track ON track.id = sighting.track_id JOIN genre ON genre.id = sighting.genre_id
"""


def test_every_sighting_gets_its_source_and_the_counts_add_up(upgraded: Engine) -> None:
    """Imports' parts go under their origins, the rest under Spotify or the track's origin."""
    assert rows(upgraded, SIGHTED.format(source="source,")) == EXPECTED
    summed = "SELECT title, genre, best_rank, times FROM track_genres JOIN tracks USING (track_id)"
    assert rows(upgraded, summed) == set(SIGHTINGS)
    counted = rows(upgraded, "SELECT name, sightings FROM genre")
    with transaction(upgraded) as connection:
        genre_counters.recount(connection, [1, 2, 3])
    assert rows(upgraded, "SELECT name, sightings FROM genre") == counted
    moments = rows(upgraded, "SELECT DISTINCT first_seen_at < last_seen_at FROM track_genres")
    assert moments == {(True,)}


def test_every_source_gets_the_licence_known_of_it(upgraded: Engine) -> None:
    """A file's licence is unknown until somebody names it."""
    assert rows(upgraded, "SELECT name, licence, licence_class FROM data_sources") == {
        ("spotify", "terms", "restricted"),
        ("csv:a.csv", "unknown", "unknown"),
        ("csv:b.csv", "unknown", "unknown"),
        ("csv:old.csv", "unknown", "unknown"),
        ("audio", "unknown", "unknown"),
        ("reccobeats", "unknown", "unknown"),
    }
    assert rows(upgraded, "SELECT count(*) FROM track_genre_sources WHERE licence IS NULL") == {
        (0,)
    }


def test_a_downgrade_adds_the_sources_up(upgraded: Engine) -> None:
    """The rows before and after are equal."""
    url = upgraded.url.render_as_string(hide_password=False)
    command.downgrade(schema_upgrade.alembic_config(url), BEFORE)
    assert rows(upgraded, SIGHTED.format(source="")) == set(SIGHTINGS)
    command.upgrade(schema_upgrade.alembic_config(url), "head")
    command.check(schema_upgrade.alembic_config(url))

"""Writers of different names run beside each other; what changes others' rows runs alone."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from collector.catalogue import pending_track, tracks
from collector.records import ArtistCredit, DurationMs, Provenance, SourceTrack, TrackObservation
from genrebase.store import bulk, name_locks, tables
from genrebase.store.engine import Connection, make_engine, read_transaction, transaction
from genrebase.store.errors import DatabaseBusy
from tests.consistency import assert_consistent
from tests.fakes import NOON
from tests.import_runs import run_dataset

DELIVERY = Provenance(origin="spotify", provider=None)


@pytest.fixture
def others(postgres_engine: Engine) -> Iterator[Engine]:
    """An engine for other sessions on the same database."""
    engine = make_engine(postgres_engine.url)
    yield engine
    engine.dispose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "IDENTITY_LOCK_SECONDS", 0.2)


def lock(names: list[str]) -> Callable[[Connection], None]:
    return lambda connection: name_locks.lock_names(connection, names)


def beside(engine: Engine, names: list[str]) -> Callable[[Connection], None]:
    """Return a step that locks names in another session while it holds its own locks."""

    def work(connection: Connection) -> None:
        name_locks.lock_names(connection, ["a", "b", "c"])
        name_locks.run_beside_others(engine, lock(names))

    return work


@pytest.mark.usefixtures("impatient")
def test_only_equal_names_wait_for_each_other(postgres_engine: Engine, others: Engine):
    """Until the first transaction ends; then the name is free, and nothing is left of the lock."""
    name_locks.run_beside_others(postgres_engine, beside(others, ["d", "e"]))
    with pytest.raises(DatabaseBusy, match="process"):
        name_locks.run_beside_others(postgres_engine, beside(others, ["e", "b"]))
    name_locks.run_beside_others(others, lock(["a", "b", "c"]))
    with read_transaction(others) as connection:
        query = select(func.count()).select_from(tables.identity_lock)
        assert connection.scalar(query) == 0


@pytest.mark.usefixtures("impatient")
def test_what_runs_alone_waits_for_all(postgres_engine: Engine, others: Engine):
    """A transaction of names keeps one out that needs all, and the other way round."""

    def alone(_connection: Connection) -> None:
        with bulk.exclusive_transaction(others):
            pass

    with pytest.raises(DatabaseBusy):
        name_locks.run_beside_others(postgres_engine, alone)
    with bulk.exclusive_transaction(postgres_engine), pytest.raises(DatabaseBusy):
        name_locks.run_beside_others(others, lock(["a"]))


def test_what_needs_all_names_runs_again_alone(postgres_engine: Engine):
    """The first attempt leaves nothing behind."""
    attempts: list[bool] = []

    def work(connection: Connection) -> str:
        attempts.append(name_locks.is_concurrent(connection))
        connection.execute(text("INSERT INTO vocabulary (source, name) VALUES ('a', 'b')"))
        bulk.lock_identity_writers(connection)
        return "done"

    assert name_locks.run_beside_others(postgres_engine, work) == "done"
    assert attempts == [True, False]


def test_no_order_of_names_is_a_deadlock(postgres_engine: Engine):
    """Four sessions lock overlapping names again and again, each list in an order of its own."""

    def session(seed: int) -> None:
        chance, engine = random.Random(seed), make_engine(postgres_engine.url)
        for _ in range(40):
            names = [f"name {number}" for number in chance.sample(range(60), 20)]
            with transaction(engine) as connection:
                connection.execution_options(**{bulk.CONCURRENT: True})
                name_locks.lock_names(connection, names)
        engine.dispose()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(session, range(4)))
    with read_transaction(postgres_engine) as connection:
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert connection.scalar(text(deadlocks)) == 0


def observed(number: int, genre: str) -> TrackObservation:
    """Return a track by an artist that some tracks name with an id and others without."""
    artist_id = f"{number % 17:022d}" if number % 3 == 0 else None
    artist = ArtistCredit(f"Artist {number % 17}", artist_id)
    guest = ArtistCredit(f"Guest {number % 5}")
    track = SourceTrack(
        "spotify",
        f"{number:022d}",
        f"Song {number // 2}",
        (artist, guest),
        duration_ms=DurationMs(200_000 + 10_000 * (number % 2)),
    )
    return TrackObservation(track, genre, number)


def test_four_sessions_record_as_one_does(postgres_engine: Engine, other_engine: Engine) -> None:
    """The same tracks, artists, credits, sightings and counters, without a deadlock."""
    batches = []
    for seed in range(4):
        chance = random.Random(seed)
        genres = ("rock", "jazz", "folk")
        batches.append(
            [
                [observed(chance.randrange(300), chance.choice(genres)) for _ in range(12)]
                for _ in range(25)
            ]
        )

    def session(own: list[list[TrackObservation]]) -> None:
        engine = make_engine(postgres_engine.url)
        for seen in own:
            name_locks.run_beside_others(
                engine,
                lambda connection, seen=seen: tracks.record(connection, seen, DELIVERY, NOON),
            )
        engine.dispose()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(session, batches))
    for own in batches:
        for seen in own:
            with transaction(other_engine) as connection:
                tracks.record(connection, seen, DELIVERY, NOON)
    with read_transaction(postgres_engine) as connection:
        assert_consistent(connection)
    assert truth(postgres_engine) == truth(other_engine)
    with read_transaction(postgres_engine) as connection:
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert connection.scalar(text(deadlocks)) == 0


def truth(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return what a database holds, by names instead of ids."""
    queries = {
        "tracks": "SELECT t.name_key, t.title, t.side, t.shortest_ms, t.longest_ms, g.name,"
        " t.claim_tied FROM track t LEFT JOIN genre g ON g.id = t.genre_id",
        "artists": "SELECT source, source_id, name_key, fold FROM artist",
        "credits": "SELECT t.name_key, t.shortest_ms, a.name_key FROM track_artist c JOIN track t"
        " ON t.id = c.track_id JOIN artist a ON a.id = c.artist_id",
        "sightings": "SELECT t.name_key, t.shortest_ms, g.name, s.source, s.best_rank, s.times"
        " FROM sighting s JOIN track t ON t.id = s.track_id JOIN genre g ON g.id = s.genre_id",
        "counters": "SELECT name, sightings FROM genre",
        "ids": "SELECT a.source, a.source_id, t.name_key, t.shortest_ms FROM track_alias a"
        " JOIN track t ON t.id = a.track_id",
    }
    with read_transaction(engine) as connection:
        return {
            name: sorted(map(tuple, connection.execute(text(query))), key=repr)
            for name, query in queries.items()
        }


def found(title: str, *genres: str) -> list[TrackObservation]:
    """Return a track that is found in genres, in the first place of each."""
    track = SourceTrack("spotify", title.replace(" ", "-"), title, (ArtistCredit("Ann"),))
    return [TrackObservation(track, genre, 1) for genre in genres]


def several(count: int, genre: str, name: str = "old") -> list[TrackObservation]:
    """Return tracks that are found in one genre."""
    return [one for number in range(count) for one in found(f"{genre} {name} {number}", genre)]


def test_ties_are_broken_by_what_all_have_counted(
    postgres_engine: Engine, others: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jazz gets more tracks while a batch is stored, by which it would have had no more than rock.

    At the beginning and at the end, rock has fewer tracks.
    """

    def record(engine: Engine, seen: list[TrackObservation]) -> None:
        name_locks.run_beside_others(
            engine, lambda connection: tracks.record(connection, seen, DELIVERY, NOON)
        )

    record(postgres_engine, [*several(5, "rock"), *several(6, "jazz")])
    store, waiting = pending_track.store, [several(3, "jazz", "new")]

    def store_beside(connection: Connection, *arguments: Any, **options: Any) -> None:
        if waiting:
            record(others, waiting.pop())
        store(connection, *arguments, **options)

    monkeypatch.setattr(pending_track, "store", store_beside)
    record(postgres_engine, [*found("Both", "rock", "jazz"), *several(1, "rock", "new")])
    with read_transaction(postgres_engine) as connection:
        assert_consistent(connection)
    assert [row[5] for row in truth(postgres_engine)["tracks"] if row[1] == "Both"] == ["rock"]


def write(path: Path, seed: int) -> Path:
    """Write a table whose tracks and artists are partly in the tables of other seeds."""
    chance = random.Random(seed)
    lines = ["track_id,track_name,artists,duration_ms,track_genre,tempo"]
    for _ in range(400):
        number = chance.randrange(600)
        artists = f"Artist {number % 23};Guest {number % 4}"
        genre = f"genre {number % 5}"
        lines.append(
            f"{number:022d},Song {number},{artists},{200_000 + number},{genre},{60 + number % 90}"
        )
    path.write_text("\n".join(lines))
    return path


def test_imports_at_once_equal_those_one_after_the_other(
    postgres_engine: Engine,
    other_engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of files that share tracks and artists."""
    monkeypatch.setattr("collector.imports.dataset.batch_rows", lambda _engine: 50)
    files = [write(tmp_path / f"{seed}.csv", seed) for seed in range(3)]

    def session(path: Path) -> None:
        engine = make_engine(postgres_engine.url)
        run_dataset(engine, path)
        engine.dispose()

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(session, files))
    for path in files:
        run_dataset(other_engine, path)
    with read_transaction(postgres_engine) as connection:
        assert_consistent(connection)
    assert truth(postgres_engine) == truth(other_engine)


def test_sqlite_checks_foreign_keys_where_tracks_are_merged(sqlite_engine: Engine) -> None:
    """A merge deletes a track with its rows; what follows in other transactions is checked."""
    checked = []

    def work(connection: Connection) -> None:
        checked.append(connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one())
        if not name_locks.can_merge(connection):
            raise name_locks.NeedsExclusiveLock

    name_locks.run_beside_others(sqlite_engine, work, checks_keys=False)
    name_locks.run_beside_others(sqlite_engine, work)
    assert checked == [0, 1, 1]

"""The queue of tracks without features, with leases."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, delete, insert, select

from collector.acousticbrainz_submissions import Submission
from collector.catalogue import acousticbrainz_submissions, attempt_queue
from collector.catalogue.attempt_queue import LeasedTrack, QueuePosition, retry_at
from collector.catalogue.feature_queue import (
    ProviderResult,
    delete_features,
    queue_of,
    record_results,
)
from collector.records import AudioFeatures
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import NOON
from tests.unit.collector.conftest import Store, spotify_id

LOUD = AudioFeatures(energy=0.9, key=7, mode=1)
LATER = NOON + timedelta(seconds=30)


def waiting(
    engine: Engine,
    provider: str = "reccobeats",
    now: datetime = NOON,
    after: int = 0,
    limit: int = 100,
) -> list[LeasedTrack]:
    """Return the tracks that would be leased now, without leasing them."""
    queue = queue_of(provider)
    with read_transaction(engine) as connection:
        due = queue.next_due(now, after=after, limit=limit)
        return queue.lease(connection, due, lambda: now).tracks


def record(engine: Engine, *results: ProviderResult, provider: str = "reccobeats") -> None:
    with transaction(engine) as connection:
        record_results(connection, queue_of(provider), results, NOON)


def test_tracks_without_features_are_due(engine: Engine, store: Store) -> None:
    """A track with a Spotify id is due if no provider gave its features."""
    ids = store(["a", "b"])
    store(["has"], features=LOUD)
    store(["nameless"], source="name")
    assert waiting(engine) == [
        LeasedTrack(ids["a"], [spotify_id("a")], 0),
        LeasedTrack(ids["b"], [spotify_id("b")], 0),
    ]


def test_the_queue_is_read_in_batches(engine: Engine, store: Store) -> None:
    """`after` and `limit` walk the queue once, in the order of the tracks' ids."""
    ids = sorted(store(["a", "b", "c"]).values())
    first = waiting(engine, limit=2)
    assert [one.track_id for one in first] == ids[:2]
    assert [one.track_id for one in waiting(engine, after=first[-1].track_id)] == ids[2:]


def test_a_leased_track_is_not_due(engine: Engine, store: Store) -> None:
    """It is due after the lease expires, and for other providers."""
    ids = store(["a", "b", "c"])
    queue = queue_of("reccobeats")
    with transaction(engine) as connection:
        leased = queue.lease(connection, queue.next_due(NOON, limit=2), lambda: NOON)
    assert [one.track_id for one in leased.tracks] == sorted(ids.values())[:2]
    assert [one.track_id for one in waiting(engine)] == sorted(ids.values())[2:]
    assert len(waiting(engine, "spotify")) == 3
    with read_transaction(engine) as connection:
        for now, expected in ((NOON, 1), (LATER, 3)):
            due = connection.scalars(queue.next_due(now, limit=100)).all()
            assert len(due) == expected


def test_results_are_stored(engine: Engine, store: Store) -> None:
    """Features are stored under their provider, and the track is not due any more."""
    ids = store(["a"])
    record(engine, ProviderResult(ids["a"], 1, None, found=True, features=LOUD))
    with read_transaction(engine) as connection:
        row = connection.execute(select(tables.audio_features)).one()
    assert (row.provider, row.energy, row.key, row.tempo) == ("reccobeats", 0.9, 7, None)
    assert row.fetched_at == NOON
    assert waiting(engine) == waiting(engine, "spotify") == []


def test_a_miss_is_due_at_its_retry_time(engine: Engine, store: Store) -> None:
    """A provider without the track gets the next request at the retry time, not before."""
    ids = store(["a"])
    later = NOON + timedelta(days=1)
    record(engine, ProviderResult(ids["a"], 1, later, found=False))
    assert waiting(engine, now=later - timedelta(seconds=1)) == []
    assert waiting(engine, now=later) == [LeasedTrack(ids["a"], [spotify_id("a")], 1)]
    assert waiting(engine, "spotify") == [LeasedTrack(ids["a"], [spotify_id("a")], 0)]


def test_a_retry_time_of_a_clock_set_back_since_is_not_believed(
    engine: Engine, store: Store
) -> None:
    """A track does not wait for decades; the longest wait between two attempts is kept."""
    ids = store(["a", "b"])
    record(engine, ProviderResult(ids["a"], 1, NOON + timedelta(days=36 * 365), found=False))
    record(engine, ProviderResult(ids["b"], 4, retry_at(4, NOON), found=False))
    assert [track.track_id for track in waiting(engine, now=NOON)] == [ids["a"]]
    queue = queue_of("reccobeats")
    with transaction(engine) as connection:
        leased = queue.lease(connection, queue.next_due(NOON, limit=2), lambda: NOON)
    assert [one.track_id for one in leased.tracks] == [ids["a"]]


def test_results_can_be_recorded_again(engine: Engine, store: Store) -> None:
    """The same batch recorded twice, or a later result, replaces the earlier one."""
    ids = store([f"t{number}" for number in range(150)])
    misses = [ProviderResult(track_id, 1, NOON, found=False) for track_id in ids.values()]
    hits = [
        ProviderResult(track_id, 2, None, found=True, features=LOUD) for track_id in ids.values()
    ]
    for results in (misses, hits, hits):
        record(engine, *results)
    attempt = tables.feature_attempt
    with read_transaction(engine) as connection:
        rows = connection.execute(select(attempt.c.attempts, attempt.c.outcome).distinct()).all()
    assert [tuple(row) for row in rows] == [(2, "known")]


def test_a_track_that_is_gone_is_dropped(engine: Engine, store: Store) -> None:
    """Tracks merged or forgotten during the request do not stop the others from being stored."""
    ids = store(["a", "b"])
    with transaction(engine) as connection:
        connection.execute(delete(tables.track).where(tables.track.c.id == ids["a"]))
    record(
        engine,
        *(
            ProviderResult(track_id, 1, None, found=True, features=LOUD)
            for track_id in ids.values()
        ),
    )
    with read_transaction(engine) as connection:
        stored = connection.scalars(select(tables.audio_features.c.track_id)).all()
    assert stored == [ids["b"]]


def test_every_id_of_a_track_gets_its_turn(engine: Engine, store: Store) -> None:
    """A track with several Spotify ids is requested with another one after each miss."""
    track_id = store(["a"])["a"]
    other = spotify_id("z")
    with transaction(engine) as connection:
        alias = {"source": "spotify", "source_id": other, "track_id": track_id}
        connection.execute(insert(tables.track_alias).values(alias))
    assert waiting(engine)[0].source_ids == [spotify_id("a")]
    for requests, expected in ((1, other), (2, spotify_id("a"))):
        record(engine, ProviderResult(track_id, requests, NOON, found=False))
        assert waiting(engine)[0].source_ids == [expected]


MBID, OTHER_MBID = "0dad432b-16cc-4bf0-8961-fd31d124b01b", "e8afe383-1478-497e-90b1-7885c7f37f6e"


def add_alias(engine: Engine, track_id: int, source_id: str, source: str = "musicbrainz") -> None:
    row = {"source": source, "source_id": source_id, "track_id": track_id}
    with transaction(engine) as connection:
        connection.execute(insert(tables.track_alias).values(row))


def waiting_by_mbid(engine: Engine) -> list[LeasedTrack]:
    """Return the tracks that AcousticBrainz would be requested for, without leasing them."""
    queue = queue_of("acousticbrainz", "musicbrainz")
    with read_transaction(engine) as connection:
        return queue.lease(connection, queue.next_due(NOON, limit=9), lambda: NOON).tracks


def test_a_provider_is_requested_by_the_ids_of_its_source(engine: Engine, store: Store) -> None:
    """All MBIDs of a track in one round, whatever its other ids."""
    ids = store(["a", "b"])
    add_alias(engine, ids["a"], OTHER_MBID)
    add_alias(engine, ids["a"], MBID)
    assert waiting_by_mbid(engine) == [LeasedTrack(ids["a"], [MBID, OTHER_MBID], 0)]
    assert {one.track_id for one in waiting(engine)} == set(ids.values())
    another = queue_of("deezer", "deezer")
    with read_transaction(engine) as connection:
        assert not another.has_due(connection, NOON)


def test_own_numbers_and_features_do_not_replace_each_other(engine: Engine, store: Store) -> None:
    """AcousticBrainz' tempo is no reason not to request energy, nor the other way round."""
    ids = store(["a", "b"])
    add_alias(engine, ids["a"], MBID)
    record(engine, ProviderResult(ids["a"], 1, None, found=True, features=LOUD))
    assert [one.track_id for one in waiting_by_mbid(engine)] == [ids["a"]]
    numbers = {(ids["b"], OTHER_MBID): [Submission(bpm=120)]}
    with transaction(engine) as connection:
        acousticbrainz_submissions.store_submissions(connection, numbers, NOON)
    assert [one.track_id for one in waiting(engine)] == [ids["b"]]
    add_alias(engine, ids["b"], OTHER_MBID)
    assert [one.track_id for one in waiting_by_mbid(engine)] == [ids["a"]]


def test_what_never_changes_is_requested_once_per_id(engine: Engine, store: Store) -> None:
    """An unknown recording stays unknown; a new MBID of the track is another request."""
    track_id = store(["a"])["a"]
    add_alias(engine, track_id, MBID)
    queue = queue_of("acousticbrainz", "musicbrainz")
    with transaction(engine) as connection:
        record_results(connection, queue, [ProviderResult(track_id, 1, None, found=False)], NOON)
    assert waiting_by_mbid(engine) == []
    add_alias(engine, track_id, OTHER_MBID)
    assert waiting_by_mbid(engine) == [LeasedTrack(track_id, [MBID, OTHER_MBID], 1)]
    with transaction(engine) as connection:
        due = queue.next_due(NOON, limit=9)
        assert queue.lease(connection, due, lambda: NOON).tracks
        assert queue.lease(connection, due, lambda: NOON).tracks == []
        record_results(connection, queue, [ProviderResult(track_id, 2, None, found=False)], NOON)
    assert waiting_by_mbid(engine) == []


def lease(engine: Engine, position: QueuePosition, now: datetime = NOON) -> list[int]:
    """Lease the next tracks, as processes do."""
    queue = queue_of("reccobeats")
    with transaction(engine) as connection:
        leased = queue.lease_next(connection, position, lambda: now, 2)
    if leased.tracks:
        position.advance(leased.tracks[-1].track_id)
    return [one.track_id for one in leased.tracks]


def has_due(engine: Engine, position: QueuePosition, now: datetime = NOON) -> bool:
    with read_transaction(engine) as connection:
        return queue_of("reccobeats").has_due(connection, now, position)


def test_after_a_look_at_all_tracks_only_new_ones_are_read(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old track that gets an id of the provider is due at the next look at all, in an hour."""
    monkeypatch.setattr(attempt_queue, "RECENT_TRACKS", 1)
    old = store(["nameless"], source="name")["nameless"]
    ids, position = store(["a", "b", "c"]), QueuePosition()
    assert lease(engine, position) == [ids["a"], ids["b"]]
    assert lease(engine, position) == [ids["c"]]
    assert lease(engine, position) == []
    assert position.is_complete
    add_alias(engine, old, spotify_id("n"), "spotify")
    assert not has_due(engine, position)
    new = store(["d"])["d"]
    assert has_due(engine, position)
    assert lease(engine, position) == [new]
    assert not has_due(engine, position)
    assert has_due(engine, QueuePosition())
    assert lease(engine, position, NOON + attempt_queue.FULL_LOOK_EVERY) == [old, ids["a"]]


def test_requests_are_repeated_without_a_look_at_all_tracks(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At their time, and when a lease was released or has expired."""
    monkeypatch.setattr(attempt_queue, "RECENT_TRACKS", 1)
    ids, position = store(["a", "b", "c", "d"]), QueuePosition()
    record(engine, ProviderResult(ids["a"], 1, NOON + timedelta(minutes=5), found=False))
    record(engine, *(ProviderResult(ids[one], 1, None, found=True, features=LOUD) for one in "bd"))
    queue = queue_of("reccobeats")
    with transaction(engine) as connection:
        leased = queue.lease_next(connection, position, lambda: NOON, 2)
    position.advance(leased.tracks[-1].track_id)
    assert lease(engine, position) == []
    assert has_due(engine, position, LATER)
    with transaction(engine) as connection:
        leased.release(connection)
    assert has_due(engine, position)
    record(engine, ProviderResult(ids["c"], 1, None, found=True, features=LOUD))
    assert not has_due(engine, position)
    assert has_due(engine, position, NOON + timedelta(minutes=5))


def test_reused_ids_of_deleted_tracks_are_read(
    engine: Engine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New tracks get them after the newest tracks were deleted."""
    monkeypatch.setattr(attempt_queue, "RECENT_TRACKS", 1)
    position = QueuePosition()
    store([f"t{number}" for number in range(20)], features=LOUD)
    assert not has_due(engine, position)
    with transaction(engine) as connection:
        connection.execute(delete(tables.track).where(tables.track.c.id > 4))
    assert not has_due(engine, position)
    assert position.after < 5
    if engine.dialect.name == "sqlite":
        assert store(["new"])["new"] < 20
        assert has_due(engine, position)


def test_no_request_is_repeated_while_another_provider_has_features(
    engine: Engine, store: Store
) -> None:
    """The look at repeated requests need not pass it over; it is due again without them."""
    track_id = store(["a"])["a"]
    record(engine, ProviderResult(track_id, 1, NOON + timedelta(days=1), found=False))
    record(
        engine, ProviderResult(track_id, 1, None, found=True, features=LOUD), provider="spotify"
    )
    attempt = tables.feature_attempt.c
    with read_transaction(engine) as connection:
        rows = connection.execute(select(attempt.provider, attempt.next_at))
        assert dict(map(tuple, rows)) == {"reccobeats": None, "spotify": None}
    assert waiting(engine, now=NOON + timedelta(days=2)) == []
    with transaction(engine) as connection:
        delete_features(connection, [track_id], "spotify")
    assert [one.track_id for one in waiting(engine)] == [track_id]

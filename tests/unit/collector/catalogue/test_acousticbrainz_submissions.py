"""AcousticBrainz' numbers in the database."""

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import Engine, delete, select

from collector.acousticbrainz_submissions import Submission
from collector.catalogue import acousticbrainz_submissions, track_merging
from genrebase.store import features_provider, tables, views
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import NOON
from tests.unit.collector.conftest import Store

LATER = NOON + timedelta(days=1)
ONE, OTHER = "0dad432b-16cc-4bf0-8961-fd31d124b01b", "e8afe383-1478-497e-90b1-7885c7f37f6e"
SLOW = Submission(bpm=60.5, danceability=1.0, key=9, mode=0, average_loudness=0.25)
FAST = Submission(bpm=121.0, key=0, mode=1)

Delivery = tuple[int, str, list[Submission]]


def store_all(engine: Engine, *deliveries: Delivery) -> list[int]:
    changed = []
    for track_id, recording, items in deliveries:
        with transaction(engine) as connection:
            changed.append(
                acousticbrainz_submissions.store_submissions(
                    connection, {(track_id, recording): items}, NOON
                )
            )
    return changed


def tempo(engine: Engine) -> dict[int, float]:
    row = tables.audio_features.c
    with read_transaction(engine) as connection:
        return dict(map(tuple, connection.execute(select(row.track_id, row.tempo))))


def state(engine: Engine) -> list[tuple[object, ...]]:
    with read_transaction(engine) as connection:
        rows = [tuple(row) for row in connection.execute(select(tables.acousticbrainz_recording))]
        return sorted(rows, key=repr) + sorted(
            map(tuple, connection.execute(select(tables.audio_features))), key=repr
        )


def test_numbers_keep_columns_of_their_own(engine: Engine, store: Store) -> None:
    """Only the tempo becomes an audio feature: key and danceability have other scales."""
    track = store(["a"])["a"]
    assert store_all(engine, (track, ONE, [SLOW, FAST, SLOW])) == [1]
    with read_transaction(engine) as connection:
        features = connection.execute(select(tables.audio_features)).one()
        numbers = connection.execute(select(views.acousticbrainz_features)).one()
    assert features.provider == "acousticbrainz"
    assert features.tempo == 60.5
    assert {getattr(features, name) for name in tables.FEATURES if name != "tempo"} == {None}
    assert (numbers.bpm, numbers.bpm_range, numbers.rhythm_submissions) == (60.5, 60.5, 3)
    assert (numbers.key, numbers.mode, numbers.danceability) == (9, 0, 1.0)
    assert numbers.key_share == pytest.approx(2 / 3)
    assert (numbers.lowlevel_submissions, numbers.average_loudness_range) == (2, 0.0)


def test_equal_numbers_change_nothing(engine: Engine, store: Store) -> None:
    """A second delivery leaves the row and its time as they are."""
    track = store(["a"])["a"]
    assert store_all(engine, (track, ONE, [SLOW]), (track, ONE, [SLOW])) == [1, 0]
    before = state(engine)
    with transaction(engine) as connection:
        acousticbrainz_submissions.store_submissions(connection, {(track, ONE): [SLOW]}, LATER)
    assert state(engine) == before


def test_the_order_of_deliveries_does_not_matter(engine: Engine, store: Store) -> None:
    """API, documents and dumps may deliver in any order, also of several recordings."""
    track = store(["a"])["a"]
    deliveries: list[Delivery] = [
        (track, ONE, [FAST]),
        (track, OTHER, [SLOW, SLOW]),
        (track, ONE, [Submission(key_strength=0.5)]),
        (track, ONE, [Submission(danceability=2.0)]),
    ]
    states = []
    for order in permutations(deliveries):
        with transaction(engine) as connection:
            connection.execute(delete(tables.acousticbrainz_recording))
            connection.execute(delete(tables.audio_features))
            features_provider.choose_all(connection)
        store_all(engine, *order)
        states.append(state(engine))
    assert all(one == states[0] for one in states)
    assert tempo(engine) == {track: 60.5}
    with read_transaction(engine) as connection:
        numbers = connection.execute(select(views.acousticbrainz_features)).one()
    assert (numbers.recording_id, numbers.rhythm_submissions) == (OTHER, 2)


def test_a_merged_track_has_the_recordings_of_both(engine: Engine, store: Store) -> None:
    """The tempo is recomputed over all recordings."""
    ids = store(["a", "b"])
    store_all(engine, (ids["a"], ONE, [FAST]), (ids["b"], OTHER, [SLOW, SLOW]))
    keep, drop = sorted(ids.values())
    with transaction(engine) as connection:
        track_merging.merge_into(connection, keep, drop, "spotify", NOON)
    assert tempo(engine) == {keep: 60.5}
    with read_transaction(engine) as connection:
        rows = connection.scalars(select(tables.acousticbrainz_recording.c.recording_id)).all()
    assert sorted(rows) == [ONE, OTHER]


def test_a_track_that_is_gone_is_left_out(engine: Engine, store: Store) -> None:
    """A track may be merged or forgotten while its numbers are on the way."""
    track = store(["a"])["a"]
    assert store_all(engine, (track + 1, ONE, [FAST]), (track, ONE, [FAST])) == [0, 1]


def test_a_track_without_a_tempo_has_no_audio_features(engine: Engine, store: Store) -> None:
    """A row of nothing would say that the provider was asked for features."""
    track = store(["a"])["a"]
    store_all(engine, (track, ONE, [Submission(key=1, mode=0)]))
    assert tempo(engine) == {}


def test_what_an_import_delivered_can_be_removed(engine: Engine, store: Store) -> None:
    """What the API and the dumps delivered of the same recording stays."""
    track = store(["a"])["a"]
    source = acousticbrainz_submissions.SubmissionSource(
        "acousticbrainz", "acousticbrainz:a.tar.zst"
    )
    store_all(engine, (track, ONE, [FAST]))
    before = state(engine)
    with transaction(engine) as connection:
        acousticbrainz_submissions.store_submissions(
            connection, {(track, ONE): [SLOW] * 2}, NOON, source
        )
    assert tempo(engine) == {track: 60.5}
    with transaction(engine) as connection:
        acousticbrainz_submissions.remove_of_import(connection, [track], source, NOON)
    assert state(engine) == before

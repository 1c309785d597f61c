"""Facts about new tracks from the newest ids, exact for few tracks and estimated for many."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select

from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.fakes import NOON
from web import newest_tracks
from web.newest_tracks import any_without_request, labelled_since


@pytest.fixture
def growing(engine: Engine) -> Engine:
    """Forty tracks, one a minute; every fourth has no claim."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        for number in range(40):
            make.add_track(
                connection,
                f"Song {number}",
                [f"Band {number}"],
                genres=[rock] if number % 4 else [],
                first_seen_at=NOON + timedelta(minutes=number),
            )
    return engine


@pytest.mark.parametrize("minutes", [-1, 0, 7, 20, 38, 39, 100])
def test_few_tracks_are_counted(growing, minutes):
    expected = sum(number % 4 > 0 for number in range(40) if number > minutes)
    with read_transaction(growing) as connection:
        assert labelled_since(connection, NOON + timedelta(minutes=minutes)) == expected


@pytest.mark.parametrize("minutes", [-1, 0, 7, 20, 31])
def test_many_tracks_are_estimated_from_the_newest(growing, minutes, monkeypatch):
    """The ids are found by bisection; the share with a claim is that of the newest eight."""
    monkeypatch.setattr(newest_tracks, "SAMPLE", 8)
    with read_transaction(growing) as connection:
        estimate = labelled_since(connection, NOON + timedelta(minutes=minutes))
    assert estimate == round((39 - minutes) * 0.75)


def test_an_empty_database_has_no_new_tracks(engine):
    with read_transaction(engine) as connection:
        assert labelled_since(connection, NOON) == 0
        assert not any_without_request(connection)


@pytest.mark.parametrize(("missing", "expected"), [(0, True), (39, True), (20, False)])
def test_tracks_that_were_never_requested_are_looked_for_at_both_ends(
    growing, missing, expected, monkeypatch
):
    monkeypatch.setattr(newest_tracks, "SAMPLE", 8)
    with transaction(growing) as connection:
        ids = list(connection.scalars(select(tables.track.c.id).order_by(tables.track.c.id)))
        attempts = [
            {"track_id": track, "provider": "spotify", "attempts": 1, "outcome": "unknown"}
            for place, track in enumerate(ids)
            if place != missing
        ]
        connection.execute(insert(tables.feature_attempt), attempts)
        assert any_without_request(connection) is expected

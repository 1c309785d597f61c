"""Forgetting removes all overdue rows, nothing else, and keeps verdicts."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, select
from typer.testing import CliRunner

from collector.catalogue import feature_queue as queue
from collector.cli import app
from collector.curation import forget as forgetting
from genrebase.errors import UserError
from genrebase.store import tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import factories as make
from tests.consistency import assert_consistent
from tests.fakes import NOON, FakeClock

MONTH = timedelta(days=30)
OLD = NOON - timedelta(days=31)


@pytest.fixture
def filled(engine: Engine) -> SimpleNamespace:
    return fill(engine)


def fill(engine: Engine) -> SimpleNamespace:
    """Overdue tracks with and without a label, recent ones, and those of another origin."""
    old = {"origin": "spotify", "last_seen_at": OLD}
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        filled_tracks = SimpleNamespace(engine=engine, rock=rock, jazz=jazz, clock=FakeClock())
        filled_tracks.overdue = [
            make.add_track(
                connection, f"Old {n}", ["Ann", f"Old artist {n}"], genres=[rock, jazz], **old
            )
            for n in range(5)
        ]
        filled_tracks.labelled = make.add_track(
            connection, "Judged", ["Bob"], genres=[rock], album="A", release_year=1999,
            release_date="1999", popularity=5, explicit=True, split="test", isrc="X",
            duration_ms=1000, **old,
        )  # fmt: skip
        make.add_verdict(connection, filled_tracks.labelled, jazz)
        filled_tracks.recent = make.add_track(
            connection, "Recent", ["Ann"], genres=[jazz, rock], origin="spotify"
        )
        filled_tracks.csv = make.add_track(
            connection, "Csv", ["Dan"], genres=[rock], last_seen_at=OLD
        )
        model = make.add_model(connection)
        for number, track in enumerate(
            (*filled_tracks.overdue, filled_tracks.labelled, filled_tracks.recent)
        ):
            make.add_alias(connection, track, f"{number:022d}")
            make.add_features(connection, track, "spotify")
            make.add_features(connection, track, "reccobeats", energy=0.1)
            make.add_predictions(connection, model, track, [(rock, 0.9)])
    return filled_tracks


def forget(filled_tracks: SimpleNamespace, **more):
    return forgetting.forget(filled_tracks.engine, filled_tracks.clock, "spotify", MONTH, **more)


def ids(engine: Engine, column) -> set:
    with read_transaction(engine) as connection:
        return set(connection.scalars(select(column)))


@pytest.mark.parametrize("batch_size", [2, 5_000])
def test_overdue_tracks_are_removed(filled: SimpleNamespace, batch_size: int):
    """Tracks of the origin last seen before the limit are removed, for any batch size."""
    counted = forgetting.count_overdue(filled.engine, filled.clock, "spotify", MONTH)
    assert len(ids(filled.engine, tables.track.c.id)) == 8
    seen = []
    done = forget(filled, batch_size=batch_size, advance=seen.append)
    assert done.counts == counted.counts == seen[-1]
    forgotten = done.counts
    assert (forgotten.tracks, forgotten.kept_for_labels) == (5, 1)
    assert (forgotten.sightings, forgotten.artists) == (11, 5)
    left = {filled.labelled, filled.recent, filled.csv}
    assert ids(filled.engine, tables.track.c.id) == left
    for table in (tables.track_alias, tables.sighting, tables.audio_features, tables.prediction):
        assert ids(filled.engine, table.c.track_id) <= left
    assert ids(filled.engine, tables.artist.c.name) == {"Ann", "Bob", "Dan"}
    with read_transaction(filled.engine) as connection:
        assert_consistent(connection)
    assert forget(filled).counts == forgetting.RemovedRows()


def test_labelled_tracks_are_reduced(filled: SimpleNamespace):
    """A labelled track keeps name, credits, ids, duration and ISRC; other metadata is removed."""
    forget(filled)
    with read_transaction(filled.engine) as connection:
        row = connection.execute(
            select(views.tracks).where(views.tracks.c.track_id == filled.labelled)
        ).one()
    assert (row.title, row.artists, row.verdict, row.claim) == ("Judged", "Bob", "jazz", None)
    assert (row.isrc, row.duration_ms, row.spotify_id) == ("X", 1000, f"{5:022d}")
    blank = ("album", "release_date", "release_year", "popularity", "explicit", "split")
    assert [getattr(row, name) for name in blank] == [None] * len(blank)
    assert (row.provider, row.energy, row.genres_sighted) == ("reccobeats", 0.1, 0)
    assert row.updated_at == filled.clock.now()
    assert filled.labelled not in ids(filled.engine, tables.prediction.c.track_id)


def test_forgotten_features_are_not_fetched_again(filled: SimpleNamespace):
    """The queue does not fetch removed features from the same origin."""
    with transaction(filled.engine) as connection:
        features = tables.audio_features
        connection.execute(features.delete().where(features.c.provider == "reccobeats"))
    forget(filled)
    with read_transaction(filled.engine) as connection:
        due = connection.scalars(
            queue.queue_of("spotify").next_due(filled.clock.now(), limit=10)
        ).all()
        others = connection.scalars(
            queue.queue_of("reccobeats").next_due(filled.clock.now(), limit=10)
        ).all()
    assert due == []
    assert others == [filled.labelled]


def test_ties_are_settled_again(engine: Engine):
    """When forgetting changes which genre has fewer sightings, tied tracks change their claim."""
    old = {"origin": "spotify", "last_seen_at": OLD}
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        for n in range(3):
            make.add_track(connection, f"Rock {n}", genres=[rock], **old)
        for n in range(2):
            make.add_track(connection, f"Jazz {n}", genres=[jazz])
        tied = make.add_track(connection, "Tied", genres=[jazz], claim_tied=True)
        make.add_sighting(connection, tied, rock)
        assert_consistent(connection)
    forgetting.forget(engine, FakeClock(), "spotify", MONTH)
    with read_transaction(engine) as connection:
        assert_consistent(connection)
        claimed = select(tables.track.c.genre_id).where(tables.track.c.id == tied)
        assert connection.scalar(claimed) == rock


def test_a_stopped_run_resumes(filled: SimpleNamespace):
    """A stop ends the run between batches; the next run removes the rest."""
    stops = iter([False, True])
    first = forget(filled, batch_size=2, stop_requested=lambda: next(stops))
    assert (first.stopped, first.counts.tracks) == (True, 2)
    with read_transaction(filled.engine) as connection:
        assert_consistent(connection)
    assert forget(filled).counts.tracks == 3


@pytest.mark.parametrize(("text", "age"), [("30d", 30), (" 2W ", 14), ("48h", 2), ("0d", 0)])
def test_an_age_is_read(text: str, age: int):
    assert forgetting.parse_age(text) == timedelta(days=age)


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 months", "9999999d"])
def test_an_invalid_age_is_refused(text: str):
    """A typing error must not remove everything."""
    with pytest.raises(UserError, match="30d"):
        forgetting.parse_age(text)


def test_an_unknown_origin_is_refused(filled: SimpleNamespace):
    """The origins there are, are named; in an empty database there is nothing to forget."""
    with pytest.raises(UserError, match=r"csv:test\.csv, spotify"):
        forgetting.forget(filled.engine, filled.clock, "Spotify", MONTH)


def test_the_command(sqlite_url: str, monkeypatch: pytest.MonkeyPatch):
    """One JSON document; `--dry-run` touches nothing."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    engine = make_engine(sqlite_url)
    arguments = ["forget", "--origin", "spotify", "--older-than", "0d", "--json"]
    assert invoke(*arguments)["tracks"] == 0
    fill(engine)
    dry = invoke(*arguments, "--dry-run")
    assert (dry["tracks"], dry["kept_for_labels"], dry["dry_run"]) == (6, 1, True)
    assert len(ids(engine, tables.track.c.id)) == 8
    done = invoke(*arguments)
    assert {**done, "before": None} == {**dry, "before": None, "dry_run": False}
    assert len(ids(engine, tables.track.c.id)) == 2
    engine.dispose()


def invoke(*arguments: str) -> dict:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)

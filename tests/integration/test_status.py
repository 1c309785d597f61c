"""The status of the harvest, on both databases."""

import re
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import insert

from collector.catalogue import status_counts, tracks
from collector.curation import genres
from collector.monitoring.metrics import HarvesterHealth
from collector.monitoring.status import active_ban_messages, read_status
from collector.records import (
    ArtistCredit,
    AudioFeatures,
    Provenance,
    SourceTrack,
    TrackObservation,
)
from genrebase.digests import refresh
from genrebase.runtime.jobs import job_run
from genrebase.runtime.monitoring import render_metrics
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import catalogue_of_all_kinds
from tests import factories as make
from tests.database_states import once
from tests.fakes import NOON, SPOTIFY_LIMITS, FakeClock
from tests.query_plans import recording


def metrics(engine, clock):
    """Return what a monitor reads, by name and labels."""
    text = render_metrics(HarvesterHealth(engine, clock)).decode()
    return dict(re.findall(r"^(genrebase_\S+) (\S+)$", text, re.MULTILINE))


def source_track(title, features=None):
    return SourceTrack("spotify", title, title, (ArtistCredit("Artist"),), features=features)


def budget(source, credential, requests, blocked_until=None):
    return {
        "source": source,
        "credential": credential,
        "requests": requests,
        "interval": 0.5,
        "blocked_until": None if blocked_until is None else blocked_until.timestamp(),
        "blocked_reason": None if blocked_until is None else "429",
        "capabilities": {},
    }


def test_an_empty_database(engine):
    """The status has no tracks, bans or runs."""
    status = read_status(engine, FakeClock(), [SPOTIFY_LIMITS])
    assert (status.tracks, status.sightings, status.requests, status.genres) == (0, 0, 0, [])
    assert (status.blocked_until, status.origin, status.last_runs) == (None, None, [])


def test_everything_is_counted(engine):
    """Per genre: tracks that count for it, sightings under it, tracks with features."""
    genres.add(engine, FakeClock(), "rock", 10)
    seen = [
        TrackObservation(source_track("a", AudioFeatures(tempo=120.0)), "rock", 0),
        TrackObservation(source_track("b"), "rock", 1),
        TrackObservation(source_track("b"), "pop", 0),
        TrackObservation(source_track("c"), None, 0),
    ]
    with transaction(engine) as connection:
        tracks.record(connection, seen, Provenance("spotify", "spotify"), NOON)
    status = read_status(engine, FakeClock(), [SPOTIFY_LIMITS])
    assert (status.tracks, status.sightings, status.with_features) == (3, 3, 1)
    assert (status.unlabelled, status.artists) == (1, 1)
    assert [
        (one.name, one.target, one.tracks, one.sightings, one.with_features)
        for one in status.genres
    ] == [("pop", None, 1, 1, 0), ("rock", 10, 1, 2, 1)]


def test_only_a_ban_on_a_harvested_source_blocks(engine):
    """The latest end counts; expired bans and those of feature providers do not."""
    genres.add(engine, FakeClock(), "rock", 10)
    later = NOON + timedelta(hours=2)
    with transaction(engine) as connection:
        connection.execute(
            insert(tables.source_budget),
            [
                budget("spotify", "one", 5, NOON + timedelta(hours=1)),
                budget("spotify", "two", 7, later),
                budget("reccobeats", "", 3, later + timedelta(days=1)),
            ],
        )
        genre_id = genres.genres.ids_by_name(connection)["rock"]
        connection.execute(
            insert(tables.shard).values(
                genre_id=genre_id,
                source="spotify",
                query="rock",
                year_from=0,
                year_to=9999,
                created_at=NOON,
            )
        )
    status = read_status(engine, FakeClock(), [SPOTIFY_LIMITS])
    assert (status.requests, status.blocked_until) == (15, later)
    assert {one.source: one.blocked_until for one in status.sources} == {
        "spotify": later,
        "reccobeats": later + timedelta(days=1),
    }
    assert (
        read_status(engine, FakeClock(NOON + timedelta(days=9)), [SPOTIFY_LIMITS]).blocked_until
        is None
    )


def test_an_active_ban_has_a_message(engine):
    """`collector run` prints it when it starts during a ban."""
    until = NOON + timedelta(hours=7)
    with transaction(engine) as connection:
        connection.execute(
            insert(tables.source_budget), [budget("spotify", "one", 5, blocked_until=until)]
        )
    assert active_ban_messages(engine, FakeClock()) == [
        "spotify is blocked until 2026-01-01 19:00:00 UTC (429)."
    ]
    assert active_ban_messages(engine, FakeClock(until + timedelta(seconds=1))) == []


def test_a_synthetic_catalogue_is_marked(engine):
    """Its origin is part of the status."""
    with transaction(engine) as connection:
        connection.execute(
            insert(tables.catalogue_origin).values(
                kind="synthetic", detail="seed 7", recorded_at=NOON
            )
        )
    status = read_status(engine, FakeClock(), [SPOTIFY_LIMITS])
    assert status.invented
    assert "seed 7" in status.origin


def test_the_last_run_of_every_job(engine):
    """Each job has its last run, without internal facts."""
    clock = FakeClock()
    for rows in (1, 2):
        with job_run(engine, clock, "import") as run:
            run.set_facts(rows=rows)
        clock.advance(60)
    status = read_status(engine, clock, [SPOTIFY_LIMITS])
    assert [(run.job, run.outcome, run.counts) for run in status.last_runs] == [
        ("import", "done", {"rows": 2})
    ]


def test_a_run_of_an_ended_process_is_interrupted(engine):
    """A killed process is detected on its own host; one on another host may still run."""
    current = ProcessIdentity.current()
    dead, elsewhere = ProcessIdentity(current.host, current.pid, "born before"), "elsewhere:1:born"
    with transaction(engine) as connection:
        for job, process in (("harvest", dead), ("import", elsewhere)):
            run = {"job": job, "started_at": NOON, "counts": {"process": str(process)}}
            connection.execute(insert(tables.job_run).values(run))
    status = {run.job: run for run in read_status(engine, FakeClock(), [SPOTIFY_LIMITS]).last_runs}
    assert (status["harvest"].outcome, status["import"].outcome) == ("interrupted", "running")
    assert "without recording" in status["harvest"].error


def with_digests(engine):
    """Fill a database, and refresh its digests; return the clock."""
    clock = FakeClock(NOON + timedelta(days=10))

    def fill_and_refresh():
        catalogue_of_all_kinds.fill(engine, 60)
        refresh.refresh(engine, clock)

    once(engine, with_digests, fill_and_refresh)
    return clock


def test_current_digests_answer(engine):
    """Their counts equal those counted now; after a change tracks are counted again."""
    clock = with_digests(engine)
    counted = read_status(engine, clock, [SPOTIFY_LIMITS], live=True)
    stored = read_status(engine, clock, [SPOTIFY_LIMITS])
    assert stored.as_of == clock.now()
    assert counted.as_of is None
    assert replace(stored, as_of=None) == counted
    with transaction(engine) as connection:
        make.add_job_run(connection, "import", at=clock.now() + timedelta(days=1))
    assert read_status(engine, clock, [SPOTIFY_LIMITS]).as_of is None


def test_a_large_catalogue_is_counted_by_digests(engine, monkeypatch):
    """Also after a change, for a day; the counters of the genres are those of now."""
    clock = with_digests(engine)
    before = read_status(engine, clock, [SPOTIFY_LIMITS])
    monkeypatch.setattr(status_counts, "SMALL", 10)
    clock.advance(3600)
    seen = [TrackObservation(source_track("new", AudioFeatures(tempo=120.0)), "rock", 0)]
    with transaction(engine) as connection:
        tracks.record(connection, seen, Provenance("spotify", "spotify"), clock.now())
        make.add_job_run(connection, "harvest", at=clock.now())
    status = read_status(engine, clock, [SPOTIFY_LIMITS])
    assert (status.as_of, status.is_current) == (before.as_of, False)
    assert status.tracks == before.tracks + 1
    assert status.with_features == before.with_features
    assert (
        read_status(engine, clock, [SPOTIFY_LIMITS], live=True).with_features
        == before.with_features + 1
    )
    values = metrics(engine, clock)
    assert float(values["genrebase_counts_age_seconds"]) == 3600
    assert float(values["genrebase_tracks"]) == status.tracks
    clock.advance(24 * 3600)
    assert read_status(engine, clock, [SPOTIFY_LIMITS]).as_of is None
    assert float(metrics(engine, clock)["genrebase_counts_age_seconds"]) == 0


def test_no_table_of_tracks_is_counted_for_metrics(engine, monkeypatch):
    """They are read every few seconds."""
    clock = with_digests(engine)
    monkeypatch.setattr(status_counts, "SMALL", 10)
    with transaction(engine) as connection:
        make.add_job_run(connection, "harvest", at=clock.now())
    with recording(engine) as recorded:
        metrics(engine, clock)
    counting = re.compile(r"count\(.*FROM (track|artist|audio_features)\b", re.DOTALL)
    assert not list(filter(counting.search, recorded.texts))
    with recording(engine) as recorded, read_transaction(engine) as connection:
        status_counts.totals(connection)
    assert list(filter(counting.search, recorded.texts))

"""How far the harvest is, on both databases."""

from datetime import timedelta

from sqlalchemy import insert

from collector.catalogue import tracks
from collector.curation import genres
from collector.monitoring.status import active_ban_messages, read_status
from collector.records import (
    ArtistCredit,
    AudioFeatures,
    Provenance,
    SourceTrack,
    TrackObservation,
)
from genrebase.runtime.jobs import job_run
from genrebase.runtime.processes import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.fakes import NOON, FakeClock


def found(title, features=None):
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
    """Nothing is there, nothing is blocked, nothing ran."""
    shown = read_status(engine, FakeClock())
    assert (shown.tracks, shown.sightings, shown.requests, shown.genres) == (0, 0, 0, [])
    assert (shown.blocked_until, shown.origin, shown.last_runs) == (None, None, [])


def test_everything_is_counted(engine):
    """Per genre: tracks that count for it, sightings under it, tracks with features."""
    genres.add(engine, FakeClock(), "rock", 10)
    seen = [
        TrackObservation(found("a", AudioFeatures(tempo=120.0)), "rock", 0),
        TrackObservation(found("b"), "rock", 1),
        TrackObservation(found("b"), "pop", 0),
        TrackObservation(found("c"), None, 0),
    ]
    with transaction(engine) as connection:
        tracks.record(connection, seen, Provenance("spotify", "spotify"), NOON)
    shown = read_status(engine, FakeClock())
    assert (shown.tracks, shown.sightings, shown.with_features) == (3, 3, 1)
    assert (shown.unlabelled, shown.artists) == (1, 1)
    assert [
        (one.name, one.target, one.tracks, one.sightings, one.with_features)
        for one in shown.genres
    ] == [("pop", None, 1, 1, 0), ("rock", 10, 1, 2, 1)]


def test_only_a_ban_on_what_is_harvested_blocks(engine):
    """The latest end counts; bans that are over and those of feature providers do not."""
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
    shown = read_status(engine, FakeClock())
    assert (shown.requests, shown.blocked_until) == (15, later)
    assert {one.source: one.blocked_until for one in shown.sources} == {
        "spotify": later,
        "reccobeats": later + timedelta(days=1),
    }
    assert read_status(engine, FakeClock(NOON + timedelta(days=9))).blocked_until is None


def test_a_ban_is_a_sentence_until_it_ends(engine):
    """What `collector run` says where it starts inside one, and why nothing happens."""
    until = NOON + timedelta(hours=7)
    with transaction(engine) as connection:
        connection.execute(
            insert(tables.source_budget), [budget("spotify", "one", 5, blocked_until=until)]
        )
    assert active_ban_messages(engine, FakeClock()) == [
        "spotify is blocked until 2026-01-01 19:00:00 UTC (429)."
    ]
    assert active_ban_messages(engine, FakeClock(until + timedelta(seconds=1))) == []


def test_an_invented_catalogue_says_so(engine):
    """Nobody takes the sandbox's music for real."""
    with transaction(engine) as connection:
        connection.execute(
            insert(tables.catalogue_origin).values(
                kind="synthetic", detail="seed 7", recorded_at=NOON
            )
        )
    shown = read_status(engine, FakeClock())
    assert shown.invented
    assert "seed 7" in shown.origin


def test_the_last_run_of_every_job(engine):
    """The truth about what ran, and nothing about how it is kept."""
    clock = FakeClock()
    for rows in (1, 2):
        with job_run(engine, clock, "import") as run:
            run.set_facts(rows=rows)
        clock.advance(60)
    shown = read_status(engine, clock)
    assert [(run.job, run.outcome, run.counts) for run in shown.last_runs] == [
        ("import", "done", {"rows": 2})
    ]


def test_a_run_whose_process_is_dead_does_not_run(engine):
    """After a SIGKILL nobody need run the job to see that; one elsewhere may still live."""
    current = ProcessIdentity.current()
    dead, elsewhere = ProcessIdentity(current.host, current.pid, "born before"), "elsewhere:1:born"
    with transaction(engine) as connection:
        for job, process in (("harvest", dead), ("import", elsewhere)):
            run = {"job": job, "started_at": NOON, "counts": {"process": str(process)}}
            connection.execute(insert(tables.job_run).values(run))
    shown = {run.job: run for run in read_status(engine, FakeClock()).last_runs}
    assert (shown["harvest"].outcome, shown["import"].outcome) == ("interrupted", "running")
    assert "without recording" in shown["harvest"].error

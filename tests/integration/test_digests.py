"""Digests: equal to the live views, stored at once, refreshed when due, on both engines."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, delete, func, select, text
from typer.testing import CliRunner

from collector.catalogue import deletion
from collector.cli import app as collector
from collector.curation import forget, genres, licences, mappings, verdicts
from genrebase import digests
from genrebase.cli import app as genrebase
from genrebase.digests import DIGESTS, WHOLE, Digest, compute, refresh, store
from genrebase.digests.definitions import OF_PREDICTIONS
from genrebase.digests.refresh import DigestRefresh
from genrebase.errors import NothingToDo, UserError
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.jobs import job_run, last_run, mark_service_process
from genrebase.store import search_index, tables, views
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests import catalogue_of_all_kinds
from tests import factories as make
from tests.database_states import once
from tests.fakes import NOON, FakeClock

HOUR = 3600.0
AFTER_VERDICTS = NOON + timedelta(days=9)
"""After those of the catalogue of all kinds."""


def live_rows(connection: Connection, digest: Digest) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of the live view under each key, in the digest's order."""
    query = select(views.ALL[digest.view].table)
    if digest.condition:
        query = query.where(text(digest.condition))
    rows = [dict(row) for row in connection.execute(query).mappings()]
    for name, *direction in map(str.split, reversed(digest.order.split(", "))):
        rows.sort(key=lambda row: row[name], reverse=direction == ["DESC"])
    by_key: dict[str, list[dict[str, Any]]] = {} if digest.keys else {WHOLE: []}
    for row in rows:
        for key in [row[name] for name in digest.keys] or [WHOLE]:
            by_key.setdefault(key, []).append(row)
    return {key: found[: digest.limit] for key, found in by_key.items()}


def stored_rows(connection: Connection, digest: Digest) -> dict[str, list[dict[str, Any]]]:
    """Return the stored rows under each key that a digest has."""
    table = tables.digest
    keys = connection.scalars(select(table.c.key).where(table.c.view == digest.view)).all()
    stored = {key: digests.read(connection, digest.view, key) for key in keys}
    return {
        key: one.as_dicts()
        for key, one in stored.items()
        if one is not None and (key != WHOLE) == bool(digest.keys)
    }


def refreshed_at(engine: Engine, moment: datetime, tracks: int) -> tuple[FakeClock, DigestRefresh]:
    """Fill a database with so many tracks of all kinds, and refresh its digests at that time."""
    clock = FakeClock(moment)

    def fill_and_refresh() -> DigestRefresh:
        if tracks:
            catalogue_of_all_kinds.fill(engine, tracks)
        return refresh.refresh(engine, clock)

    return clock, once(engine, (__name__, moment, tracks), fill_and_refresh)


@pytest.fixture(params=[150, 0], ids=["filled", "empty"])
def refreshed(request: pytest.FixtureRequest, engine: Engine) -> Engine:
    """Return a database of all kinds of tracks, and an empty one, with digests."""
    if request.param:
        catalogue_of_all_kinds.fill(engine, request.param)
    refresh.refresh(engine, SystemClock())
    return engine


def test_digests_equal_the_live_views(refreshed: Engine):
    """Every digest has the rows of its view, to the last digit, in its order."""
    with read_transaction(refreshed) as connection:
        for digest in DIGESTS:
            assert stored_rows(connection, digest) == live_rows(connection, digest), digest.view


def test_every_kind_is_compared(sqlite_engine: Engine):
    """The catalogue of the test above has rows for every digest, and more than their limits."""
    catalogue_of_all_kinds.fill(sqlite_engine)
    with read_transaction(sqlite_engine) as connection:
        for digest in DIGESTS:
            assert any(live_rows(connection, digest).values()), digest.view


def test_candidates_and_disputes_are_limited(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """Of more rows than the limit, the first ones are stored; equal probabilities go by track."""
    few = tuple(
        Digest(one.view, one.order, one.keys, one.limit and 3, one.condition, one.names_tracks)
        for one in DIGESTS
    )
    monkeypatch.setattr(compute, "DIGESTS", few)
    catalogue_of_all_kinds.fill(engine)
    refresh.refresh(engine, SystemClock())
    with read_transaction(engine) as connection:
        for digest in few:
            assert stored_rows(connection, digest) == live_rows(connection, digest), digest.view


def test_every_order_is_total(sqlite_engine: Engine):
    """No two rows are equal in all columns that a digest is ordered by."""
    catalogue_of_all_kinds.fill(sqlite_engine)
    with read_transaction(sqlite_engine) as connection:
        for digest in DIGESTS:
            if digest.condition is None:
                rows = connection.execute(select(views.ALL[digest.view].table)).mappings().all()
                names = [column.split()[0] for column in digest.order.split(", ")]
                keys = [tuple(row[name] for name in names) for row in rows]
                assert len(set(keys)) == len(keys), digest.view


def test_a_digest_is_read_with_its_time(engine: Engine):
    """The view `digests` lists them; an unknown key has none; times are times again."""
    _, done = refreshed_at(engine, NOON, 150)
    with read_transaction(engine) as connection:
        disputes = digests.read(connection, "label_disputes")
        assert disputes is not None
        assert disputes.as_of == done.as_of == NOON
        assert disputes.as_dicts()[0]["predicted_at"] == NOON
        assert digests.read(connection, "genre_profiles", "no such genre") is None
        listed = connection.execute(select(views.digests)).mappings().all()
    stored = {one.view: one.rows for one in done.views if one.documents}
    rows: dict[str, int] = dict.fromkeys(stored, 0)
    for row in listed:
        assert row["as_of"] == NOON
        rows[row["view"]] += row["rows"]
    assert rows == stored


@pytest.mark.parametrize("job", ["harvest", "import", "train", "train moods (refit)", "predict"])
def test_a_later_job_makes_them_outdated(engine: Engine, job: str):
    """A job that ended later, or is running, may have changed the rows."""
    refreshed_at(engine, NOON, 0)

    def is_current() -> bool:
        with read_transaction(engine) as connection:
            stored = digests.read(connection, "catalogue_counts")
            assert stored is not None
            return stored.is_current

    assert is_current()
    with transaction(engine) as connection:
        make.add_job_run(connection, job, "nothing_new", NOON + timedelta(hours=1))
        make.add_job_run(connection, "compare", "done", NOON + timedelta(hours=1))
    assert is_current()
    with transaction(engine) as connection:
        running = make.add_job_run(connection, job, "running", NOON - timedelta(hours=1))
    assert not is_current()
    with transaction(engine) as connection:
        connection.execute(delete(tables.job_run).where(tables.job_run.c.id == running))
        make.add_job_run(connection, job, "failed", NOON + timedelta(hours=1))
    assert not is_current()


def test_a_verdict_makes_them_outdated(engine: Engine):
    """Verdicts are no job, but change labels."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        track = make.add_track(connection, "Song", genres=[rock])
    refresh.refresh(engine, FakeClock())
    with transaction(engine) as connection:
        assert not store.changed_since(connection, NOON)
        make.add_verdict(connection, track, rock, at=NOON + timedelta(seconds=1))
        assert store.changed_since(connection, NOON)


def times_of(engine: Engine) -> dict[str, set[Any]]:
    """Return the times of the stored digests of each view."""
    table, times = tables.digest, {}
    with read_transaction(engine) as connection:
        for view, moment in connection.execute(select(table.c.view, table.c.as_of)):
            times.setdefault(view, set()).add(moment)
    return times


def add_job(engine: Engine, clock: FakeClock, job: str) -> None:
    with transaction(engine) as connection:
        make.add_job_run(connection, job, "done", clock.now())


def test_predictions_are_read_only_if_they_changed(engine: Engine):
    """After a harvest their digests stay, with their time; all others are new."""
    clock, _ = refreshed_at(engine, AFTER_VERDICTS, 150)
    clock.advance(HOUR)
    add_job(engine, clock, "harvest")
    refresh.refresh_if_due(engine, clock, 1.0)
    harvested = clock.now()
    assert times_of(engine) == {
        one.view: {AFTER_VERDICTS if one.view in OF_PREDICTIONS else harvested} for one in DIGESTS
    }
    with read_transaction(engine) as connection:
        for digest in DIGESTS:
            assert stored_rows(connection, digest) == live_rows(connection, digest), digest.view
        counts = digests.read(connection, "catalogue_counts")
        disputes = digests.read(connection, "label_disputes")
        assert counts is not None
        assert disputes is not None
        assert (counts.is_current, disputes.is_current) == (True, False)
    clock.advance(HOUR)
    add_job(engine, clock, "predict")
    refresh.refresh_if_due(engine, clock, 1.0)
    assert times_of(engine) == {one.view: {clock.now()} for one in DIGESTS}


@pytest.mark.parametrize("change", ["day", "verdict", "deletion", "discarded", "everything"])
def test_digests_of_predictions_are_kept_for_a_day_at_most(engine: Engine, change: str):
    """Also not after a verdict, or where one is missing or names a track that is gone."""
    clock, _ = refreshed_at(engine, AFTER_VERDICTS, 150)
    clock.advance(25 * HOUR if change == "day" else HOUR)
    add_job(engine, clock, "harvest")
    with transaction(engine) as connection:
        assert bool(store.reusable(connection, clock.now())) == (change != "day")
        (track,) = connection.scalars(select(views.label_disputes.c.track_id).limit(1)).all()
        if change == "verdict":
            genre = connection.scalar(select(tables.genre.c.id).limit(1))
            assert genre is not None
            make.add_verdict(connection, track, genre, at=clock.now())
        elif change == "deletion":
            deletion.delete_tracks(connection, [track])
        elif change == "discarded":
            store.discard(connection, views_named=["dispute_counts"])
    refresh.refresh(engine, clock, everything=change == "everything")
    assert times_of(engine) == {one.view: {clock.now()} for one in DIGESTS}


def refreshes(engine: Engine) -> int:
    with read_transaction(engine) as connection:
        query = select(func.count()).where(tables.job_run.c.job == refresh.JOB)
        return int(connection.scalar(query) or 0)


def test_refreshes_are_coalesced(sqlite_engine: Engine):
    """They are refreshed when something changed, and not again before the interval has passed."""
    clock = FakeClock()
    refresh.refresh_if_due(sqlite_engine, clock, HOUR)
    assert refreshes(sqlite_engine) == 0  # nothing was ever stored
    with transaction(sqlite_engine) as connection:
        make.add_genre(connection, "rock")
    refresh.refresh_if_due(sqlite_engine, clock, HOUR)
    assert refreshes(sqlite_engine) == 1
    clock.advance(2 * HOUR)
    refresh.refresh_if_due(sqlite_engine, clock, HOUR)
    assert refreshes(sqlite_engine) == 1  # nothing changed
    with transaction(sqlite_engine) as connection:
        make.add_job_run(connection, "import", at=clock.now())
    refresh.refresh_if_due(sqlite_engine, clock, HOUR)
    assert refreshes(sqlite_engine) == 2
    with transaction(sqlite_engine) as connection:
        make.add_job_run(connection, "import", at=clock.now() + timedelta(seconds=1))
        slow = {"started_at": clock.now() - timedelta(seconds=HOUR / 10)}
        connection.execute(
            tables.job_run.update().where(tables.job_run.c.job == refresh.JOB).values(slow)
        )
    refresh.refresh_if_due(sqlite_engine, clock, HOUR)
    assert refreshes(sqlite_engine) == 2  # the last one took six minutes
    clock.advance(HOUR)
    refresh.refresh_if_due(sqlite_engine, clock, HOUR)
    assert refreshes(sqlite_engine) == 3


def test_a_failed_refresh_fails_nothing_else(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """The block's result and the earlier digests stay; the run is recorded as failed."""
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "60")
    clock = SystemClock()
    refresh.refresh(sqlite_engine, clock)
    with job_run(sqlite_engine, clock, "harvest"):
        pass

    def fail(*_: object) -> None:
        raise MemoryError("no memory")

    monkeypatch.setattr(compute, "compute", fail)
    with refresh.refreshed_after(sqlite_engine, FakeClock(clock.now() + timedelta(hours=1))):
        pass
    run = last_run(sqlite_engine, refresh.JOB)
    assert run is not None
    assert run.outcome == "failed"
    with read_transaction(sqlite_engine) as connection:
        assert digests.read(connection, "catalogue_counts") is not None


def test_commands_refresh_also_when_they_fail(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """Not after Ctrl-C or a requested stop, and not if the setting is 0."""
    with transaction(sqlite_engine) as connection:
        make.add_genre(connection, "rock")
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "60")
    with pytest.raises(KeyboardInterrupt), refresh.refreshed_after(sqlite_engine, SystemClock()):
        raise KeyboardInterrupt
    with refresh.refreshed_after(sqlite_engine, SystemClock(), lambda: True):
        pass
    assert refreshes(sqlite_engine) == 0
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "0")
    with refresh.refreshed_after(sqlite_engine, SystemClock()):
        pass
    assert refresh.daemon_jobs(sqlite_engine, SystemClock()) == []
    assert refreshes(sqlite_engine) == 0
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "60")
    with pytest.raises(ValueError), refresh.refreshed_after(sqlite_engine, SystemClock()):  # noqa: PT011 - any error
        raise ValueError
    assert refreshes(sqlite_engine) == 1


def test_a_refused_command_refreshes_nothing(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """It changed nothing, and promises that it did not."""
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "60")
    for error in (UserError("no"), NothingToDo("nothing")):
        with pytest.raises(type(error)), refresh.refreshed_after(sqlite_engine, SystemClock()):
            raise error
    assert refreshes(sqlite_engine) == 0


def test_daemons_refresh_by_a_job_of_their_own(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """A daemon's subprocesses leave it to the job `digests`."""
    with transaction(sqlite_engine) as connection:
        make.add_genre(connection, "rock")
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "60")
    monkeypatch.setattr("genrebase.runtime.jobs._in_service", False)
    mark_service_process()
    with refresh.refreshed_after(sqlite_engine, SystemClock()):
        pass
    assert refreshes(sqlite_engine) == 0
    with transaction(sqlite_engine) as connection:
        make.add_track(connection, "Song")
    index, digests = refresh.daemon_jobs(sqlite_engine, SystemClock())
    digests.run()
    assert refreshes(sqlite_engine) == 1
    index.run()
    with read_transaction(sqlite_engine) as connection:
        assert search_index.count_due(connection, 1) == 0


def test_forget_discards_what_names_tracks(engine: Engine):
    """No digest names a forgotten track; the others stay until they are refreshed."""
    clock, _ = refreshed_at(engine, NOON, 150)
    clock.advance(30 * 24 * HOUR)
    forget.forget(engine, clock, "spotify", timedelta(days=1))
    with read_transaction(engine) as connection:
        stored = connection.execute(select(tables.digest.c.view).distinct()).scalars().all()
    assert "genre_profiles" in stored
    assert {one.view for one in DIGESTS if one.names_tracks}.isdisjoint(stored)


@pytest.mark.parametrize(
    ("change", "discarded"),
    [
        (lambda engine: genres.set_target(engine, "rock", 5), {"genre_progress"}),
        (lambda engine: genres.rename(engine, "empty", "full"), {one.view for one in DIGESTS}),
        (lambda engine: genres.remove(engine, "empty"), {one.view for one in DIGESTS}),
    ],
    ids=["target", "rename", "remove"],
)
def test_changed_genres_discard_digests(sqlite_engine: Engine, change: Any, discarded: set[str]):
    """No digest has a genre's old name or target; the next check computes them again."""
    clock, _ = refreshed_at(sqlite_engine, NOON + timedelta(days=1), 60)
    change(sqlite_engine)
    with read_transaction(sqlite_engine) as connection:
        stored = set(connection.scalars(select(tables.digest.c.view)))
        assert stored == {one.view for one in DIGESTS} - discarded
    clock.advance(2 * HOUR)
    refresh.refresh_if_due(sqlite_engine, clock, HOUR)
    assert refreshes(sqlite_engine) == 2


def import_verdict(engine: Engine, folder: Path) -> None:
    file = folder / "verdicts.csv"
    file.write_text("track,genre,by,at\n1,rock,Bo,2001-01-01\n", encoding="utf-8")
    assert verdicts.import_labels(engine, FakeClock(), file).labelled == 1


def define_mapping(engine: Engine, folder: Path) -> None:
    file = folder / "mapping.csv"
    file.write_text("fine,broad\nrock,guitars\n", encoding="utf-8")
    mappings.define(engine, "broad", file)


@pytest.mark.parametrize(
    ("change", "discarded"),
    [
        (lambda engine, _: verdicts.remove(engine, "1"), "catalogue_counts"),
        (import_verdict, "catalogue_counts"),
        (define_mapping, "genre_mappings"),
        (lambda engine, files: mappings.remove(engine, "broad"), "genre_mappings"),
        (
            lambda engine, _: licences.set_licence(engine, "csv:test.csv", "CC0-1.0"),
            "data_sources",
        ),
    ],
    ids=["verdict removed", "verdict imported", "mapping", "mapping removed", "licence"],
)
def test_changes_without_a_time_discard_a_digest(
    engine: Engine, tmp_path: Path, change: Any, discarded: str
):
    """Digests are refreshed after changes that leave no time in the database."""
    clock = FakeClock(NOON + timedelta(days=1))

    def fill_and_refresh() -> None:
        with transaction(engine) as connection:
            rock = make.add_genre(connection, "rock")
            track = make.add_track(connection, "Song", genres=[rock])
            make.add_alias(connection, track, "a1", "csv:test.csv")
            make.add_verdict(connection, track, rock, "Ada", NOON - timedelta(days=1))
        define_mapping(engine, tmp_path)
        refresh.refresh(engine, clock)

    once(engine, test_changes_without_a_time_discard_a_digest, fill_and_refresh)
    change(engine, tmp_path)
    with read_transaction(engine) as connection:
        stored = set(connection.scalars(select(tables.digest.c.view)))
        assert discarded not in stored
        assert "genre_progress" in stored
        progress = digests.read(connection, "genre_progress")
        assert progress is not None
        assert not progress.is_current
    clock.advance(2 * HOUR)
    refresh.refresh_if_due(engine, clock, HOUR)
    assert refreshes(engine) == 2


def test_commands(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An import refreshes the digests; `genrebase digests` prints one JSON document."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.setenv("GENREBASE_DIGESTS_EVERY", "600")
    file = tmp_path / "tracks.csv"
    file.write_text("track_name,artists,genre\nSong,Ann,rock\nOther,Bob,jazz\n", encoding="utf-8")
    invoke(collector, "import", str(file))
    engine = make_engine(sqlite_url)
    with read_transaction(engine) as connection:
        stored = digests.read(connection, "catalogue_counts")
        assert stored is not None
        assert (stored.as_dicts()[0]["tracks"], stored.is_current) == (2, True)
    document = json.loads(invoke(genrebase, "digests", "--json"))
    assert {one["view"] for one in document["views"]} == {one.view for one in DIGESTS}
    assert "genre_profiles" in invoke(genrebase, "digests")
    engine.dispose()


def invoke(app: Any, *arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_a_track_deleted_meanwhile_is_not_stored(engine: Engine):
    """A computation that read a track before it was forgotten does not bring its name back."""
    catalogue_of_all_kinds.fill(engine)
    computed = compute.compute(engine, SystemClock(), 1)
    documents = {one.view: one.documents for one in computed.views}
    named = {row[0] for row in documents["label_disputes"][WHOLE]}
    gone = min(named)
    with transaction(engine) as connection:
        connection.execute(delete(tables.verdict).where(tables.verdict.c.track_id == gone))
        connection.execute(delete(tables.track).where(tables.track.c.id == gone))
        store.replace(connection, documents, NOON)
        stored: Sequence[dict[str, Any]] = digests.read(connection, "label_disputes").as_dicts()
    assert {row["track_id"] for row in stored} == named - {gone}

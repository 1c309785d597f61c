"""Every view, on both engines: documented column by column, and right in edge cases."""

import math
from datetime import timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, Table, inspect, select, text, update
from sqlalchemy.types import NullType

from genrebase.store import tables, views
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.fakes import NOON


@pytest.fixture
def filled(engine: Engine) -> SimpleNamespace:
    """A small database with every edge case, and the ids of its rows."""
    with transaction(engine) as connection:
        rock, jazz, empty = (make.add_genre(connection, name) for name in ("rock", "jazz", "r&b"))
        database = SimpleNamespace(engine=engine, rock=rock, jazz=jazz, empty=empty)
        database.plain = make.add_track(
            connection, "Plain", ["Ann", "Bob"], genres=[rock], isrc="QM1", release_year=1999
        )
        database.both = make.add_track(connection, "Both", genres=[jazz, rock])
        database.bare = make.add_track(connection, "Bare", ["Solo"])
        database.judged = make.add_track(connection, "Judged", genres=[rock])
        database.only_judged = make.add_track(connection, "Only judged")
        make.add_alias(connection, database.plain, "b" * 22)
        make.add_alias(connection, database.plain, "a" * 22)
        make.add_alias(connection, database.plain, "0" * 22, source="name")
        make.add_features(connection, database.plain, "reccobeats", energy=0.1)
        make.add_features(connection, database.plain, "csv", energy=0.9, key=None)
        make.add_features(connection, database.both, "zither", energy=0.3)
        make.add_features(connection, database.both, "abacus", energy=0.2)
        make.add_features(
            connection, database.judged, "audio", energy=0.4, fetched_at=NOON + timedelta(days=1)
        )
        make.add_verdict(connection, database.judged, rock, "Zoe")
        make.add_verdict(connection, database.judged, jazz, "Ada", NOON + timedelta(days=2))
        make.add_verdict(connection, database.only_judged, rock, "Ada")
        make.add_verdict(connection, database.only_judged, jazz, "Zoe")
        database.old = make.add_model(connection, "retired")
        database.champion = make.add_model(connection)
        other_task = make.add_model(connection, task="moods")
        for model in (database.old, database.champion, other_task):
            make.add_predictions(connection, model, database.plain, [(rock, 0.5), (jazz, 0.3)])
        make.add_predictions(connection, database.champion, database.judged, [(rock, 0.9)])
        make.add_predictions(
            connection, database.champion, database.bare, [(jazz, 0.6), (rock, 0.4)]
        )
        make.add_predictions(connection, database.old, database.both, [(jazz, 0.6)])
    return database


def query(database: SimpleNamespace, view, key="track_id"):
    """Return the view's rows by their key."""
    with read_transaction(database.engine) as connection:
        return {row[key]: row for row in connection.execute(select(view)).mappings()}


@pytest.mark.parametrize("view", views.ALL.values(), ids=views.ALL)
def test_every_column_has_a_description(view: views.View):
    """A view's documentation has its columns, in their order, in whole sentences."""
    assert list(view.columns) == view.table.columns.keys()
    assert all(text.endswith(".") for text in (view.description, *view.columns.values()))
    exported = getattr(views, view.name, None)  # a module may have the name of its view
    assert exported is view.table or not isinstance(exported, Table)


@pytest.mark.parametrize("view", views.ALL.values(), ids=views.ALL)
def test_every_column_has_a_type(view: views.View):
    """No column's type depends on the rows."""
    untyped = [column.name for column in view.table.columns if isinstance(column.type, NullType)]
    assert untyped == []


def test_the_database_has_the_documented_views(engine: Engine):
    """The database has the documented views and columns, and no others."""
    with read_transaction(engine) as connection:
        result = inspect(connection)
        assert sorted(result.get_view_names()) == sorted(views.ALL)
        for view in views.ALL.values():
            columns = [column["name"] for column in result.get_columns(view.name)]
            assert columns == list(view.columns)


def test_postgresql_has_the_documentation(postgres_engine: Engine):
    """On PostgreSQL every view and column has its description as a comment."""
    with read_transaction(postgres_engine) as connection:
        for view in views.ALL.values():
            name = {"name": view.name}
            comment = text("SELECT obj_description(CAST(:name AS regclass), 'pg_class')")
            assert connection.execute(comment, name).scalar() == view.comment
            comments = text(
                "SELECT col_description(attrelid, attnum) FROM pg_attribute "
                "WHERE attrelid = CAST(:name AS regclass) AND attnum > 0 ORDER BY attnum"
            )
            assert list(connection.scalars(comments, name)) == list(view.columns.values())


def test_a_track_is_one_flat_row(filled: SimpleNamespace):
    """`tracks` has every track once, however incomplete."""
    rows = query(filled, views.tracks)
    assert len(rows) == 5
    plain = rows[filled.plain]
    assert plain["artists"] == "Ann; Bob"
    assert plain["isrc"] == "QM1"
    assert plain["spotify_id"] == "a" * 22
    assert (plain["claim"], plain["verdict"], plain["label"]) == ("rock", None, "rock")
    assert plain["first_seen_at"] == NOON
    assert plain["first_seen_week"] == "2025-12-29"
    bare = rows[filled.bare]
    unknown = ("isrc", "release_year", "spotify_id", "label", "provider", "energy", "key")
    assert {bare[column] for column in unknown} == {None}
    assert bare["genres_sighted"] == 0


@pytest.mark.parametrize(
    ("hours", "monday"),
    [(0, "2025-12-29"), (84 - 0.01, "2025-12-29"), (84, "2026-01-05"), (100, "2026-01-05")],
)
def test_weeks_begin_on_monday(engine: Engine, hours: float, monday: str):
    """In UTC; New Year's noon, a Thursday, and 84 hours later, when the next Monday begins."""
    with transaction(engine) as connection:
        make.add_track(connection, "Song", first_seen_at=NOON + timedelta(hours=hours))
    with read_transaction(engine) as connection:
        assert connection.scalar(select(views.tracks.c.first_seen_week)) == monday


def test_features_are_of_the_preferred_provider(filled: SimpleNamespace):
    """That is the first of the order with a row; unlisted providers come last, by name."""
    rows = query(filled, views.tracks)
    assert (rows[filled.plain]["provider"], rows[filled.plain]["energy"]) == ("csv", 0.9)
    assert rows[filled.plain]["key"] is None
    assert (rows[filled.both]["provider"], rows[filled.both]["energy"]) == ("abacus", 0.2)


def test_the_latest_verdict_beats_the_claim(filled: SimpleNamespace):
    """Of two verdicts the later counts; at the same time, the author that sorts last."""
    rows = query(filled, views.training_tracks)
    judged = rows[filled.judged]
    assert (judged["claim"], judged["verdict"], judged["label"]) == ("rock", "jazz", "jazz")
    only_judged = rows[filled.only_judged]
    assert (only_judged["claim"], only_judged["label"]) == (None, "jazz")


def test_training_is_on_labelled_tracks(filled: SimpleNamespace):
    """An unlabelled track can be predicted, but not trained on."""
    trained, scored = query(filled, views.training_tracks), query(filled, views.scoring_tracks)
    assert filled.bare not in trained
    assert scored[filled.bare]["label"] is None
    assert scored.keys() - trained.keys() == {filled.bare}


def test_changed_at_is_the_latest_change(filled: SimpleNamespace):
    """The latest change of metadata or features, for training tracks also of the verdict."""
    trained, scored = query(filled, views.training_tracks), query(filled, views.scoring_tracks)
    assert trained[filled.plain]["changed_at"] == NOON
    assert scored[filled.bare]["changed_at"] == NOON
    assert scored[filled.judged]["changed_at"] == NOON + timedelta(days=1)
    assert trained[filled.judged]["changed_at"] == NOON + timedelta(days=2)


def test_a_track_in_two_genres_has_one_claim(filled: SimpleNamespace):
    """Every genre that a track was seen under is listed, one of them as the claim."""
    with read_transaction(filled.engine) as connection:
        rows = connection.execute(
            select(views.track_genres).where(views.track_genres.c.track_id == filled.both)
        ).all()
    assert {(row.genre, row.is_claim, row.best_rank) for row in rows} == {
        ("jazz", True, 0),
        ("rock", False, 1),
    }
    assert query(filled, views.tracks)[filled.both]["genres_sighted"] == 2


def test_a_track_without_a_claim(filled: SimpleNamespace):
    """Without a claim `is_claim` is false, not NULL."""
    with transaction(filled.engine) as connection:
        connection.execute(update(tables.track).values(genre_id=None))
    with read_transaction(filled.engine) as connection:
        stored = connection.scalars(select(views.track_genres.c.is_claim)).all()
    assert set(stored) == {False}


def test_credits_keep_their_order(filled: SimpleNamespace):
    """Each credited artist is a row, the primary one first."""
    credit = views.track_credits
    with read_transaction(filled.engine) as connection:
        rows = connection.execute(
            select(credit.c.artist)
            .where(credit.c.track_id == filled.plain)
            .order_by(credit.c.position)
        )
        assert rows.scalars().all() == ["Ann", "Bob"]


def test_progress_counts(filled: SimpleNamespace):
    """Claims, sightings, features and requests are counted, also of an empty genre."""
    with transaction(filled.engine) as connection:
        make.add_shard(connection, filled.rock, "a", requests=3)
        make.add_shard(connection, filled.rock, "b", requests=4, status="capped")
    rows = query(filled, views.genre_progress, "genre")
    rock = rows["rock"]
    assert (rock["tracks"], rock["sightings"], rock["with_features"]) == (2, 3, 2)
    assert (rock["requests"], rock["open_shards"], rock["capped_shards"]) == (7, 1, 1)
    nothing = rows["r&b"]
    assert (nothing["tracks"], nothing["with_features"], nothing["requests"]) == (0, 0, 0)


def test_profiles_follow_their_definition(engine: Engine):
    """Percentiles are by nearest rank, the deviation is the sample's, NULLs are left out."""
    values = [0.1, 0.2, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    keys = [0, 0, 0, 1, 1, 5, 5, 5, 11, None]
    with transaction(engine) as connection:
        rock, lone = make.add_genre(connection, "rock"), make.add_genre(connection, "lone")
        for number, (value, key) in enumerate(zip(values, keys, strict=True)):
            track = make.add_track(connection, f"Song {number}", genres=[rock])
            make.add_features(connection, track, energy=value, key=key)
        only = make.add_track(connection, "Only", genres=[lone])
        make.add_features(connection, only, energy=0.25)
    with read_transaction(engine) as connection:
        rows = {
            (row["genre"], row["feature"]): row
            for row in connection.execute(select(views.genre_profiles)).mappings()
        }
    assert len(rows) == 2 * len(tables.FEATURES)
    energy, key = rows["rock", "energy"], rows["rock", "key"]
    assert (energy["n"], energy["min"], energy["max"]) == (10, 0.1, 1.0)
    assert [energy[name] for name in ("p05", "p25", "p50", "p75", "p95")] == [
        0.1, 0.2, 0.5, 0.8, 1.0,
    ]  # fmt: skip
    mean = sum(values) / 10
    deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / 9)
    assert energy["mean"] == pytest.approx(mean)
    assert energy["standard_deviation"] == pytest.approx(deviation)
    assert key["n"] == 9
    assert [key[name] for name in ("p05", "p25", "p50", "p75", "p95")] == [0, 0, 1, 5, 11]
    assert rows["rock", "tempo"]["standard_deviation"] == 0
    assert rows["lone", "energy"]["standard_deviation"] is None
    assert rows["lone", "energy"]["p50"] == 0.25


def test_profiles_are_by_label(filled: SimpleNamespace):
    """A verdict moves a track to another genre's profile; values from files are separate."""
    with read_transaction(filled.engine) as connection:
        view = views.genre_profiles
        rows = connection.execute(select(view).where(view.c.feature.like("%energy"))).all()
    assert {(row.genre, row.feature, row.n, row.min, row.max) for row in rows} == {
        ("rock", "energy", 1, 0.9, 0.9),
        ("jazz", "energy", 1, 0.2, 0.2),
        ("jazz", "own_energy", 1, 0.4, 0.4),
    }


def test_overlaps_name_each_pair_once(filled: SimpleNamespace):
    """A pair of genres is one row, in the order of the names, with both shares."""
    with read_transaction(filled.engine) as connection:
        (row,) = connection.execute(select(views.genre_overlaps)).all()
    assert (row.genre, row.other_genre, row.tracks) == ("jazz", "rock", 1)
    assert (row.share, row.other_share) == (1.0, pytest.approx(1 / 3))
    assert (row.genre_id, row.other_genre_id) == (filled.jazz, filled.rock)


def test_predictions_are_the_champion_s(filled: SimpleNamespace):
    """Only the champion of `main` counts; a track without its prediction is left out."""
    rows = query(filled, views.predictions)
    assert rows.keys() == {filled.plain, filled.judged, filled.bare}
    plain = rows[filled.plain]
    assert plain["model_id"] == filled.champion
    assert (plain["genre"], plain["correct"]) == ("rock", True)
    assert plain["margin"] == pytest.approx(0.2)


def test_a_prediction_is_compared_with_the_verdict(filled: SimpleNamespace):
    """A prediction equal to the claim but not the verdict is wrong; without a label, NULL."""
    rows = query(filled, views.predictions)
    assert rows[filled.judged]["correct"] is False
    assert rows[filled.judged]["margin"] == pytest.approx(0.9)
    assert rows[filled.bare]["correct"] is None


def test_without_a_champion_there_are_no_predictions(filled: SimpleNamespace):
    """A retired champion without a successor has none in the view."""
    with transaction(filled.engine) as connection:
        connection.execute(update(tables.model).values(status="retired"))
    assert query(filled, views.predictions) == {}


def test_every_task_has_its_predictions(filled: SimpleNamespace):
    """Those of its champion; broad genres are not compared with labels, which are fine genres."""
    with transaction(filled.engine) as connection:
        broad = make.add_model(connection, task="broad", training_config={"level": "broad"})
        make.add_predictions(connection, broad, filled.plain, [(filled.rock, 0.8)])
        fine = make.add_model(connection, task="fine", training_config={"level": "fine"})
        make.add_predictions(connection, fine, filled.judged, [(filled.rock, 0.7)])
    view = views.task_predictions
    main = query(filled, select(view).where(view.c.task == "main").subquery())
    predictions = query(filled, views.predictions)
    assert main.keys() == predictions.keys()
    same = ("genre", "probability", "margin", "correct", "regime", "model_id", "predicted_at")
    for track, row in main.items():
        assert [row[name] for name in same] == [predictions[track][name] for name in same]
    others = query(filled, select(view).where(view.c.task != "main").subquery(), "task")
    assert others.keys() == {"moods", "broad", "fine"}
    outcomes = {task: (row["level"], row["label"], row["correct"]) for task, row in others.items()}
    assert outcomes["broad"] == ("broad", "rock", None)
    assert outcomes["fine"] == ("fine", "jazz", False)
    assert outcomes["moods"] == ("fine", "rock", True)
    assert others["broad"]["margin"] == pytest.approx(0.8)


def test_every_metric_of_a_model_is_listed(filled: SimpleNamespace):
    """For each side and regime, over all genres (NULL) or for one, with its bounds."""
    with transaction(filled.engine) as connection:
        champion, rock = filled.champion, filled.rock
        make.add_metric(connection, champion, "all", "broad_accuracy", 0.6, low=0.5, high=0.7)
        make.add_metric(connection, champion, "new_artist", "f1", 0.3, genre_id=rock, n=12)
    rows = query(filled, views.model_metrics, "metric")
    overall, of_rock = rows["broad_accuracy"], rows["f1"]
    assert (overall["task"], overall["model_id"], overall["status"]) == (
        "main",
        filled.champion,
        "champion",
    )
    assert (overall["genre"], overall["value"], overall["low"], overall["high"]) == (
        None,
        0.6,
        0.5,
        0.7,
    )
    assert (of_rock["genre"], of_rock["side"], of_rock["n"]) == ("rock", "test", 12)


def test_the_leaderboard_is_by_task_and_regime(filled: SimpleNamespace):
    """Models are in order of accuracy, with the baseline; unevaluated ones come last."""
    with transaction(filled.engine) as connection:
        for model, accuracy in ((filled.old, 0.3), (filled.champion, 0.4)):
            make.add_metric(connection, model, "new_artist", "accuracy", accuracy, low=0.2)
            make.add_metric(connection, model, "new_artist", "baseline", 0.1)
            make.add_metric(connection, model, "new_artist", "accuracy", 0.9, side="validation")
            make.add_metric(connection, model, "new_artist", "accuracy", 0.8, genre_id=filled.rock)
    with read_transaction(filled.engine) as connection:
        board = views.model_leaderboard
        rows = connection.execute(
            select(board).where(board.c.task == "main").order_by(board.c.regime, board.c.place)
        ).all()
    best, second, *unmeasured = rows
    assert (best.model_id, best.place, best.accuracy, best.n) == (filled.champion, 1, 0.4, 50)
    assert (best.gain, best.accuracy_low) == (pytest.approx(0.3), 0.2)
    assert (second.model_id, second.place) == (filled.old, 2)
    assert [row.accuracy for row in unmeasured] == [None, None]


def test_health_has_the_last_run(filled: SimpleNamespace):
    """A job has its last run and its last success, a source its budget."""
    with transaction(filled.engine) as connection:
        make.add_job_run(connection, "harvest")
        make.add_job_run(connection, "harvest", "failed", NOON + timedelta(hours=1), error="no")
        make.add_job_run(connection, "train", "running")
        make.add_budget(connection, requests=12, blocked_until=NOON.timestamp() + 0.25)
        make.add_budget(connection, "free")
        make.add_shard(connection, filled.rock)
    rows = query(filled, views.harvest_health, "name")
    harvest = rows["harvest"]
    assert (harvest["kind"], harvest["outcome"], harvest["error"]) == ("job", "failed", "no")
    assert (harvest["runs"], harvest["failed_runs"], harvest["completed_at"]) == (2, 1, NOON)
    assert (rows["train"]["outcome"], rows["train"]["finished_at"]) == ("running", None)
    spotify = rows["spotify"]
    assert (spotify["kind"], spotify["requests"], spotify["requests_per_30s"]) == (
        "source",
        12,
        60.0,
    )
    assert spotify["blocked_until"] == NOON + timedelta(seconds=0.25)
    assert (spotify["open_shards"], rows["free"]["blocked_until"]) == (1, None)

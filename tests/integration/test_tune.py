"""Hyperparameter search on validation tracks; the test fold is excluded."""

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select, update

from classifier.errors import BadTrainingConfig
from classifier.experiments import tune
from classifier.experiments.search_settings import REDUCTION_FACTOR, SearchSettings
from classifier.experiments.search_spaces import NumericRange
from classifier.experiments.tune import TuningResult
from classifier.registry import stored_models
from classifier.training_config import TrainingConfig
from genrebase.store import features_provider, tables
from genrebase.store.engine import read_transaction, transaction
from tests.classifier_cli import refusal, run_json, run_text
from tests.experiment import Killed, context, kill_after
from tests.fakes import FakeClock
from tests.synthetic_music import Music

CHOICE = TrainingConfig(estimator="tree", features=("audio",), min_tracks=20)
SETTINGS = SearchSettings(
    {"max_depth": [1, 2, 8], "min_samples_leaf": [5, 30]}, "random", trials=3, cv_folds=2
)


def run(
    engine: Engine,
    settings: SearchSettings = SETTINGS,
    choice: TrainingConfig = CHOICE,
    **more: Any,
) -> TuningResult:
    seconds = more.pop("seconds", None)
    return tune.run(context(engine, **more), choice, settings, seconds=seconds)


def trials(engine: Engine) -> list:
    with read_transaction(engine) as connection:
        return list(connection.execute(select(tables.trial).order_by(tables.trial.c.id)))


@pytest.fixture
def music(engine: Engine) -> Engine:
    Music().fill(engine)
    return engine


def test_every_trial_is_a_row_with_its_score(music: Engine):
    """Three points and the defaults, on two folds: the score is that of validation tracks."""
    result = run(music)
    rows = trials(music)
    assert len(rows) == 8
    assert {row.test_fold for row in rows} == {9}
    assert {row.validation_fold for row in rows} == {8, 7}
    metric = tables.trial_metric
    with read_transaction(music) as connection:
        rows_of_metrics = connection.execute(
            select(metric.c.side, metric.c.value).where(
                metric.c.trial_id == rows[0].id,
                metric.c.metric == "accuracy",
                metric.c.genre.is_(None),
                metric.c.regime.in_(("new_artist", "seen_artist")),
            )
        ).all()
    assert {row.side for row in rows_of_metrics} == {"validation"}
    assert rows[0].score == pytest.approx(np.mean([row.value for row in rows_of_metrics]))
    (best,) = result.found
    scores = {}
    for row in rows:
        scores.setdefault(json.dumps(row.params), []).append(row.score)
    means = {params: np.mean(both) for params, both in scores.items()}
    assert best.score == pytest.approx(max(means.values()))
    assert best.default == pytest.approx(means["{}"])
    assert dict(best.params) in [json.loads(params) for params in means]


def test_the_test_fold_does_not_leak(sqlite_engine: Engine):
    """Other features, labels and tracks in the test fold change nothing."""
    Music().fill(sqlite_engine)
    before = run(sqlite_engine)
    credit, artist, track = tables.track_artist, tables.artist, tables.track
    tested = select(credit.c.track_id).join(artist).where(artist.c.fold == 9)
    with transaction(sqlite_engine) as connection:
        connection.execute(
            update(track)
            .where(track.c.id.in_(tested) | (track.c.track_fold == 9))
            .values(genre_id=1, release_year=1950, popularity=None)
        )
        connection.execute(
            tables.audio_features.delete().where(tables.audio_features.c.track_id.in_(tested))
        )
        features_provider.choose_all(connection)
    after = run(sqlite_engine, again=True)
    assert after.found == before.found
    assert [row.score for row in trials(sqlite_engine)[8:]] == [
        row.score for row in trials(sqlite_engine)[:8]
    ]


def test_a_killed_search_resumes(sqlite_engine: Engine):
    """Stored trials are kept; more trials extend the search; a repetition runs nothing."""

    Music().fill(sqlite_engine)

    with pytest.raises(Killed):
        run(sqlite_engine, progress=kill_after(3))
    first = trials(sqlite_engine)
    assert len(first) == 3
    result = run(sqlite_engine)
    assert trials(sqlite_engine)[:3] == first
    assert (len(trials(sqlite_engine)), result.stopped) == (8, None)
    assert run(sqlite_engine).nothing_new
    more = run(sqlite_engine, replace(SETTINGS, trials=5))
    assert more.experiment == result.experiment
    assert len(trials(sqlite_engine)) > 8
    assert len({(row.number, row.validation_fold) for row in trials(sqlite_engine)}) == len(
        trials(sqlite_engine)
    )


def test_a_search_without_time_reports_that_nothing_ran(database: Engine) -> None:
    """`--minutes 0` is not a search whose trials are stored already."""
    output = run_text("tune", "--estimator", "tree", "--minutes", "0")
    assert "stored already" not in output
    assert "The time limit was reached" in output
    assert trials(database) == []


def test_a_search_stops_at_its_time_limit(sqlite_engine: Engine):
    """After the limit no trial starts; the points evaluated so far count; it can resume."""
    Music().fill(sqlite_engine)
    clock = FakeClock()

    def slow(done: float, **_: Any) -> None:
        if done:
            clock.advance(5)

    result = run(sqlite_engine, clock=clock, progress=slow, seconds=35)
    assert (result.stopped, len(trials(sqlite_engine))) == ("time", 4)
    assert result.found[0].score is not None
    with read_transaction(sqlite_engine) as connection:
        assert connection.scalar(select(tables.experiment.c.finished_at)) is None
    assert run(sqlite_engine).stopped is None
    assert len(trials(sqlite_engine)) == 8


def test_halving_prunes_most_points_on_few_tracks(sqlite_engine: Engine):
    """A point is evaluated on more tracks only if it is among the best third."""
    Music(artists=180).fill(sqlite_engine)
    space = {"max_depth": [1, 2, 3, 4, 5, 6, 8], "min_samples_leaf": [2, 5, 10]}
    result = run(sqlite_engine, SearchSettings(space, "halving", trials=9, cv_folds=1))
    sizes: dict[Any, set] = {}
    for row in trials(sqlite_engine):
        sizes.setdefault(row.per_genre, set()).add(row.number)
    small, large = sorted(size for size in sizes if size is not None), sizes[None]
    assert len(small) == 1
    assert len(sizes[small[0]]) == 10
    assert 1 in large
    assert len(large) < len(sizes[small[0]])
    assert result.found[0].per_genre is None
    scores = {row["number"]: row["score"] for row in result.table if row["per_genre"]}
    points = sorted(number for number in scores if number != 1)
    for place, number in enumerate(points):
        so_far = sorted((scores[one] for one in points[: place + 1]), reverse=True)
        promoted = scores[number] >= so_far[max(0, len(so_far) // REDUCTION_FACTOR - 1)]
        assert (number in large) == promoted


def test_a_genre_against_the_rest(sqlite_engine: Engine):
    """Each genre has a search of its own, ranked by its own average precision."""
    Music().fill(sqlite_engine)
    settings = replace(
        SETTINGS, trials=1, cv_folds=1, metric="average_precision", one_vs_rest_genres=()
    )
    result = run(sqlite_engine, settings)
    assert [one.genre for one in result.found] == ["blues", "metal", "techno"]
    assert {row.binary_genre for row in trials(sqlite_engine)} == {"blues", "metal", "techno"}
    assert len(trials(sqlite_engine)) == 6
    assert all(0.4 < (one.score or 0) <= 1 for one in result.found)
    metric, trial = tables.trial_metric, tables.trial
    with read_transaction(sqlite_engine) as connection:
        rows_of_metrics = connection.execute(
            select(trial.c.binary_genre, metric.c.genre)
            .join(trial, trial.c.id == metric.c.trial_id)
            .where(metric.c.genre.is_not(None))
        ).all()
    assert all(row.binary_genre == row.genre for row in rows_of_metrics)


def test_a_failing_point_is_reported_and_the_rest_runs(sqlite_engine: Engine):
    """A value that the estimator refuses is a trial with its error."""
    Music().fill(sqlite_engine)
    settings = SearchSettings({"max_depth": [-1, 3]}, "exhaustive", cv_folds=1)
    result = run(sqlite_engine, settings)
    (failed,) = result.failed
    assert failed["params"] == {"max_depth": -1}
    assert "max_depth" in failed["error"]
    assert result.found[0].score is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"search": "grid"},
        {"metric": "kappa"},
        {"regime": "old"},
        {"cv_folds": 10},
        {"one_vs_rest_genres": ("blues",)},
        {"one_vs_rest_genres": ("polka",), "metric": "f1"},
        {"search": "exhaustive", "space": {"max_depth": NumericRange(1, 9)}},
    ],
)
def test_wrong_settings_are_refused(sqlite_engine: Engine, wrong: dict[str, Any]):
    """Wrong settings are refused before any trial."""
    Music().fill(sqlite_engine)
    with pytest.raises(BadTrainingConfig):
        run(sqlite_engine, replace(SETTINGS, **wrong))
    assert trials(sqlite_engine) == []


def test_the_command_prints_how_to_train(database: Engine, tmp_path: Path):
    """The printed command trains with the best parameters, multi-class and one-vs-rest."""
    file = tmp_path / "space.toml"
    file.write_text("max_depth = [2, 8]\n")
    options = ("--estimator", "tree", "--features", "audio", "--min-tracks", "20")
    look = ("--space", str(file), "--search", "exhaustive", "--cv-folds", "1")
    actual = run_json("tune", *options, *look, "--train")
    (best,) = actual["found"]
    assert actual["model"]["params"] == best["params"]
    program, command, *words = shlex.split(actual["command"])
    assert (program, command) == ("classifier", "train")
    assert run_json("train", *words)["id"] == actual["model"]["id"]
    binary = run_json("tune", *options, *look, "--binary", "blues,metal")
    words = shlex.split(binary["command"])[2:]
    made = run_json("train", *words, "--task", "votes")
    assert made["estimator"] == "voting"
    assert made["params"]["member"] == "tree"
    assert made["params"].get("by_genre", {}).keys() <= {"blues", "metal"}
    assert stored_models.model(database, made["id"]).task == "votes"
    code, message = refusal("tune", *options, *look, "--binary", "all", "--train")
    assert (code, "--binary" in message) == (2, True)
    code, message = refusal("tune", "--estimator", "dummy")
    assert (code, "default search space" in message) == (2, True)

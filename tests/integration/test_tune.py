"""Better parameters by validation tracks alone, trial by trial, and never by the test fold."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from classifier.cli import app
from classifier.data import dataset
from classifier.errors import BadTrainingConfig
from classifier.experiments import tune
from classifier.experiments.search import SearchSettings
from classifier.experiments.search_spaces import NumericRange
from classifier.experiments.tune import TuningResult
from classifier.training_config import TrainingConfig
from genrebase.errors import GenrebaseError
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests.fakes import FakeClock
from tests.music import Music

CHOICE = TrainingConfig(estimator="tree", features=("audio",), min_tracks=20)
STUDY = SearchSettings(
    {"max_depth": [1, 2, 8], "min_samples_leaf": [5, 30]}, "random", trials=3, cv_folds=2
)


class Killed(Exception):
    """What ends a study in the middle."""


def run(
    engine: Engine, study: SearchSettings = STUDY, choice: TrainingConfig = CHOICE, **more: Any
) -> TuningResult:
    told = {"progress": lambda *_: None, "clock": FakeClock(), **more}
    return tune.run(engine, choice, study, **told)


def trials(engine: Engine) -> list:
    with read_transaction(engine) as connection:
        return list(connection.execute(select(tables.trial).order_by(tables.trial.c.id)))


@pytest.fixture
def music(engine: Engine) -> Engine:
    Music().fill(engine)
    return engine


@pytest.fixture
def database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setenv("STORE_URL", sqlite_url)
    engine = make_engine(sqlite_url)
    Music().fill(engine)
    yield engine
    engine.dispose()


def ask(*arguments: str) -> Any:
    ran = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def refused(*arguments: str) -> str:
    ran = CliRunner().invoke(app, [*arguments, "--json"])
    assert isinstance(ran.exception, GenrebaseError), ran.output
    assert ran.exception.exit_code == 2
    return str(ran.exception)


def test_every_trial_is_a_row_with_its_score(music: Engine):
    """Three points and the defaults, on two folds: the score is what validation tracks say."""
    found = run(music)
    rows = trials(music)
    assert len(rows) == 8
    assert {row.test_fold for row in rows} == {9}
    assert {row.validation_fold for row in rows} == {8, 7}
    metric = tables.trial_metric
    with read_transaction(music) as connection:
        told = connection.execute(
            select(metric.c.side, metric.c.value).where(
                metric.c.trial_id == rows[0].id,
                metric.c.metric == "accuracy",
                metric.c.genre.is_(None),
                metric.c.regime.in_(("new_artist", "seen_artist")),
            )
        ).all()
    assert {row.side for row in told} == {"validation"}
    assert rows[0].score == pytest.approx(np.mean([row.value for row in told]))
    (best,) = found.found
    scores = {}
    for row in rows:
        scores.setdefault(json.dumps(row.params), []).append(row.score)
    means = {params: np.mean(both) for params, both in scores.items()}
    assert best.score == pytest.approx(max(means.values()))
    assert best.default == pytest.approx(means["{}"])
    assert dict(best.params) in [json.loads(params) for params in means]


def test_the_test_fold_is_never_looked_at(sqlite_engine: Engine):
    """With other features, labels and tracks in the test fold everything is as it was."""
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
    after = run(sqlite_engine, again=True)
    assert after.found == before.found
    assert [row.score for row in trials(sqlite_engine)[8:]] == [
        row.score for row in trials(sqlite_engine)[:8]
    ]


def test_a_study_that_was_killed_goes_on(sqlite_engine: Engine):
    """What was tried stands; more trials are the same study; at its end nothing is new."""

    Music().fill(sqlite_engine)

    def kill(done: int, _of: int, _what: str, _share: float) -> None:
        if done == 3:
            raise Killed

    with pytest.raises(Killed):
        run(sqlite_engine, progress=kill)
    first = trials(sqlite_engine)
    assert len(first) == 3
    found = run(sqlite_engine)
    assert trials(sqlite_engine)[:3] == first
    assert (len(trials(sqlite_engine)), found.stopped) == (8, None)
    assert run(sqlite_engine).nothing_new
    more = run(sqlite_engine, replace(STUDY, trials=5))
    assert more.experiment == found.experiment
    assert len(trials(sqlite_engine)) > 8
    assert len({(row.number, row.validation_fold) for row in trials(sqlite_engine)}) == len(
        trials(sqlite_engine)
    )


def test_the_time_may_run_out(sqlite_engine: Engine):
    """After the budget nothing new is begun, and the same again goes on to its end."""
    Music().fill(sqlite_engine)
    clock = FakeClock()

    def slow(done: int, _of: int, _what: str, _share: float) -> None:
        if done:
            clock.advance(5)

    found = run(sqlite_engine, clock=clock, progress=slow, seconds=35)
    assert (found.stopped, len(trials(sqlite_engine))) == ("time", 4)
    assert found.found[0].score is None
    with read_transaction(sqlite_engine) as connection:
        assert connection.scalar(select(tables.experiment.c.finished_at)) is None
    assert run(sqlite_engine).stopped is None
    assert len(trials(sqlite_engine)) == 8


def test_halving_tries_most_points_on_few_tracks(sqlite_engine: Engine):
    """Each rung keeps the best third, and always the defaults, on three times the tracks."""
    Music(artists=180).fill(sqlite_engine)
    space = {"max_depth": [1, 2, 3, 4, 5, 6, 8], "min_samples_leaf": [2, 5, 10]}
    found = run(sqlite_engine, SearchSettings(space, "halving", trials=9, cv_folds=1))
    sizes: dict[Any, set] = {}
    for row in trials(sqlite_engine):
        sizes.setdefault(row.per_genre, set()).add(row.number)
    small, large = sorted(size for size in sizes if size is not None), sizes[None]
    assert len(small) == 1
    assert len(sizes[small[0]]) == 10
    assert len(large) == 4
    assert 1 in large
    assert found.found[0].per_genre is None
    scores = {row["number"]: row["score"] for row in found.table if row["per_genre"]}
    others = [scores[number] for number in scores if number not in large]
    assert min(scores[number] for number in large - {1}) >= max(others)


def test_a_genre_against_the_rest(sqlite_engine: Engine):
    """Each genre is looked for by itself, and judged by its own average precision."""
    Music().fill(sqlite_engine)
    study = replace(STUDY, trials=1, cv_folds=1, metric="average_precision", one_vs_rest_genres=())
    found = run(sqlite_engine, study)
    assert [one.genre for one in found.found] == ["blues", "metal", "techno"]
    assert {row.binary_genre for row in trials(sqlite_engine)} == {"blues", "metal", "techno"}
    assert len(trials(sqlite_engine)) == 6
    assert all(0.4 < (one.score or 0) <= 1 for one in found.found)
    metric, trial = tables.trial_metric, tables.trial
    with read_transaction(sqlite_engine) as connection:
        told = connection.execute(
            select(trial.c.binary_genre, metric.c.genre)
            .join(trial, trial.c.id == metric.c.trial_id)
            .where(metric.c.genre.is_not(None))
        ).all()
    assert all(row.binary_genre == row.genre for row in told)


def test_what_fails_is_named_and_the_rest_goes_on(sqlite_engine: Engine):
    """A value that the estimator refuses is a trial with its reason."""
    Music().fill(sqlite_engine)
    study = SearchSettings({"max_depth": [-1, 3]}, "exhaustive", cv_folds=1)
    found = run(sqlite_engine, study)
    (failed,) = found.failed
    assert failed["params"] == {"max_depth": -1}
    assert "max_depth" in failed["error"]
    assert found.found[0].score is not None


@pytest.mark.parametrize(
    "wrong",
    [
        {"search": "grid"},
        {"metric": "kappa"},
        {"regime": "old"},
        {"folds": 10},
        {"binary": ("blues",)},
        {"binary": ("polka",), "metric": "f1"},
        {"search": "exhaustive", "space": {"max_depth": NumericRange(1, 9)}},
    ],
)
def test_wrong_words_are_refused(sqlite_engine: Engine, wrong: dict[str, Any]):
    """What cannot be looked for is refused before anything is tried."""
    Music().fill(sqlite_engine)
    with pytest.raises(BadTrainingConfig):
        run(sqlite_engine, replace(STUDY, **wrong))
    assert trials(sqlite_engine) == []


def test_the_command_prints_the_line_that_uses_it(database: Engine, tmp_path: Path):
    """The line trains what came out best, for all genres at once and for each by itself."""
    file = tmp_path / "space.toml"
    file.write_text("max_depth = [2, 8]\n")
    told = ("--estimator", "tree", "--features", "audio", "--min-tracks", "20")
    look = ("--space", str(file), "--search", "exhaustive", "--folds", "1")
    found = ask("tune", *told, *look, "--train")
    (best,) = found["found"]
    assert found["model"]["params"] == best["params"]
    program, command, *words = shlex.split(found["command"])
    assert (program, command) == ("classifier", "train")
    assert ask("train", *words)["id"] == found["model"]["id"]
    binary = ask("tune", *told, *look, "--binary", "blues,metal")
    words = shlex.split(binary["command"])[2:]
    made = ask("train", *words, "--task", "votes")
    assert made["estimator"] == "voting"
    assert made["params"]["member"] == "tree"
    assert made["params"].get("by_genre", {}).keys() <= {"blues", "metal"}
    assert dataset.model(database, made["id"]).task == "votes"
    assert "--binary" in refused("tune", *told, *look, "--binary", "all", "--train")
    assert "default space" in refused("tune", "--estimator", "dummy")

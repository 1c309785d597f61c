"""Learning curve: the gain of more tracks per genre, on the same test tracks at every size."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, func, select

from classifier.errors import TooFewTracks
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.metrics import LabelledPredictions, paired_gains, per_genre_metrics
from classifier.experiments import learning_curve
from classifier.experiments.learning_curve import LearningCurve, default_sizes
from classifier.training_config import TrainingConfig
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from tests.experiment import Killed, context, kill_after
from tests.synthetic_music import Music

CHOICE = TrainingConfig(estimator="logistic", features=("audio",), min_tracks=20)


def run(engine: Engine, **more: Any) -> LearningCurve:
    options = {name: more.pop(name) for name in ("sizes",) if name in more}
    return learning_curve.run(context(engine, **more), CHOICE, **options)


@pytest.fixture
def music(engine: Engine) -> Engine:
    Music().fill(engine)
    return engine


def gained(engine: Engine) -> list:
    metric = tables.trial_metric
    columns = (metric.c.regime, metric.c.genre, metric.c.metric, metric.c.value, metric.c.low)
    with read_transaction(engine) as connection:
        return [
            tuple(row)
            for row in connection.execute(
                select(*columns).where(metric.c.metric.like("%gain")).order_by(metric.c.id)
            )
        ]


@pytest.mark.parametrize(
    ("maximum", "sizes"),
    [
        (20, (10, 20)),
        (110, (30, 55, 110)),
        (640, (30, 100, 320, 640)),
        (800, (30, 100, 300, 400, 800)),
        (5_000, (30, 100, 300, 1_000, 2_500, 5_000)),
    ],
)
def test_the_last_step_is_a_doubling(maximum: int, sizes: tuple[int, ...]):
    """Sizes grow about threefold, and end with the half and the whole of what there is."""
    assert default_sizes(maximum) == sizes


def test_every_size_is_stored_with_its_gain(music: Engine):
    """Accuracy and F1 per genre at each size; the last step per genre, in sentences."""
    result = run(music)
    assert [row["per_genre"] for row in result.sizes] == [30, 55, 111]
    assert result.sizes[0]["trained_rows"] == 90
    for row in result.sizes:
        assert set(row["genres"]) == {"blues", "metal", "techno"}
        assert row["metrics"]["new_artist"]["n"] == result.sizes[0]["metrics"]["new_artist"]["n"]
    step = result.last_step
    assert (step["from"], step["to"]) == (55, 111)
    difference = (
        result.sizes[2]["genres"]["metal"]["f1"] - result.sizes[1]["genres"]["metal"]["f1"]
    )
    metal = next(one for one in step["genres"] if one["genre"] == "metal")
    assert metal["gain"] == pytest.approx(difference)
    assert metal["interval"][0] <= metal["gain"] <= metal["interval"][1]
    assert result.sufficient_size in (30, 55, 111)
    assert result.sentences[-1].startswith(f"More than {result.sufficient_size} tracks per genre ")
    assert result.sentences[0].startswith("From 55 to 111 tracks per genre: accuracy ")
    text = " ".join(result.sentences)
    assert all(genre in text for genre in ("blues", "metal", "techno"))


def test_a_killed_curve_resumes(sqlite_engine: Engine):
    """The gain over a size stored before the interrupt is the same as without one."""
    Music().fill(sqlite_engine)
    whole = run(sqlite_engine, again=True)
    before = gained(sqlite_engine)

    with pytest.raises(Killed):
        run(sqlite_engine, progress=kill_after(2), again=True)
    result = run(sqlite_engine)
    assert result.experiment != whole.experiment
    assert result.last_step == whole.last_step
    assert gained(sqlite_engine) == before * 2
    assert run(sqlite_engine).nothing_new
    with read_transaction(sqlite_engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.experiment)) == 2


def test_too_few_tracks_for_a_curve_are_refused(sqlite_engine: Engine):
    """One size, or a largest genre that is too small, is refused."""
    Music().fill(sqlite_engine)
    with pytest.raises(TooFewTracks, match="name two sizes up to that"):
        run(sqlite_engine, sizes=[5000, 9000])
    with pytest.raises(TooFewTracks, match="needs a genre with 20 training tracks"):
        learning_curve.run(
            context(sqlite_engine),
            TrainingConfig(estimator="dummy", per_genre=10, min_tracks=20),
        )


@pytest.mark.parametrize(
    ("gain", "conclusion"),
    [
        ({"after": 200, "interval": [0.01, 0.2], "n": 50}, "helps"),
        ({"after": 200, "interval": [-0.01, 0.2], "n": 50}, "no_help_seen"),
        ({"after": 200, "interval": [-0.2, -0.01], "n": 50}, "hurts"),
        ({"after": 200, "interval": [0.01, 0.2], "n": 29}, "too_few_tracks"),
        ({"after": 149, "interval": [0.01, 0.2], "n": 50}, "no_more_tracks"),
    ],
)
def test_a_gain_is_reported_only_if_significant(gain: dict[str, Any], conclusion: str):
    """The whole interval must be above 0, on enough test tracks, after a real growth."""
    assert learning_curve._conclusion({"before": 100, **gain}) == conclusion


@pytest.mark.parametrize(
    ("lower_bounds", "size"),
    [
        ({100: 0.02, 300: 0.01, 900: -0.01}, 300),
        ({100: 0.02, 300: -0.01, 900: 0.01}, 900),
        ({100: -0.02, 300: -0.01, 900: -0.01}, 30),
        ({100: None, 300: 0.01, 900: None}, 300),
        ({}, None),
    ],
)
def test_the_sufficient_size_is_the_last_with_a_gain(
    lower_bounds: dict[int, float | None], size: int | None
):
    """A gain counts if its whole interval is above 0; without intervals nothing is known."""
    gains = {
        step: {"gain": 0.02, "interval": None if low is None else [low, 0.05]}
        for step, low in lower_bounds.items()
    }
    assert learning_curve.sufficient_size((30, 100, 300, 900), gains) == size


def test_a_gain_is_the_difference_of_two_f1s():
    """Gains are paired on the same tracks; equal predictions gain exactly nothing."""
    random = np.random.default_rng(1)
    truth = random.integers(3, size=200)
    artists = random.integers(40, size=200)
    nothing = np.zeros(200, dtype=bool)

    def results(right: float) -> LabelledPredictions:
        output = np.where(random.random(200) < right, truth, random.integers(3, size=200))
        return LabelledPredictions(np.eye(3)[output], truth, artists, nothing, nothing)

    resampled = ArtistBootstrap(artists, seed=0)
    poor, good = results(0.3), results(0.9)
    comparison = paired_gains(poor, good, resampled)
    for genre in range(3):
        one, other = (
            next(row.value for row in per_genre_metrics(each, None)[genre] if row.metric == "f1")
            for each in (poor, good)
        )
        assert comparison[genre].value == pytest.approx((other or 0) - (one or 0))
        assert comparison[genre].interval is not None
        assert comparison[genre].interval.low > 0
    assert comparison[None].value == pytest.approx(good.correct.mean() - poor.correct.mean())
    same = paired_gains(good, good, resampled)
    assert {
        (one.value, one.interval.low, one.interval.high) for one in same.values() if one.interval
    } == {(0, 0, 0)}

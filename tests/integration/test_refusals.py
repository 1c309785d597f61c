"""What cannot be meant is refused with a sentence, before anything is computed."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from classifier.data import audio_joins
from classifier.errors import BrokenArtifact
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.evaluation.metrics import LabelledPredictions, overall_metrics
from classifier.evaluation.promotion import decide_against_champion
from classifier.model_records import Comparison, Interval
from classifier.training_config import TrainingConfig
from genrebase.store import views
from genrebase.store.engine import transaction
from tests import factories as make
from tests.classifier_cli import refusal, run_text
from tests.synthetic_music import Music


@pytest.fixture
def database(sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setenv("STORE_URL", sqlite_engine.url.render_as_string())
    return sqlite_engine


@pytest.mark.parametrize(
    "arguments",
    [
        ("models", "--task", "mian"),
        ("status", "--task", "mian"),
        ("predict", "--task", "mian"),
        ("card", "--task", "mian", "-o", "card.md"),
        ("explain", "--task", "mian"),
        ("promote", "--back", "--task", "mian"),
    ],
)
def test_a_task_without_models_is_refused(
    database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """The message names the nearest task."""
    monkeypatch.chdir(tmp_path)
    with transaction(database) as connection:
        make.add_model(connection)
    code, message = refusal(*arguments)
    assert code == 2
    assert "There is no task 'mian'. Did you mean 'main'?" in message


def test_before_the_first_model_any_task_may_come(database: Engine) -> None:
    """Nothing is known yet that a name could be compared with."""
    assert "No model yet" in run_text("models", "--task", "other")


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("predict", "--title", ""), "--title needs a text"),
        (("predict", "--title", "  "), "--title needs a text"),
        (("predict", "--album", ""), "--album needs a text"),
        (("predict", "--track", ""), "--track needs a text"),
        (("predict", "--search", " "), "--search needs words"),
        (("predict", "--artist", ""), "--artist needs a name"),
        (("clusters", "--clusters", "100000"), "at most 1,000"),
        (("clusters", "--clusters", "1001"), "at most 1,000"),
    ],
)
def test_options_that_mean_nothing_are_refused(
    database: Engine, arguments: tuple[str, ...], part: str
) -> None:
    """With exit code 2."""
    code, message = refusal(*arguments)
    assert code == 2
    assert part in message


def test_an_unusable_model_is_a_refusal() -> None:
    """Nothing was changed, and the message says what to do."""
    assert BrokenArtifact("It is damaged.").exit_code == 2


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (-0.30, -0.20, "Worse than model 7"),
        (-0.05, -0.01, "Worse than model 7"),
        (-0.05, 0.02, "May be worse than model 7"),
    ],
)
def test_a_worse_model_is_called_worse(low: float, high: float, words: str) -> None:
    """An interval that is wholly below zero leaves no doubt."""
    comparison = Comparison(100, (low + high) / 2, Interval(low, high))
    decision = decide_against_champion(
        {"new_artist": comparison}, champion_id=7, rows=100, champion_rows=100, new_genres=0
    )
    assert decision.status == "rejected"
    assert decision.reason.startswith(words)


@given(st.integers(0, 2**32 - 1), st.integers(4, 60), st.sampled_from([0.2, 1.0, 5.0]))
def test_a_metric_lies_inside_its_interval(seed: int, tracks: int, sharpness: float) -> None:
    """Also those that resampling biases, such as the calibration error of few tracks."""
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet([1 / sharpness] * 3, tracks)
    predictions = LabelledPredictions(
        probabilities=probabilities,
        truth=random.integers(3, size=tracks),
        artists=np.arange(tracks) // 2,
        any_genre_correct=np.ones(tracks, dtype=bool),
        has_verdict=np.zeros(tracks, dtype=bool),
    )
    bootstrap = ArtistBootstrap(predictions.artists, seed=0, n_resamples=100)
    metrics = {one.metric: one for one in overall_metrics(predictions, 0, bootstrap)}
    ece = metrics["ece"]
    assert ece.interval is not None
    assert 0 <= ece.interval.low <= ece.value <= ece.interval.high


def test_descriptors_of_few_tracks_are_named(database: Engine) -> None:
    """A set that fewer than a tenth have is left out, and a warning names it."""
    Music(artists=60).fill(database)
    config = TrainingConfig(auto_features=True)
    assert audio_joins.unused_groups_warning(database, config) is None
    with transaction(database) as connection:
        track = connection.scalar(select(views.training_tracks.c.track_id).limit(1))
        make.add_descriptor(connection, track, {"mfcc": 0.5}, schema="gtzan-57")
    warning = audio_joins.unused_groups_warning(database, config)
    assert warning is not None
    assert warning.startswith("Not used: descriptors 'gtzan-57' (1) of ")
    assert warning in json.loads(run_text("train", "--estimator", "dummy", "--json"))["warnings"]

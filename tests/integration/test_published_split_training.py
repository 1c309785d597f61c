"""Models evaluated on a dataset's published split."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, update

from classifier.errors import BadTrainingConfig
from classifier.registry import stored_models
from classifier.training import promote, train
from classifier.training_config import TrainingConfig
from genrebase.store import tables
from genrebase.store.engine import transaction
from tests.fakes import FakeClock
from tests.synthetic_music import Music

OFFICIAL = TrainingConfig(
    task="published", estimator="tree", features=("audio",), split="official"
)
SIDES = ("training", "training", "validation", "test")


@pytest.fixture
def published(sqlite_engine: Engine) -> Engine:
    """All songs of an artist on one side, a quarter of the artists held out each time."""
    music = Music(guests=0.0)
    music.fill(sqlite_engine)
    track = tables.track
    with transaction(sqlite_engine) as connection:
        for place, side in enumerate(SIDES):
            ids = [song.id for song in music.songs if song.artists[0] // 3 % len(SIDES) == place]
            connection.execute(update(track).where(track.c.id.in_(ids)).values(split=side))
    return sqlite_engine


def test_metrics_are_of_the_published_test_split(published: Engine) -> None:
    """The split is stored with the configuration; an equal training is not repeated."""
    done = train.run(published, OFFICIAL, FakeClock(), log=lambda _: None)
    model = done.model
    assert (model.status, model.training_config["split"]) == ("champion", "official")
    assert model.trained_rows == 240
    assert model.metrics["new_artist"]["n"] == 120
    assert model.metrics["seen_artist"]["n"] == 0
    assert train.run(published, OFFICIAL, FakeClock(), log=lambda _: None).nothing_new
    assert TrainingConfig.from_model(stored_models.model(published, model.id)) == OFFICIAL
    worse = replace(OFFICIAL, estimator="dummy")
    rejected = train.run(published, worse, FakeClock(), log=lambda _: None).model
    assert rejected.status == "rejected"
    crowned = promote.run(published, rejected.id, FakeClock(), log=lambda _: None)
    assert crowned.status == "champion"
    of_training, of_test = 240 * 3, 120  # ranks 1 to 3, and the first of each test track
    assert stored_models.prediction_count(published, rejected.id) == of_training + of_test


def test_models_of_different_splits_do_not_compete(published: Engine) -> None:
    """This holds in the main task and in others."""
    main = replace(OFFICIAL, task="main")
    with pytest.raises(BadTrainingConfig, match="evaluated on the frozen folds: name another"):
        train.run(published, main, FakeClock(), log=lambda _: None)
    train.run(published, OFFICIAL, FakeClock(), log=lambda _: None)
    frozen = replace(OFFICIAL, split="frozen")
    with pytest.raises(BadTrainingConfig, match="official split"):
        train.run(published, frozen, FakeClock(), log=lambda _: None)

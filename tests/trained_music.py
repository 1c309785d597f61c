"""A database of synthetic music with a champion, which is trained once in a run."""

from typing import Final

from sqlalchemy import Engine

from classifier.training import train
from classifier.training.train import TrainResult
from classifier.training_config import TrainingConfig
from tests import database_states
from tests.fakes import FakeClock
from tests.synthetic_music import Music

LOGISTIC: Final = TrainingConfig(estimator="logistic")


def fill_and_train(engine: Engine) -> TrainResult:
    """Fill an empty database with `Music()`, and train its first model, the champion."""

    def make() -> TrainResult:
        Music().fill(engine)
        return train.run(engine, LOGISTIC, FakeClock(), log=lambda _: None)

    return database_states.once(engine, __name__, make)

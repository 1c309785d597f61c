"""A database of synthetic music with a champion, which is trained once in a run."""

from typing import Final

from sqlalchemy import Engine, select

from classifier.training import train
from classifier.training.train import TrainResult
from classifier.training_config import TrainingConfig
from genrebase.store import tables
from genrebase.store.engine import read_transaction
from tests import database_states
from tests.fakes import FakeClock
from tests.synthetic_music import Music

LOGISTIC: Final = TrainingConfig(estimator="logistic")


def fill_and_train(engine: Engine) -> TrainResult:
    """Fill a database with `Music()` unless it has rows, and train its first model, a champion."""

    def make() -> TrainResult:
        with read_transaction(engine) as connection:
            is_filled = connection.scalar(select(tables.track.c.id).limit(1)) is not None
        if not is_filled:
            Music().fill(engine)
        return train.run(engine, LOGISTIC, FakeClock(), log=lambda _: None)

    return database_states.once(engine, __name__, make)

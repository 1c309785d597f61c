"""Kill a training at a given point: `python -m tests.kill_training URL POINT MOMENT`.

POINT is part of a log message (`evaluating`), part of a statement (`INSERT INTO prediction`), or
`commit`: the moment before other connections see the model and its rows.
"""

import os
import signal
import sys
from datetime import datetime
from typing import Any

from sqlalchemy import event

from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.store.engine import make_engine
from tests.fakes import FakeClock


def main(url: str, point: str, moment: str) -> None:
    engine, stored = make_engine(url), []

    def kill_at(message: str) -> None:
        if point in message:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(engine, "before_cursor_execute")
    def on_statement(_c: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("INSERT INTO model "):
            stored.append(statement)
        kill_at(statement)

    @event.listens_for(engine, "commit")
    def on_commit(_connection: Any) -> None:
        if stored:
            kill_at("commit")

    choice = TrainingConfig(estimator="logistic")
    clock = FakeClock(datetime.fromisoformat(moment))
    train.run(engine, choice, clock, log=kill_at, cores=1, again=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

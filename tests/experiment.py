"""An experiment over a test database, and one that is killed after some trials."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from classifier.experiments.runner import ExperimentContext
from tests.fakes import FakeClock


class Killed(Exception):
    """Ends an experiment in the middle."""


def context(engine: Engine, **more: Any) -> ExperimentContext:
    return ExperimentContext(
        **{
            "database": engine,
            "clock": FakeClock(),
            "progress": lambda *_, **__: None,
            **more,
        }
    )


def kill_after(trials: int) -> Callable[..., None]:
    """Return a progress callback that ends an experiment when so many trials are done."""

    def progress(done: float, **_: Any) -> None:
        if done == trials:
            raise Killed

    return progress

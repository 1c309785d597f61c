"""A killed training stores nothing, wherever it is killed, on both engines."""

import subprocess
import sys
from itertools import count
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event, func, select

from classifier.model_records import ConfusionCell, MetricRow, PromotionDecision
from classifier.registry import model_store, prediction_store
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.settings import child_environment
from genrebase.store import tables
from genrebase.store.engine import make_engine, read_transaction
from tests.fakes import NOON, FakeClock
from tests.synthetic_music import Music

TABLES = ("model", "model_metric", "confusion", "prediction")
SIGKILL = 9


class Killed(BaseException):
    """What no code of ours catches."""


class Fuse:
    """Lets so many statements pass."""

    def __init__(self, engine: Engine) -> None:
        self.left: float = float("inf")
        event.listen(engine, "before_cursor_execute", self)

    def __call__(self, *_: Any) -> None:
        if self.left <= 0:
            raise Killed
        self.left -= 1


def held(engine: Engine) -> dict[str, int]:
    with read_transaction(engine) as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(tables.metadata.tables[name]))
            or 0
            for name in TABLES
        }


def statuses(engine: Engine) -> list[str]:
    with read_transaction(engine) as connection:
        return list(connection.scalars(select(tables.model.c.status).order_by(tables.model.c.id)))


def stored(engine: Engine, number: int, expected: int | None) -> int:
    """Store a model as a training does."""
    schema = {"classes": ["blues", "metal"], "columns": []}
    candidate = model_store.CandidateModel(
        created_at=NOON, task="main", estimator="dummy", params={},
        training_config={"level": "fine"}, feature_schema=schema, data_fingerprint="data",
        origin=None, trained_rows=10, seconds=float(number), artifact=b"model",
        artifact_sha256=f"sum {number}", metrics={}, versions={}, golden_rows={}, sources={},
        licence_class="open", track_counts={},
    )  # fmt: skip
    results = prediction_store.PredictionBatch(
        np.array([1, 2]),
        np.array([[0, 1], [1, 0]]),
        np.array([[0.9, 0.1], [0.8, 0.2]]),
        np.array([True, False]),
        in_training=True,
    )
    metric = MetricRow("test", "all", "blues", "f1", 0.5, None, None, 30)
    confused = ConfusionCell("new_artist", "blues", "metal", 3)
    decision = PromotionDecision("champion", "Better.")
    claim = model_store.PromotionRequest(results, expected)
    return model_store.store_model(engine, candidate, [metric], [confused], decision, claim)


def test_a_model_is_stored_whole_or_not_at_all(engine: Engine) -> None:
    """Whichever statement is the last: the champion reigns on, nothing of the new one is there."""
    Music(artists=6).fill(engine)
    first = stored(engine, 1, None)
    before, fuse = held(engine), Fuse(engine)
    for passed in count():
        fuse.left = passed
        try:
            number = stored(engine, 2, first)
            break
        except Killed:
            fuse.left = float("inf")
            assert (held(engine), statuses(engine)) == (before, ["champion"])
    fuse.left = float("inf")
    assert passed > 5
    assert statuses(engine) == ["retired", "champion"]
    assert held(engine) == {name: 2 * rows for name, rows in before.items()}
    assert stored(engine, 2, first) == number
    assert held(engine)["model"] == 2


@pytest.mark.processes
@pytest.mark.parametrize(
    ("kind", "point"), [("sqlite_url", "evaluating"), ("postgres_url", "commit")]
)
def test_a_real_kill_leaves_nothing(request: pytest.FixtureRequest, kind: str, point: str) -> None:
    """Neither while it computes nor before the last commit; the next one need not wait."""
    database_url: str = request.getfixturevalue(kind)
    engine = make_engine(database_url)
    Music(artists=30).fill(engine)
    argv = [sys.executable, "-m", "tests.kill_training", database_url, point, NOON.isoformat()]
    died = subprocess.run(argv, env=child_environment(), check=False, timeout=120)
    assert died.returncode == -SIGKILL
    assert set(held(engine).values()) == {0}
    choice = TrainingConfig(estimator="logistic")
    done = train.run(engine, choice, FakeClock(), log=lambda _: None, cores=1)
    assert done.model.status == "champion"
    row = tables.job_run.c
    with read_transaction(engine) as connection:
        outcomes = connection.scalars(select(row.outcome).order_by(row.id)).all()
    assert outcomes == ["interrupted", "done"]
    engine.dispose()

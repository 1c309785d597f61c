"""Training on a snapshot reproduces metrics exactly, in any database."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update
from typer.testing import CliRunner

from classifier.cli import app
from classifier.errors import BadTrainingConfig
from classifier.registry import stored_models
from classifier.training import promote
from genrebase.errors import GenrebaseError
from genrebase.store import schema_upgrade, tables
from genrebase.store.engine import make_engine, read_transaction, transaction
from tests.classifier_cli import run_json
from tests.fakes import FakeClock

CHOICE = ("--estimator", "logistic", "--features", "audio", "--min-tracks", "20")


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Engine]]:
    """Return a function that switches to a new, empty database."""
    engines = []

    def go() -> Engine:
        url = f"sqlite:///{tmp_path / 'other.db'}"
        schema_upgrade.upgrade(url)
        monkeypatch.setenv("STORE_URL", url)
        engines.append(make_engine(url))
        return engines[-1]

    yield go
    for engine in engines:
        engine.dispose()


def figures(engine: Engine, model: int) -> list[tuple]:
    metric, genre = tables.model_metric, tables.genre
    columns = [
        metric.c[name] for name in ("side", "regime", "metric", "value", "low", "high", "n")
    ]
    query = (
        select(*columns, genre.c.name)
        .select_from(metric.outerjoin(genre, genre.c.id == metric.c.genre_id))
        .where(metric.c.model_id == model)
        .order_by(metric.c.id)
    )
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(query)]


def test_metrics_are_reproduced_in_an_empty_database(
    database: Engine, elsewhere: Callable[[], Engine], tmp_path: Path
):
    """Every metric per regime and genre is equal; the model does not compete."""
    folder = str(tmp_path / "frozen")
    first = run_json("train", *CHOICE)
    run_json("snapshot", folder, *CHOICE)
    other = elsewhere()
    again = run_json("train", "--snapshot", folder)
    assert again["metrics"] == first["metrics"]
    assert figures(other, again["id"]) == figures(database, first["id"])
    assert stored_models.model(other, again["id"]).data_fingerprint == (
        stored_models.model(database, first["id"]).data_fingerprint
    )
    assert (first["status"], again["status"]) == ("champion", "rejected")
    assert "frozen" in again["reason"]
    with pytest.raises(BadTrainingConfig, match="on a snapshot"):
        promote.run(other, again["id"], FakeClock(), log=lambda _: None)


def test_later_data_do_not_change_the_metrics(database: Engine, tmp_path: Path):
    """After changes to the tracks the snapshot gives the same metrics."""
    folder = str(tmp_path / "frozen")
    first = run_json("train", *CHOICE)
    run_json("snapshot", folder, *CHOICE)
    with transaction(database) as connection:
        connection.execute(update(tables.audio_features).values(energy=0.5))
    again = run_json("train", "--snapshot", folder)
    assert again["metrics"] == first["metrics"]
    assert again["id"] != first["id"]
    assert run_json("train", "--snapshot", folder)["nothing_new"]
    assert stored_models.champion(database, "main").id == first["id"]


def test_options_override_the_snapshot(database: Engine, tmp_path: Path):
    """Another estimator uses the same rows; a changed file is refused."""
    folder = tmp_path / "frozen"
    run_json("snapshot", str(folder), *CHOICE)
    made = run_json("train", "--snapshot", str(folder), "--estimator", "dummy")
    assert (made["estimator"], made["choice"]["features"]) == ("dummy", ["audio"])
    assert made["choice"]["min_tracks"] == 20
    file = folder / "credits.parquet"
    file.write_bytes(file.read_bytes()[:-1])
    ran = CliRunner().invoke(app, ["train", "--snapshot", str(folder)])
    assert isinstance(ran.exception, GenrebaseError)
    assert (ran.exception.exit_code, "credits.parquet" in str(ran.exception)) == (2, True)

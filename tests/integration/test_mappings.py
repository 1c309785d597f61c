"""Mappings of fine genres to broad ones: stored by people, used by models."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select
from typer.testing import CliRunner

from classifier.data import dataset
from classifier.errors import BadTrainingConfig
from classifier.training import train
from classifier.training_config import TrainingConfig
from collector.cli import app
from collector.curation import mappings
from genrebase.errors import UserError
from genrebase.runtime.clock import SystemClock
from genrebase.store import default_mapping, tables, views
from genrebase.store.engine import read_transaction
from tests.synthetic_music import Music

FILE = "fine,broad\nblues,roots\nmetal,loud\ntechno,loud\n"
BROAD = TrainingConfig(
    task="broad", estimator="logistic", mapping="mine", level="broad", features=("audio",)
)


def learn(engine: Engine, choice: TrainingConfig) -> train.TrainResult:
    return train.run(engine, choice, SystemClock(), log=lambda _: None, cores=1)


def written(folder: Path, text: str = FILE) -> Path:
    path = folder / "mapping.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def filled(engine: Engine, tmp_path: Path) -> Engine:
    Music().fill(engine)
    mappings.define(engine, "mine", written(tmp_path))
    return engine


def test_a_model_classifies_broad_genres(filled: Engine) -> None:
    """Its predictions have the broad names, which no track has."""
    done = learn(filled, BROAD)
    assert done.model.classes == ("loud", "roots")
    predictions, genre = tables.prediction, tables.genre
    with read_transaction(filled) as connection:
        named = (
            select(genre.c.name).join(predictions, predictions.c.genre_id == genre.c.id).distinct()
        )
        assert set(connection.scalars(named)) == {"loud", "roots"}
    assert learn(filled, BROAD).nothing_new


def test_models_of_one_task_have_the_same_level(filled: Engine) -> None:
    """Another level is another task; `main` uses the genres of the tracks."""
    learn(filled, BROAD)
    fine = TrainingConfig(task="broad", estimator="logistic", features=("audio",))
    with pytest.raises(BadTrainingConfig, match="broad genres"):
        learn(filled, fine)
    with pytest.raises(BadTrainingConfig, match="--task broad"):
        learn(filled, TrainingConfig(estimator="logistic", level="broad", mapping="mine"))


def test_a_miss_within_the_broad_genre_is_counted(filled: Engine) -> None:
    """The broad accuracy is at least the fine accuracy."""
    fine = TrainingConfig(task="fine", estimator="logistic", mapping="mine", features=("audio",))
    result = learn(filled, fine).model.metrics["seen_artist"]
    assert result["broad_accuracy"] >= result["accuracy"]


def test_a_mapping_is_replaced_whole_or_not_at_all(filled: Engine, tmp_path: Path) -> None:
    """A genre in two groups is refused, and what stood before stands."""
    with pytest.raises(UserError, match="blues"):
        mappings.define(filled, "mine", written(tmp_path, FILE + "blues,loud\n"))
    done = mappings.define(filled, "mine", written(tmp_path, "fine,broad\nblues,old\n"))
    assert (done.genres, done.broad, done.unmapped) == (1, ("old",), ("metal", "techno"))
    assert mappings.remove(filled, "mine") == 1
    with pytest.raises(UserError, match="genrebase-13"):
        mappings.remove(filled, "mine")


def test_the_default_mapping_is_there_from_the_start(engine: Engine) -> None:
    """13 groups of all that the view names."""
    row = views.genre_mappings.c
    with read_transaction(engine) as connection:
        counted = select(func.count(), func.count(row.broad.distinct())).where(
            row.mapping == "genrebase-13"
        )
        assert tuple(connection.execute(counted).one()) == (len(default_mapping.BROAD_BY_FINE), 13)


def test_the_default_mapping_can_be_replaced(engine: Engine, tmp_path: Path) -> None:
    """Removing the replacement restores it; the default itself cannot be removed."""
    mappings.define(engine, "genrebase-13", written(tmp_path))
    assert [(one.mapping, one.fine) for one in mappings.list_mappings(engine)] == [
        ("genrebase-13", 3)
    ]
    mappings.remove(engine, "genrebase-13")
    assert mappings.list_mappings(engine)[0].fine == len(default_mapping.BROAD_BY_FINE)
    with pytest.raises(UserError, match="built in"):
        mappings.remove(engine, "genrebase-13")


def test_the_classifier_reads_stored_mappings(filled: Engine) -> None:
    """The mapping is read through the view."""
    assert dataset.load_dataset(filled).mappings["mine"]["metal"] == "loud"


def test_commands_write_documents(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`genres map` and `genres mappings` write JSON documents."""
    monkeypatch.setenv("STORE_URL", sqlite_url)

    def ask(*arguments: str) -> Any:
        ran = CliRunner().invoke(app, ["genres", *arguments, "--json"], catch_exceptions=False)
        return json.loads(ran.stdout)

    assert ask("map", str(written(tmp_path)), "--mapping", "mine")["broad"] == ["loud", "roots"]
    assert {one["mapping"] for one in ask("mappings")} == {"genrebase-13", "mine"}
    assert [one["mapping"] for one in ask("mappings", "--remove", "mine")] == ["genrebase-13"]

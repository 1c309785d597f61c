"""The page on notebooks runs as it stands."""

import re
from pathlib import Path

import pytest

from classifier.serving import batch_predict
from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.progress import no_progress
from genrebase.store import connect
from tests.fakes import FakeClock
from tests.synthetic_music import Music

PAGE = Path(__file__).parents[2] / "docs" / "notebooks.md"


def test_the_examples_run(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every block after the other, on a database with a champion."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    engine = connect()
    Music().fill(engine)
    train.run(engine, TrainingConfig(estimator="logistic"), FakeClock(), log=lambda _: None)
    batch_predict.run(engine, FakeClock(), progress=no_progress)
    engine.dispose()
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 5
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    output = capsys.readouterr().out
    assert "of unseen artists" in output
    assert float(output.rsplit("unseen artists:", 1)[1]) > 0.6

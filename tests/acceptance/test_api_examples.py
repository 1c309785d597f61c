"""The examples of docs/api.md run as they are printed, against a server process."""

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from classifier.training import train
from classifier.training_config import TrainingConfig
from genrebase.store.engine import make_engine
from tests import synthetic_audio
from tests.fakes import FakeClock
from tests.synthetic_music import Music

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ADDRESS = "http://127.0.0.1:8400"
EXAMPLES = [
    pytest.param(*match.groups(), id=f"{match[1]} {number}")
    for number, match in enumerate(
        re.finditer(r"```(sh|python)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    )
    if match[2].strip() != "genrebase serve"
]
SERVE = (
    "import sys; from genrebase.cli import main; sys.argv[1:] = ['serve', '--port', '0']; main()"
)


@pytest.fixture(scope="module")
def server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve a database of synthetic music; yield the address."""
    folder = tmp_path_factory.mktemp("api")
    url = f"sqlite:///{folder / 'genrebase.db'}"
    (folder / "genrebase.db").write_bytes(migrated_sqlite.read_bytes())
    engine = make_engine(url)
    Music().fill(engine)
    train.run(engine, TrainingConfig(estimator="logistic"), FakeClock(), log=lambda _: None)
    engine.dispose()
    environment = {**os.environ, "STORE_URL": url}  # noqa: TID251 - of the server
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        address = re.search(r"http://[^/]+", process.stdout.readline())
        assert address is not None
        yield address[0]
        process.terminate()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the examples."""
    folder = tmp_path_factory.mktemp("files")
    synthetic_audio.write(folder / "song.wav", synthetic_audio.song(3, 1))
    (folder / "tracks.csv").write_text("title,artists,tempo\nBlue Moon,Nobody,120\n")
    return folder


@pytest.mark.parametrize(("language", "example"), EXAMPLES)
def test_examples_of_the_page(
    server: str, folder: Path, language: str, example: str, monkeypatch: pytest.MonkeyPatch
):
    text = example.replace(ADDRESS, server)
    if language == "sh":
        command = ["bash", "-ec", text.replace("curl -s", "curl -sS --fail-with-body")]
        done = subprocess.run(
            command, check=False, cwd=folder, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout
        return
    monkeypatch.chdir(folder)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(text, str(PAGE), "exec"), {})
    assert printed.getvalue() or "print" not in text

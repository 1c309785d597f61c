"""A server process: the examples of docs/api.md run as printed, and hostile clients do no harm."""

import contextlib
import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

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


MAX_MEMORY = 64 << 20
"""Bytes of memory that hostile clients may cost."""


@dataclass(frozen=True)
class Server:
    """A process of `genrebase serve`."""

    address: str
    process: int

    def memory(self, name: str) -> int:
        """Return bytes of memory: `VmRSS` of now, `VmHWM` the peak since it was reset."""
        status = Path(f"/proc/{self.process}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith(name))
        return int(line.split()[1]) << 10

    def reset_peak(self) -> None:
        Path(f"/proc/{self.process}/clear_refs").write_text("5")


@pytest.fixture(scope="module")
def server(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve a database of synthetic music."""
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
        yield Server(address[0], process.pid)
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
    server: Server, folder: Path, language: str, example: str, monkeypatch: pytest.MonkeyPatch
):
    text = example.replace(ADDRESS, server.address)
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


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_hostile_clients_get_a_problem_and_others_an_answer(server: Server, folder: Path):
    """51 MB, 1,001 items, a truncated file and clients that send nothing, at the same time."""
    api = f"{server.address}/api/v1"
    mp3 = synthetic_audio.write(folder / "song.mp3", synthetic_audio.song(3, 1)).read_bytes()
    large = b"title\n" + b"a,b\n" * 12_750_000

    def post(path: str, body: bytes, media_type: str) -> requests.Response:
        headers = {"Content-Type": media_type}
        return requests.post(f"{api}/{path}", data=body, headers=headers, timeout=60)

    items = b'{"items": [' + b",".join([b'{"title": "x"}'] * 1_001) + b"]}"
    assert post("predict", items[:40] + b"]}", "application/json").status_code == 200
    assert post("predict/audio", mp3, "audio/mpeg").json()["genre"]
    server.reset_peak()
    before, answered = server.memory("VmRSS"), 0
    host, _, port = server.address.removeprefix("http://").partition(":")
    head = (
        f"POST /api/v1/predict/csv HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Type: text/csv\r\n"
    )
    with contextlib.ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        for _ in range(20):
            slow = stack.enter_context(socket.create_connection((host, int(port))))
            slow.sendall(f"{head}Content-Length: 9000\r\n\r\ntitle".encode())
        sent = [
            pool.submit(post, "predict/csv", large, "text/csv"),
            pool.submit(post, "predict/audio", large, "audio/mpeg"),
            pool.submit(post, "predict", large[:5_000_000], "application/json"),
        ]
        while not all(one.done() for one in sent):
            assert requests.get(f"{api}/genres", timeout=30).status_code == 200
            answered += 1
        assert post("predict", items, "application/json").status_code == 422
        cut = post("predict/audio", mp3[: len(mp3) // 2], "audio/mpeg")
        assert cut.json()["remarks"] if cut.ok else cut.status_code == 422
        assert post("predict/audio", mp3[:20], "audio/mpeg").status_code == 422
    assert [one.result().status_code for one in sent] == [413, 413, 413]
    assert all("larger than" in one.result().json()["detail"] for one in sent)
    assert answered
    assert server.memory("VmHWM") - before <= MAX_MEMORY

"""The temporary PostgreSQL server of the tests ends with them, however they end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from genrebase.runtime.clock import SystemClock

CLOCK = SystemClock()
TESTS = """
import signal
import sys
from pathlib import Path
from tests.postgres import stopping_server
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by background jobs
with stopping_server(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, None])
def test_the_server_and_its_folder_are_gone(tmp_path: Path, sent: signal.Signals | None):
    """After a kill, Ctrl-C and a regular end; a sleeping process stands for the server."""
    folder = tmp_path / "server"
    (folder / "data").mkdir(parents=True)
    server = subprocess.Popen(["env", "--default-signal=QUIT", "sleep", "60"])
    (folder / "data" / "postmaster.pid").write_text(f"{server.pid}\n/data\n")
    with subprocess.Popen(
        [sys.executable, "-c", TESTS, str(folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as tests:
        assert tests.stdout is not None
        assert tests.stdin is not None
        assert tests.stdout.readline() == b"ready\n"
        if sent is None:
            tests.stdin.close()
        else:
            os.kill(tests.pid, sent)
    assert server.wait(30) == -signal.SIGQUIT
    deadline = CLOCK.monotonic() + 30
    while folder.exists() and CLOCK.monotonic() < deadline:
        CLOCK.sleep(0.02)
    assert not folder.exists()

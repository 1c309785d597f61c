"""The command that serves the sandbox."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from genrebase.errors import UserError
from sandbox.command import sandbox
from sandbox.errors import PortTaken
from sandbox.server import serve_in_thread
from sandbox.tracks import catalogue_file
from sandbox.tracks.catalogue import SandboxCatalogue
from tests.sandbox_client import CATALOGUE


def test_taken_port_is_refused(extended):
    """The sentence names the port and the way out."""
    with (
        pytest.raises(PortTaken, match=rf"Port {extended.sandbox.port} .*--port 0"),
        serve_in_thread(CATALOGUE, port=extended.sandbox.port),
    ):
        pass


COMMAND = [sys.executable, "-m", "collector", "sandbox"]


def test_command_serves_and_ends_cleanly(tmp_path):
    """One line has the address; SIGTERM ends it with 0; the log has the query, stdout JSON."""
    file = tmp_path / "music.csv"
    file.write_text("genre,track_name,artists\nr&b,One,Abba\n", encoding="utf-8")
    arguments = ["--catalogue", str(file), "--port", "0", "--json"]
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        document = json.loads(process.stdout.readline())
        url = f"http://127.0.0.1:{document['port']}"
        assert document["url"] == url
        assert document["services"]["spotify"] == url
        assert document["services"]["musicbrainz"] == f"{url}/musicbrainz"
        assert requests.get(f"{url}/v1/search?q=genre:%22r%26b%22", timeout=5).status_code == 401
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert out == b""
    assert b"r&b" in errors


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"catalogue": Path("none.csv")}, "none.csv cannot be read"),
        ({"rate": "fast"}, "--rate: 'fast' is not a rate"),
        ({"reccobeats_rate": "0/1s"}, "--reccobeats-rate: '0/1s' is not a rate"),
        ({"acousticbrainz": "off"}, "--acousticbrainz 'off' cannot be: give up or down"),
        ({"mode": "premium"}, "There is no mode 'premium': --mode is development or extended"),
        ({"host": "0.0.0.0"}, "listens on 127.0.0.1 only"),
        ({"retry_after": 0}, "--retry-after 0 cannot be: give a number above 0"),
        ({"faults": "404=0.1"}, "--faults: '404' is no kind of fault: there are 500, 503, "),
        ({"token_seconds": -1}, "--token-seconds -1 cannot be"),
    ],
)
def test_bad_options_are_refused(options, sentence):
    """Each one is refused with a sentence before anything is served."""
    with pytest.raises(UserError, match=re.escape(sentence)):
        sandbox(**options)


def test_catalogue_is_written(tmp_path, capsys):
    """`--write` saves the served catalogue and exits."""
    file = tmp_path / "music.csv"
    file.write_text("genre,track_name,artists\nr&b,NA,Abba\n", encoding="utf-8")
    sandbox(catalogue=file, write=tmp_path / "saved.csv", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["file"], document["rows"]) == (str(tmp_path / "saved.csv"), 1)
    assert (
        SandboxCatalogue(catalogue_file.read_table(tmp_path / "saved.csv")).track_at(0).title
        == "NA"
    )

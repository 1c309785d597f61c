"""The command `genrebase`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from genrebase import cli
from genrebase.runtime.command_line import run_app
from genrebase.store import schema_upgrade

ROOT = Path(__file__).resolve().parents[3]
NOBODY = {"COLLECTOR_SPOTIFY_URL": "http://127.0.0.1:1"}
"""An address at which nobody answers: no test asks the real services."""


class Shell:
    """Run `genrebase` as a user does, in its own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "genrebase", *arguments],
            cwd=self.folder,
            env={"PYTHONPATH": str(ROOT), "COLUMNS": "200", **NOBODY, **settings},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def json(self, *arguments: str, **settings: str) -> Any:
        return json.loads(self(*arguments, "--json", **settings).stdout)


@pytest.fixture
def genrebase(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


Said = subprocess.CompletedProcess[str]


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """Run `genrebase` in this process, in a folder of its own."""

    def here(*arguments: str, **settings: str) -> Said:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["genrebase", *arguments])
        for name, value in {"COLUMNS": "200", **NOBODY, **settings}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            run_app(cli.app)
        return subprocess.CompletedProcess(arguments, ended.value.code, *capfd.readouterr())

    return here


def test_help_names_its_own_commands_and_those_of_both_sides(genrebase: Shell) -> None:
    """Everything that registers is mounted under its name."""
    result = genrebase("--help")
    assert result.returncode == 0
    for name in ("run", "demo", "doctor", "migrate", "collector", "classifier"):
        assert f" {name} " in result.stdout
    assert result.stderr == ""


def test_migrate_makes_the_database_and_is_harmless_again(here: Callable[..., Said]) -> None:
    """A new file gets the schema; a second time there is nothing to do."""
    url = "sqlite:///made.db"
    first = json.loads(here("migrate", "--json", STORE_URL=url).stdout)
    assert first == {"database": url, "from": None, "to": schema_upgrade.EXPECTED_REVISION}
    second = here("migrate", STORE_URL=url)
    assert "unchanged" in second.stdout
    assert (second.returncode, second.stderr) == (0, "")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("nonsense", "Write sqlite:///FILE or postgresql://"),
        ("mysql://host/name", "SQLite or PostgreSQL"),
        ("postgresql://me:hunter2@127.0.0.1:1/name", "does not respond"),
        ("sqlite:////no/such/folder/x.db", "There is no folder /no/such/folder"),
    ],
)
@pytest.mark.parametrize("command", ["migrate", "demo", "run"])
def test_an_unusable_database_gets_a_sentence(
    here: Callable[..., Said], tmp_path: Path, command: str, url: str, sentence: str
) -> None:
    """No traceback, no password, one JSON document with the message, and nothing is made."""
    result = here(command, "--json", STORE_URL=url)
    assert result.returncode in {1, 2}
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert "hunter2" not in result.stderr
    document = json.loads(result.stdout)
    assert sentence in document["error"]
    assert "hunter2" not in document["error"]
    assert document["exit_code"] == result.returncode
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_cannot_be_gets_a_sentence(genrebase: Shell) -> None:
    """A log level that is none is refused by its variable's name."""
    result = genrebase("doctor", GENREBASE_LOG_LEVEL="LOUD")
    assert result.returncode == 2
    assert "GENREBASE_LOG_LEVEL" in result.stderr


def test_a_misspelt_setting_is_named(here: Callable[..., Said]) -> None:
    """By the doctor as a line to fix, and by every other command as a warning."""
    misspelt = {"COLLECTOR_RATES": "60/30s"}
    sentence = "COLLECTOR_RATES is no setting of Genrebase: did you mean COLLECTOR_RATE?"
    assert f"FIX  settings: {sentence}" in here("doctor", **misspelt).stdout
    result = here("migrate", **misspelt)
    assert result.returncode == 0
    assert sentence in result.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("COLLECTOR_FEATURE_ORDER", "spotfy,csv"),
        ("CLASSIFIER_ESTIMATOR", "foo"),
        ("CLASSIFIER_SCHEDULE", "nightly"),
    ],
)
def test_migrate_refuses_a_setting_that_cannot_be(
    here: Callable[..., Said], tmp_path: Path, name: str, value: str
) -> None:
    """As the doctor reports it; no database is made."""
    result = here("migrate", **{name: value})
    assert result.returncode == 2
    assert result.stderr.startswith(f"{name}: ")
    assert list(tmp_path.iterdir()) == []
    assert f"FIX  settings: {name}: " in here("doctor", **{name: value}).stdout


def test_the_doctor_offline_logs_nothing(genrebase: Shell) -> None:
    """An unreachable source is a line of its output; retries are not logged in addition."""
    genrebase("migrate")
    result = genrebase(
        "doctor",
        SPOTIPY_CLIENT_ID="an-id",
        SPOTIPY_CLIENT_SECRET="a-secret",
        COLLECTOR_RECCOBEATS_URL=NOBODY["COLLECTOR_SPOTIFY_URL"],
    )
    assert "FIX  spotify search: Nothing answers at http://127.0.0.1:" in result.stdout
    assert "FIX  reccobeats: Nothing answers at http://127.0.0.1:" in result.stdout
    assert result.stderr.splitlines() == ["Failed checks: spotify search, reccobeats."]


def test_the_doctor_names_the_remedy(genrebase: Shell) -> None:
    """Without a database it prints the command to create one; the exit code is 1."""
    result = genrebase("doctor")
    assert result.returncode == 1
    assert (
        "FIX  database: There is no genrebase.db yet: `genrebase migrate` creates it."
        in result.stdout
    )
    assert list(genrebase.folder.iterdir()) == []

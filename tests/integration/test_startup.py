"""Imports at start: help needs no database library, a look-up no numerical library."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NUMERICAL = {"numpy", "pandas", "scipy", "sklearn", "numba", "librosa", "torch", "matplotlib"}
NETWORK = {"requests", "spotipy", "starlette", "uvicorn"}
DATABASE = {"sqlalchemy", "alembic", "pydantic_settings", "structlog"}
RUN = """
import runpy, sys

package, *arguments = sys.argv[1:]
sys.argv = [package, *arguments]
try:
    runpy.run_module(package, run_name="__main__", alter_sys=True)
except SystemExit as ended:
    assert not ended.code, ended.code
print("\\n" + " ".join({name.partition(".")[0] for name in sys.modules}))
"""


def imported_by(folder: Path, command: str) -> set[str]:
    """Run a command in a fresh interpreter; return the top-level modules that it imported."""
    finished = subprocess.run(
        [sys.executable, "-c", RUN, *command.split()],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "STORE_URL": "sqlite:///a.db"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("package", ["genrebase", "collector", "classifier"])
def test_the_list_of_commands_imports_no_command(tmp_path: Path, package: str) -> None:
    """Help reads the docstrings of the commands from their source."""
    assert imported_by(tmp_path, f"{package} --help") & (DATABASE | NUMERICAL | NETWORK) == set()


@pytest.mark.parametrize(
    "command",
    [
        "collector status",
        "collector genres list",
        "classifier models",
        "classifier status",
        "genrebase collector status",
    ],
)
def test_a_look_up_imports_no_numerical_library(
    tmp_path: Path, migrated_sqlite: Path, command: str
) -> None:
    """It needs the database, but neither numpy nor the source's client."""
    shutil.copyfile(migrated_sqlite, tmp_path / "a.db")
    imported = imported_by(tmp_path, command)
    assert imported & (NUMERICAL | NETWORK | {"alembic"}) == set()
    assert "sqlalchemy" in imported


def test_a_look_up_makes_only_the_views_it_reads() -> None:
    """The table of a view is made when it is first used, because 48 take a third of the start."""
    script = (
        "from collector.commands import status\n"
        "from genrebase.store import views\n"
        "print([one.name for one in views.ALL.values() if 'table' in vars(one)], bool(views.ALL))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert printed.stdout == "[] True\n"

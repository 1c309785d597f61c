"""Files of the working folder are not imported instead of our packages."""

import subprocess
import sys
from pathlib import Path

import pytest

from genrebase.interpreter import module_command
from genrebase.launcher import supervisor
from genrebase.launcher.supervisor import ChildCommand

PACKAGES = Path(__file__).parents[3]


@pytest.fixture
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file for each of our packages, which no command may import."""
    for name in ("web", "collector", "classifier", "sandbox"):
        (tmp_path / f"{name}.py").write_text(
            "raise SystemExit('imported from the working folder')"
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("working_folder")
@pytest.mark.parametrize(
    "arguments", [("serve", "--help"), ("collector", "status", "--help"), ("classifier", "--help")]
)
def test_a_command_imports_its_packages(arguments: tuple[str, ...]) -> None:
    """`python -m genrebase`, as messages write it."""
    command = [sys.executable, "-m", "genrebase", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.usefixtures("working_folder")
def test_a_child_process_imports_its_packages() -> None:
    """Those of the launcher, and every module that runs in a process of its own."""
    for module in ("collector", "classifier"):
        ended = subprocess.run(module_command(module, "--version"), check=False)
        assert ended.returncode == 0
    command = ChildCommand("collector", ("--help",), {})
    with supervisor.start_child(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert b"Usage" in child.stdout.read()


def test_a_child_of_a_checkout_that_is_not_installed_finds_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parent and child run the packages of the working folder, as `python -m` does."""
    monkeypatch.chdir(PACKAGES)
    assert module_command("genrebase", "-h") == [sys.executable, "-m", "genrebase", "-h"]
    monkeypatch.chdir(PACKAGES / "genrebase")
    assert module_command("genrebase", "-h") == [sys.executable, "-P", "-m", "genrebase", "-h"]


def test_there_is_one_place_that_starts_modules() -> None:
    """A process that is started otherwise would import from the working folder."""
    others = [
        str(file.relative_to(PACKAGES))
        for package in ("genrebase", "collector", "classifier", "web", "sandbox")
        for file in (PACKAGES / package).rglob("*.py")
        if 'sys.executable, "-m"' in file.read_text(encoding="utf-8")
    ]
    assert others == []

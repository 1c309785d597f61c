"""Temporary files of tests, and of the commands that they start and kill."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

_PRINT = "import tempfile; print(tempfile.gettempdir())"


def test_they_are_below_the_folder_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What a killed command leaves there is deleted with the folder, by a later run."""
    of_child = subprocess.run(
        [sys.executable, "-c", _PRINT], capture_output=True, text=True, check=True
    ).stdout.strip()
    for folder in (tempfile.gettempdir(), of_child):
        assert Path(folder).is_relative_to(tmp_path_factory.getbasetemp())

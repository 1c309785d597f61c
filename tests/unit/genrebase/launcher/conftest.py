"""Small programs to start as children."""

from collections.abc import Callable
from pathlib import Path

import pytest

from genrebase.launcher.supervisor import ChildCommand

Program = Callable[..., ChildCommand]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Write a module and return how to start it."""

    def program(code: str, *arguments: str) -> ChildCommand:
        name = f"program_{len(list(tmp_path.glob('*.py')))}"
        (tmp_path / f"{name}.py").write_text(code)
        return ChildCommand(name, arguments, {"PYTHONPATH": str(tmp_path)})

    return program

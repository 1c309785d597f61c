"""Functions that stand for listening, in a module that a new process imports at once."""

import os
from pathlib import Path


def deadly(path: Path) -> str:
    """Say what the file is called; `killer` ends the process."""
    if path.name == "killer":
        os._exit(1)
    return path.name

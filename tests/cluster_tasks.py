"""Functions that tests run on the workers of a cluster; workers import this module."""

import os
import signal
from pathlib import Path

from genrebase.errors import UserError


def double(_shared: object, number: int) -> int:
    return 2 * number


def die_once(folder: str, number: int) -> tuple[int, str]:
    """Return `number`; the first worker that has it dies."""
    mark = Path(folder, f"{number}.tried")
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number, folder


def refuse(_shared: object, number: int) -> int:
    raise UserError(f"There is no number {number}.")


def fail(_shared: object, number: int) -> int:
    raise ZeroDivisionError(f"postgresql://me:secret-{number}@host/name")

"""Files that we make: what is there already is somebody's, and is never overwritten."""

from pathlib import Path
from typing import IO

from genrebase.errors import Refused


def create(path: Path) -> IO[str]:
    """Open a new text file for writing; raise `Refused` where there is one already."""
    try:
        return path.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise Refused(f"{path} exists already: choose another name, or remove it.") from None
    except OSError as error:
        raise Refused(f"{path} cannot be written: {error.strerror}.") from error

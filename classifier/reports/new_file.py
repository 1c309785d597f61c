"""Files that we make: whole or not at all, and never in the place of one that is there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from genrebase.errors import UserError


def refuse_existing(path: Path) -> None:
    """Raise `UserError` where a file cannot be made; for a look before the work begins."""
    if path.exists() or path.is_symlink():
        raise _taken(path)
    if not path.parent.is_dir():
        raise UserError(f"There is no folder {path.parent}: make it first.")


@contextmanager
def create_atomically(path: Path) -> Iterator[Path]:
    """Yield a place to write to; at the end of the block it becomes `path`, all at once.

    Nothing is left where the block fails. Raise `UserError` where `path` is taken by then.
    """
    refuse_existing(path)
    try:
        folder = TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.") from error
    with folder as place:
        made = Path(place) / path.name
        yield made
        try:
            os.link(made, path)  # fails where there is a file meanwhile; a rename would not
        except FileExistsError:
            raise _taken(path) from None
        except OSError:  # a file system without links
            refuse_existing(path)
            made.rename(path)


def _taken(path: Path) -> UserError:
    return UserError(f"{path} exists already: choose another name, or remove it.")

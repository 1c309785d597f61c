"""Messages for lack of memory or disk space, with advice."""

import errno
import tempfile
from typing import Final

from genrebase.new_file import DISK_FULL

_UNMAPPED: Final = ("failed to map segment", "cannot allocate memory")
"""What the system's loader reports where the memory does not suffice for a library."""


def describe_shortage(error: BaseException) -> str | None:
    """Return the message for an error by lack of memory or disk space, None for other errors."""
    if _is_lack_of_memory(error):
        detail = f" ({error})" if str(error) else ""
        return (
            f"The memory that this process may use did not suffice{detail}: free some, raise the "
            "limit of the process or container, or work on fewer tracks."
        )
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        reason = error.strerror or "no space left"
        if error.filename is not None:
            return f"{error.filename} cannot be written ({reason}): free some space there."
        return (
            f"A file could not be written ({reason}): free some space where this command writes, "
            f"or in the folder for temporary files, {tempfile.gettempdir()} (TMPDIR)."
        )
    return None


def _is_lack_of_memory(error: BaseException) -> bool:
    """Return whether memory could not be allocated, for data or for a library."""
    if isinstance(error, ImportError):
        return any(text in str(error).casefold() for text in _UNMAPPED)
    return isinstance(error, MemoryError) or (
        isinstance(error, OSError) and error.errno == errno.ENOMEM
    )

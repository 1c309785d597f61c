"""Messages for lack of memory or disk space, with advice."""

import tempfile

from genrebase.new_file import DISK_FULL


def describe_shortage(error: BaseException) -> str | None:
    """Return the message for an error by lack of memory or disk space, None for other errors."""
    if isinstance(error, MemoryError):
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

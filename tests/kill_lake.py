"""Copy a database into a lake, killed at the N-th change of the folder: URL DIR N."""

import os
import signal
import sys
from pathlib import Path

from genrebase.lake.build import build_lake
from genrebase.runtime.clock import SystemClock
from genrebase.store.engine import make_engine

CHANGES = {
    "os.link",
    "os.mkdir",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.truncate",
}
RANGE_TRACKS = 25


def main(url: str, folder: str, kill_at: int) -> None:
    """Print the number of changes, if not killed before."""
    changes = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal changes
        writes = event == "open" and isinstance(arguments[1], str) and arguments[1][:1] in "wa"
        if (event in CHANGES or writes) and folder in str(arguments[0]):
            changes += 1
            if changes == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    engine = make_engine(url)
    sys.addaudithook(count)
    build_lake(engine, Path(folder), SystemClock(), range_tracks=RANGE_TRACKS)
    sys.stdout.write(str(changes))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

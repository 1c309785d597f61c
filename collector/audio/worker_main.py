"""A process that listens to files, one after another: `python -m collector.audio.worker_main`.

It reads pickled paths from standard input and answers on standard output; what it is told first
is the digests of sounds that are known already. It ends when its input does, as it does when
whoever asked is gone. Signals are for who asked: the file in hand is heard to its end.
"""

import os
import pickle
import signal
import sys
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import BinaryIO

from threadpoolctl import threadpool_limits

from collector.audio.records import Heard, Told, Unheard
from collector.audio.scan import shown
from genrebase.audio import decode, extract, packed_vectors, tags


def hear(path: Path, known: AbstractSet[str]) -> Heard | Unheard:
    """Return what is heard in a file, or why nothing is."""
    try:
        clip = decode.load(path)
        told = None if clip.digest in known else _told(clip)
        return Heard(clip.digest, clip.seconds, tags.read(path), told)
    except decode.Unreadable as error:
        return Unheard(shown(path), str(error).removeprefix(f"{path}: "))
    except Exception as error:  # noqa: BLE001 - no file, however odd, may stop the others
        return Unheard(shown(path), f"it cannot be listened to ({type(error).__name__}: {error})")


def _told(clip: decode.Clip) -> Told:
    sound = extract.hear(clip)
    return Told(
        packed_vectors.pack(sound.descriptors), sound.estimates, sound.analysis, sound.spectrum
    )


def answer(asked: BinaryIO, answered: BinaryIO) -> None:
    """Answer until nothing more is asked."""
    known: AbstractSet[str] = pickle.load(asked)  # noqa: S301 - our own pipe
    while True:
        try:
            path: Path = pickle.load(asked)  # noqa: S301 - our own pipe
        except EOFError:
            return
        try:
            pickle.dump(hear(path, known), answered)
            answered.flush()
        except BrokenPipeError:
            return


def main() -> None:
    """Listen with one thread; whatever libraries print is not for our answers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answered, threadpool_limits(limits=1):
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        answer(sys.stdin.buffer, answered)


if __name__ == "__main__":
    main()

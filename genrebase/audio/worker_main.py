"""A process that listens to files, one after another: `python -m genrebase.audio.worker_main`.

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

from genrebase.audio.records import AudioAnalysis, PackedFeatures, UnreadableFile
from genrebase.audio.scan import display_path
from genrebase.audio import decode, extract, packed_vectors, tags


def analyse(path: Path, known_digests: AbstractSet[str]) -> AudioAnalysis | UnreadableFile:
    """Return what is heard in a file, or why nothing is."""
    try:
        clip = decode.decode_file(path)
        told = None if clip.digest in known_digests else _told(clip)
        return AudioAnalysis(clip.digest, clip.seconds, tags.read_tags(path), told)
    except decode.UndecodableAudio as error:
        return UnreadableFile(display_path(path), str(error).removeprefix(f"{path}: "))
    except Exception as error:  # noqa: BLE001 - no file, however odd, may stop the others
        return UnreadableFile(
            display_path(path), f"it cannot be listened to ({type(error).__name__}: {error})"
        )


def _told(clip: decode.AudioClip) -> PackedFeatures:
    sound = extract.extract_clip(clip)
    return PackedFeatures(
        packed_vectors.pack(sound.descriptors), sound.estimates, sound.analysis, sound.logmel
    )


def serve(asked: BinaryIO, answered: BinaryIO) -> None:
    """Answer until nothing more is asked."""
    known: AbstractSet[str] = pickle.load(asked)  # noqa: S301 - our own pipe
    while True:
        try:
            path: Path = pickle.load(asked)  # noqa: S301 - our own pipe
        except EOFError:
            return
        try:
            pickle.dump(analyse(path, known), answered)
            answered.flush()
        except BrokenPipeError:
            return


def main() -> None:
    """Listen with one thread; whatever libraries print is not for our answers."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answered, threadpool_limits(limits=1):
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, answered)


if __name__ == "__main__":
    main()

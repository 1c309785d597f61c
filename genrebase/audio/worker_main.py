"""The main program of an analysis worker: `python -m genrebase.audio.worker_main`.

It reads pickled paths from standard input and writes a pickled result for each to standard output;
the first message to it is the plan, its own first one says that its libraries are loaded. It exits
at the end of its input, hence also when the parent dies. It ignores signals: the file in progress
is finished.
"""

import os
import pickle
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from threadpoolctl import threadpool_limits

from genrebase.audio import decode, extract, packed_vectors, tags
from genrebase.audio.records import AudioAnalysis, ExtractionPlan, UnreadableFile
from genrebase.audio.scan import display_path, printable
from genrebase.audio.workers import READY

if TYPE_CHECKING:
    from genrebase.audio.pretrained import PretrainedNetwork

Networks = Sequence[tuple[str, "PretrainedNetwork", frozenset[str]]]
"""Descriptor set, network, and the audio whose values are stored."""


def load_networks(plan: ExtractionPlan) -> Networks:
    """Return the networks of a plan, loaded."""
    if not plan.models:
        return []
    from genrebase.audio.pretrained import PretrainedNetwork  # onnxruntime, of an extra

    return [
        (model.manifest.set, PretrainedNetwork(model), stored) for model, stored in plan.models
    ]


def analyse(
    path: Path, plan: ExtractionPlan, networks: Networks = ()
) -> AudioAnalysis | UnreadableFile:
    """Decode a file, read its tags and extract its features; return the reason if that fails."""
    try:
        clip = decode.decode_file(path)
        features = None if clip.digest in plan.stored_digests else extract.extract_clip(clip)
        vectors = {
            name: packed_vectors.pack(network.describe(clip.samples))
            for name, network, stored in networks
            if clip.digest not in stored
        }
        file_tags = tags.read_tags(path)
        return AudioAnalysis(clip.digest, clip.seconds, file_tags, features, clip.remarks, vectors)
    except decode.UndecodableAudio as error:
        reason = str(error).removeprefix(f"{path}: ")
        needs_ffmpeg = isinstance(error, decode.FfmpegMissing)
        return UnreadableFile(display_path(path), printable(reason), needs_ffmpeg)
    except Exception as error:  # noqa: BLE001 - no file, however odd, may stop the others
        reason = f"it cannot be analysed ({type(error).__name__}: {error})"
        return UnreadableFile(display_path(path), printable(reason))


def serve(requests: BinaryIO, results: BinaryIO) -> None:
    """Analyse requested files until the input ends."""
    pickle.dump(READY, results)
    results.flush()
    plan: ExtractionPlan = pickle.load(requests)  # noqa: S301 - our own pipe
    networks = load_networks(plan)
    while True:
        try:
            path: Path = pickle.load(requests)  # noqa: S301 - our own pipe
        except EOFError:
            return
        try:
            pickle.dump(analyse(path, plan, networks), results)
            results.flush()
        except BrokenPipeError:
            return


def main() -> None:
    """Serve with one thread; redirect what libraries print to standard error."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as results, threadpool_limits(limits=1):
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        serve(sys.stdin.buffer, results)


if __name__ == "__main__":
    main()

"""Features of a sound file: ours beside librosa's own functions called one by one.

    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python -m benchmarks.sound FILE… [--runs 5]

Per file: seconds on one core of `frames.look` and of librosa's functions, each given the samples
as its documentation shows, for the same 74 values a frame; the ratio; and the greatest difference
between the two, relative to the spread of each value. Then what listening costs in all, and the
memory of the process.
"""

import argparse
import resource
import statistics
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import librosa
import numpy as np

from genrebase.runtime.clock import SystemClock
from genrebase.sound import clips, frames, listening
from genrebase.sound.frames import FRAME, HOP

_CLOCK = SystemClock()


def one_by_one(samples: clips.Samples) -> dict[str, Any]:
    """Return the same features from librosa's functions, each on its own."""
    feature: Any = librosa.feature
    told = {"y": samples, "sr": clips.RATE}
    octaves = {"hop_length": HOP, "n_octaves": 7, "bins_per_octave": 12}
    return {
        "zcr": feature.zero_crossing_rate(samples, frame_length=FRAME, hop_length=HOP),
        "chroma_cqt": feature.chroma_cqt(**told, **octaves),
        "chroma_cens": feature.chroma_cens(**told, **octaves),
        "tonnetz": feature.tonnetz(chroma=feature.chroma_cens(**told, **octaves)),
        "chroma_stft": feature.chroma_stft(**told, n_fft=FRAME, hop_length=HOP),
        "rms": feature.rms(
            S=np.abs(librosa.stft(samples, n_fft=FRAME, hop_length=HOP)), frame_length=FRAME
        ),
        "spectral_centroid": feature.spectral_centroid(**told),
        "spectral_bandwidth": feature.spectral_bandwidth(**told),
        "spectral_contrast": feature.spectral_contrast(**told),
        "spectral_rolloff": feature.spectral_rolloff(**told),
        "mfcc": feature.mfcc(**told, n_mfcc=20),
    }


def seconds(call: Callable[[], object], runs: int) -> float:
    """Return the median of so many runs, after one that does not count."""
    call()
    taken = []
    for _ in range(runs):
        began = _CLOCK.monotonic()
        call()
        taken.append(_CLOCK.monotonic() - began)
    return statistics.median(taken)


def furthest(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[str, float]:
    """Return the feature whose means over time differ most, in its deviations over time."""
    found = {}
    for name, rows in theirs.items():
        length = min(rows.shape[1], ours[name].shape[1])
        one, two = ours[name][:, :length], rows[:, :length]
        spread = np.maximum(two.std(axis=1), 1e-6)
        found[name] = float((np.abs(one.mean(axis=1) - two.mean(axis=1)) / spread).max())
    name = max(found, key=lambda key: found[key])
    return name, found[name]


def main() -> None:
    """Measure every file."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("files", nargs="+", type=Path)
    asked.add_argument("--runs", type=int, default=5)
    told = asked.parse_args()
    print(f"{'file':32}{'ours s':>8}{'librosa s':>11}{'ratio':>7}{'all s':>8}  furthest")
    for path in told.files:
        clip = clips.load(path)
        ours = seconds(partial(frames.look, clip.samples), told.runs)
        theirs = seconds(partial(one_by_one, clip.samples), told.runs)
        whole = seconds(partial(listening.listen, path), told.runs)
        name, far = furthest(frames.look(clip.samples).classic, one_by_one(clip.samples))
        print(
            f"{path.name[:31]:32}{ours:8.2f}{theirs:11.2f}{ours / theirs:7.2f}{whole:8.2f}"
            f"  {name} {far:.4f}",
            flush=True,
        )
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of the process: {used:.0f} MiB")


if __name__ == "__main__":
    main()

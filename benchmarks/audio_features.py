"""Audio features of files: ours compared with librosa's functions called one by one.

    OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 python -m benchmarks.audio_features FILE… [--runs 5]

Per file: seconds on one core of `frame_features.compute_frames` and of librosa's functions, each
called on the samples as documented, for the same 74 values a frame, alternately; the ratio of the
two in one round; the seconds of the whole analysis; and the largest difference between the two
means over time, relative to the standard deviation of each value. All are medians of the rounds.
Then the memory of the process.
"""

import argparse
import resource
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import librosa
import numpy as np

from genrebase.audio import decode, extract, frame_features
from genrebase.audio.frame_features import FRAME_LENGTH, HOP_LENGTH
from genrebase.runtime.clock import SystemClock

_CLOCK = SystemClock()


def one_by_one(samples: decode.Samples) -> dict[str, Any]:
    """Return the same features from librosa's functions, each on its own."""
    feature: Any = librosa.feature
    audio = {"y": samples, "sr": decode.SAMPLE_RATE}
    octaves = {"hop_length": HOP_LENGTH, "n_octaves": 7, "bins_per_octave": 12}
    return {
        "zcr": feature.zero_crossing_rate(
            samples, frame_length=FRAME_LENGTH, hop_length=HOP_LENGTH
        ),
        "chroma_cqt": feature.chroma_cqt(**audio, **octaves),
        "chroma_cens": feature.chroma_cens(**audio, **octaves),
        "tonnetz": feature.tonnetz(chroma=feature.chroma_cens(**audio, **octaves)),
        "chroma_stft": feature.chroma_stft(**audio, n_fft=FRAME_LENGTH, hop_length=HOP_LENGTH),
        "rms": feature.rms(
            S=np.abs(librosa.stft(samples, n_fft=FRAME_LENGTH, hop_length=HOP_LENGTH)),
            frame_length=FRAME_LENGTH,
        ),
        "spectral_centroid": feature.spectral_centroid(**audio),
        "spectral_bandwidth": feature.spectral_bandwidth(**audio),
        "spectral_contrast": feature.spectral_contrast(**audio),
        "spectral_rolloff": feature.spectral_rolloff(**audio),
        "mfcc": feature.mfcc(**audio, n_mfcc=20),
    }


def seconds(calls: Sequence[Callable[[], object]], runs: int) -> list[list[float]]:
    """Return the seconds of each call in each round, after one warm-up round.

    In a round each is called once, so that other load on the machine affects all calls equally.
    """
    rounds = []
    for _ in range(runs + 1):
        taken = []
        for call in calls:
            began = _CLOCK.monotonic()
            call()
            taken.append(_CLOCK.monotonic() - began)
        rounds.append(taken)
    return [list(one) for one in zip(*rounds[1:], strict=True)]


def largest_difference(ours: dict[str, Any], theirs: dict[str, Any]) -> tuple[str, float]:
    """Return the feature whose means differ most, in standard deviations over time."""
    differences = {}
    for name, rows in theirs.items():
        length = min(rows.shape[1], ours[name].shape[1])
        one, two = ours[name][:, :length], rows[:, :length]
        spread = np.maximum(two.std(axis=1), 1e-6)
        differences[name] = float((np.abs(one.mean(axis=1) - two.mean(axis=1)) / spread).max())
    name = max(differences, key=lambda key: differences[key])
    return name, differences[name]


def extract_file(path: Path) -> object:
    """Return all features of a file."""
    return extract.extract_clip(decode.decode_file(path))


def main() -> None:
    """Measure every file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    print(f"{'file':32}{'ours s':>8}{'librosa s':>11}{'ratio':>7}{'all s':>8}  largest difference")
    ratios = []
    for path in options.files:
        clip = decode.decode_file(path)
        compute, reference = (
            partial(frame_features.compute_frames, clip.samples),
            partial(one_by_one, clip.samples),
        )
        ours, theirs, whole = seconds(
            [compute, reference, partial(extract_file, path)], options.runs
        )
        ratio = statistics.median(one / two for one, two in zip(ours, theirs, strict=True))
        ratios.append(ratio)
        name, far = largest_difference(compute().fma, reference())
        one, two, three = (statistics.median(some) for some in (ours, theirs, whole))
        print(
            f"{path.name[:31]:32}{one:8.2f}{two:11.2f}{ratio:7.2f}{three:8.2f}  {name} {far:.6f}",
            flush=True,
        )
    print(f"ratio: {statistics.median(ratios):.2f} (median), {max(ratios):.2f} (maximum)")
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"memory of the process: {used:.0f} MiB")


if __name__ == "__main__":
    main()

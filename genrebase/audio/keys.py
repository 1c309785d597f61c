"""Key estimation (Krumhansl-Kessler profiles) and structural segmentation into sections."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from genrebase.audio.decode import SAMPLE_RATE
from genrebase.audio.frame_features import HOP_LENGTH, FrameFeatures
from genrebase.audio.harmony import MAJOR, DetectedSection, TrackKey

_MAJOR_PROFILE: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
_MINOR_PROFILE: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
"""Key profiles: the fit of each pitch class to a key (Krumhansl and Kessler,
Psychological Review 89, 1982)."""
MEAN_SECTION_SECONDS: Final = 15.0
_MIN_SECTION_SECONDS: Final = 2.0
_UNKNOWN_KEY: Final = (None, None, None)


def _profiles() -> NDArray[np.float64]:
    """Return (24, 12): twelve major keys from C, then twelve minor ones, each normalised."""
    keys = [
        np.roll(profile, tonic)
        for profile in (_MAJOR_PROFILE, _MINOR_PROFILE)
        for tonic in range(12)
    ]
    return np.stack([_normalise(np.asarray(key)) for key in keys])


def _normalise(values: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = values - values.mean()
    length = float(np.linalg.norm(centred))
    return np.asarray(centred / length) if length > 0 else centred


_PROFILES: Final = _profiles()


def estimate_key(chroma: NDArray[np.float32]) -> tuple[int, int, float] | None:
    """Return (tonic 0 = C, mode 1 major, confidence 0..1) of the mean of `chroma` (12, frames).

    The key whose profile correlates best (Krumhansl, "Cognitive Foundations of Musical Pitch",
    1990, chapter 4). The confidence is twice the lead over the second best tonic, clipped to
    0..1. None if all pitch classes are equally strong.
    """
    mean = _normalise(chroma.mean(axis=1).astype(np.float64))
    if not np.any(mean):
        return None
    correlations = _PROFILES @ mean
    best = int(np.argmax(correlations))
    others = np.delete(correlations, [best % 12, best % 12 + 12])
    confidence = float(np.clip(2 * (correlations[best] - others.max()), 0.0, 1.0))
    return best % 12, MAJOR if best < 12 else 0, confidence


def estimate_track_key(frames: FrameFeatures, tempo: float | None) -> TrackKey:
    """Return key, mode and tempo of a clip."""
    key, mode, confidence = estimate_key(frames.fma["chroma_cqt"]) or _UNKNOWN_KEY
    return TrackKey(key, mode, confidence, confidence, tempo)


def detect_sections(frames: FrameFeatures) -> list[DetectedSection]:
    """Return the sections of a clip, each with its key and loudness.

    Similar neighbouring seconds are merged (Ward's clustering along the time axis) until
    sections are 15 s long on average.
    """
    chroma, mfcc = frames.fma["chroma_cqt"], frames.fma["mfcc"]
    per_second = max(1, round(SAMPLE_RATE / HOP_LENGTH))
    starts = range(0, chroma.shape[1], per_second)
    seconds = np.stack([_second_features(chroma, mfcc, at, at + per_second) for at in starts])
    edges = [starts[at] for at in _edges(seconds)]
    sections = []
    for first, last in zip(edges, [*edges[1:], chroma.shape[1]], strict=True):
        duration = (last - first) * HOP_LENGTH / SAMPLE_RATE
        key, mode, confidence = estimate_key(chroma[:, first:last]) or _UNKNOWN_KEY
        power = float(np.square(frames.fma["rms"][0, first:last]).mean())
        sections.append(
            DetectedSection(
                start=first * HOP_LENGTH / SAMPLE_RATE,
                duration=duration,
                key=key,
                mode=mode,
                key_confidence=confidence,
                mode_confidence=confidence,
                loudness=10.0 * float(np.log10(max(power, 1e-10))),
            )
        )
    return sections


def _second_features(
    chroma: NDArray[np.float32], mfcc: NDArray[np.float32], first: int, last: int
) -> NDArray[np.float64]:
    timbre = mfcc[1:, first:last].mean(axis=1) / 100.0  # scales dB to the range of chroma
    return np.concatenate([chroma[:, first:last].mean(axis=1), timbre]).astype(np.float64)


def _edges(seconds: NDArray[np.float64]) -> list[int]:
    count = max(1, round(len(seconds) / MEAN_SECTION_SECONDS))
    if count == 1:
        return [0]
    edges = [0]
    for edge in _changes(seconds, count):
        if min(edge - edges[-1], len(seconds) - edge) >= _MIN_SECTION_SECONDS:
            edges.append(int(edge))
    return edges


def _changes(seconds: NDArray[np.float64], count: int) -> list[int]:
    """Return the first rows of `count` groups of neighbouring rows, but for row 0.

    Each step merges the two neighbours that increase the within-group variance the least (Ward,
    "Hierarchical Grouping to Optimize an Objective Function", JASA 1963). scikit-learn has the
    same for any connectivity, but takes 90 MB per process.
    """
    firsts = list(range(len(seconds)))
    sizes = np.ones(len(seconds))
    means = seconds.copy()
    while len(firsts) > count:
        distances = np.square(means[1:] - means[:-1]).sum(axis=1)
        at = int(np.argmin(distances * sizes[1:] * sizes[:-1] / (sizes[1:] + sizes[:-1])))
        both = sizes[at] + sizes[at + 1]
        means[at] = (means[at] * sizes[at] + means[at + 1] * sizes[at + 1]) / both
        sizes[at] = both
        means, sizes = np.delete(means, at + 1, axis=0), np.delete(sizes, at + 1)
        del firsts[at + 1]
    return firsts[1:]

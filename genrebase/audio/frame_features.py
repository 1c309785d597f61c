"""Features of each short frame of a clip (mel spectrum, MFCC, chroma, HPSS …), from one STFT.

The values are librosa's (McFee et al., "librosa: Audio and Music Signal Analysis in Python",
SciPy 2015) and equal those of its functions called one by one; only what these compute
repeatedly (spectra, constant-Q transforms, tuning) is computed once. Long clips are processed half
a minute at a time, so that memory does not grow with their length.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import librosa
import numpy as np
from scipy.ndimage import median_filter

from genrebase.audio import chroma, spectral
from genrebase.audio.decode import SAMPLE_RATE, Samples
from genrebase.audio.spectral import FrameArray

FRAME_LENGTH: Final = 2048
"""Samples of a frame, 46 ms."""
HOP_LENGTH: Final = 512
"""Samples from one frame to the next, 12 ms."""
MEL_BANDS: Final = 128
_CHUNK: Final = HOP_LENGTH * 2_606
"""Samples processed at once: half a minute, slightly more than the usual clip."""
_MEDIAN_SIZE: Final = 31
"""Frames, and bands, of a median filter: librosa's default; its `decompose` would take 90 MB."""
_FRAME_STEP: Final = 2
"""Every second frame of the mel spectrum suffices."""

FEATURE_DIMS: Final = {
    "chroma_cens": 12,
    "chroma_cqt": 12,
    "chroma_stft": 12,
    "mfcc": 20,
    "rms": 1,
    "spectral_bandwidth": 1,
    "spectral_centroid": 1,
    "spectral_contrast": 7,
    "spectral_rolloff": 1,
    "tonnetz": 6,
    "zcr": 1,
}
"""The features of the FMA set, and the number of values of each in a frame."""


@dataclass(frozen=True, slots=True)
class FrameFeatures:
    """A clip frame by frame, `HOP_LENGTH` samples apart."""

    fma: dict[str, FrameArray]
    """Keys as in `FEATURE_DIMS`; chroma 0..1, tonnetz about -1..1, centroid, bandwidth and
    rolloff in Hz, contrast in dB, rms and zcr 0..1."""
    flatness: FrameArray
    """(1, frames) 0..1: 1 is noise."""
    mel: FrameArray
    """(128, frames): power in mel bands."""
    harmonic_power: float
    """Power of the harmonic part (see `separated_power`), mean over bands and frames."""
    percussive_power: float
    """Power of the percussive part, likewise."""

    def arrays(self) -> Iterator[FrameArray]:
        """Yield every array that has a value per frame."""
        yield from (self.fma[name] for name in FEATURE_DIMS)
        yield self.flatness
        yield self.mel


def compute_frames(samples: Samples) -> FrameFeatures:
    """Return all frames of a clip at `SAMPLE_RATE`, at least one second long."""
    chunks = list(_chunks(samples))
    lengths = [1 + len(chunk) // HOP_LENGTH for chunk in chunks]
    whole = FrameFeatures(
        fma={name: _rows(size, sum(lengths)) for name, size in FEATURE_DIMS.items()},
        flatness=_rows(1, sum(lengths)),
        mel=_rows(MEL_BANDS, sum(lengths)),
        harmonic_power=0.0,
        percussive_power=0.0,
    )
    strengths = []
    for number, chunk in enumerate(chunks):
        first = sum(lengths[:number])
        part = _chunk(chunk)
        for into, rows in zip(whole.arrays(), part.arrays(), strict=True):
            into[:, first : first + lengths[number]] = rows
        strengths.append((part.harmonic_power, part.percussive_power))
    harmonic, percussive = np.average(strengths, axis=0, weights=lengths)
    return replace(whole, harmonic_power=float(harmonic), percussive_power=float(percussive))


def _rows(values: int, frames: int) -> FrameArray:
    return np.empty((values, frames), dtype=np.float32)


def _chunks(samples: Samples) -> Iterator[Samples]:
    """Yield half a minute at a time; a remainder under one second joins the last chunk."""
    edges = list(range(0, len(samples), _CHUNK))
    if len(edges) > 1 and len(samples) - edges[-1] < SAMPLE_RATE:
        edges.pop()
    for first, last in zip(edges, [*edges[1:], len(samples)], strict=True):
        yield samples[first:last]


def _chunk(samples: Samples) -> FrameFeatures:
    feature: Any = librosa.feature
    magnitude = np.abs(librosa.stft(samples, n_fft=FRAME_LENGTH, hop_length=HOP_LENGTH).T)
    power = magnitude**2
    semitones = chroma.constant_q(samples, HOP_LENGTH, chroma.estimate_tuning(magnitude))
    mel = _mel_spectrum(power)
    centroid, bandwidth = spectral.centroid_and_bandwidth(magnitude)
    octaves = {"n_chroma": 12, "n_octaves": chroma.OCTAVES, "bins_per_octave": 12}
    cens = feature.chroma_cens(C=semitones, **octaves)
    fma = {
        "chroma_cens": cens,
        "chroma_cqt": feature.chroma_cqt(C=semitones, **octaves),
        "chroma_stft": chroma.chroma_stft(power),
        "mfcc": feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=FEATURE_DIMS["mfcc"]),
        "rms": spectral.rms(power),
        "spectral_bandwidth": bandwidth,
        "spectral_centroid": centroid,
        "spectral_contrast": spectral.contrast(magnitude),
        "spectral_rolloff": spectral.rolloff(magnitude),
        "tonnetz": feature.tonnetz(chroma=cens),
        "zcr": spectral.zero_crossing_rate(samples, FRAME_LENGTH, HOP_LENGTH),
    }
    harmonic, percussive = separated_power(mel)
    length = len(magnitude)
    return FrameFeatures(
        {name: np.asarray(rows[:, :length], np.float32) for name, rows in fma.items()},
        spectral.flatness(power),
        mel,
        harmonic,
        percussive,
    )


def _mel_spectrum(power: FrameArray) -> FrameArray:
    """Return the power in mel bands (128, frames) of a power spectrum (frames, bins)."""
    return np.asarray(_mel_filters(power.shape[1]) @ power.T, np.float32)


@cache
def _mel_filters(bins: int) -> FrameArray:
    size = 2 * (bins - 1)
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=size, n_mels=MEL_BANDS)
    return np.asarray(filters, np.float32)


def separated_power(mel: FrameArray) -> tuple[float, float]:
    """Return the mean power of the harmonic part (steady in a band) and of the percussive part.

    Median filtering (Fitzgerald, "Harmonic/percussive separation using median filtering",
    DAFx 2010), over the mel spectrum instead of the full one: an eighth of the bands.
    """
    coarse = np.sqrt(mel[:, ::_FRAME_STEP])
    harmonic_part, percussive_part = _medians(coarse), _medians(coarse.T).T
    masks = (
        librosa.util.softmask(one, other, power=2.0, split_zeros=True)
        for one, other in (
            (harmonic_part, percussive_part),
            (percussive_part, harmonic_part),
        )
    )
    harmonic, percussive = (float(((coarse * mask) ** 2).mean()) for mask in masks)
    return harmonic, percussive


def _medians(rows: FrameArray) -> FrameArray:
    """Return the medians along each row, mirrored at its ends.

    The rows are joined into one long row, for which scipy has a much faster algorithm.
    """
    side = _MEDIAN_SIZE // 2
    padded = np.pad(rows, ((0, 0), (side, side)), mode="symmetric")
    medians = median_filter(padded.reshape(-1), size=_MEDIAN_SIZE).reshape(padded.shape)
    return np.asarray(medians[:, side:-side], np.float32)

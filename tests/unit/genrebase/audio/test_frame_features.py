"""Features per frame, compared with librosa's."""

from typing import Any

import librosa
import numpy as np
import pytest

from genrebase.audio import frame_features
from genrebase.audio.decode import SAMPLE_RATE
from genrebase.audio.frame_features import HOP_LENGTH
from tests import synthetic_audio

_NOISE = np.random.default_rng(7).normal(0, 0.1, 3 * SAMPLE_RATE).astype(np.float32)
SOUNDS = {
    "song": synthetic_audio.song(2, 0, bpm=100, seconds=8.0),
    "beats": synthetic_audio.clicks(100, 5.0),
    "noise": _NOISE,
    "half silence": np.where(np.arange(len(_NOISE)) < SAMPLE_RATE, 0, _NOISE).astype(np.float32),
    "an odd length": synthetic_audio.tone(5, 1.0)[:44_321],
}


def _one_by_one(sound: synthetic_audio.Samples) -> dict[str, Any]:
    extracted = {"y": sound, "sr": SAMPLE_RATE}
    octaves = {"n_octaves": 7, "bins_per_octave": 12}
    cens = librosa.feature.chroma_cens(**extracted, **octaves)
    return {
        "chroma_cens": cens,
        "chroma_cqt": librosa.feature.chroma_cqt(**extracted, **octaves),
        "chroma_stft": librosa.feature.chroma_stft(**extracted),
        "mfcc": librosa.feature.mfcc(**extracted, n_mfcc=20),
        "rms": librosa.feature.rms(S=np.abs(librosa.stft(sound))),
        "spectral_bandwidth": librosa.feature.spectral_bandwidth(**extracted),
        "spectral_centroid": librosa.feature.spectral_centroid(**extracted),
        "spectral_contrast": librosa.feature.spectral_contrast(**extracted),
        "spectral_rolloff": librosa.feature.spectral_rolloff(**extracted),
        "tonnetz": librosa.feature.tonnetz(chroma=cens),
        "zcr": librosa.feature.zero_crossing_rate(sound),
    }


@pytest.mark.parametrize("name", SOUNDS)
def test_frames_are_librosa_s(name: str) -> None:
    """Equal to its functions called one by one, though most of what these do is done once."""
    sound = SOUNDS[name]
    seen = frame_features.compute_frames(sound)
    expected = _one_by_one(sound)
    assert set(expected) == set(frame_features.FEATURE_DIMS) == set(seen.fma)
    for feature, rows in expected.items():
        length = seen.mel.shape[1]
        assert rows.shape == (frame_features.FEATURE_DIMS[feature], length)
        np.testing.assert_allclose(seen.fma[feature], rows, rtol=1e-4, atol=1e-4, err_msg=feature)
    flatness = librosa.feature.spectral_flatness(y=sound, hop_length=HOP_LENGTH)
    np.testing.assert_allclose(seen.flatness, flatness, rtol=1e-4, atol=1e-6)
    mel = librosa.feature.melspectrogram(y=sound, sr=SAMPLE_RATE)
    np.testing.assert_allclose(seen.mel, mel, rtol=1e-4, atol=1e-6)

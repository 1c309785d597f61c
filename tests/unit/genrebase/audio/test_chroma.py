"""Tuning and the constant-Q transform, compared with librosa's."""

import librosa
import numpy as np
import pytest

from genrebase.audio import chroma
from genrebase.audio.decode import SAMPLE_RATE
from tests import synthetic_audio


@pytest.mark.parametrize("cents", [-40, 0, 25])
def test_the_tuning_is_librosa_s(cents: int) -> None:
    """To the last digit, of magnitudes as of powers."""
    rate = round(SAMPLE_RATE * 2 ** (cents / 1200))
    sound = synthetic_audio.song(4, 1, seconds=6.0)
    detuned = librosa.resample(sound, orig_sr=rate, target_sr=SAMPLE_RATE)
    for spectrum in (magnitude := np.abs(librosa.stft(detuned)), magnitude**2):
        assert chroma.estimate_tuning(spectrum.T) == librosa.estimate_tuning(
            S=spectrum, sr=SAMPLE_RATE
        )


def test_silence_is_in_tune() -> None:
    """Where nothing sounds there is nothing to be tuned to."""
    assert chroma.estimate_tuning(np.zeros((9, 1_025), np.float32)) == 0.0


def test_a_flat_summit_is_no_error() -> None:
    """Where a peak is as high as its neighbour, nothing is divided by nothing."""
    flat = np.zeros((2, 1_025), np.float32)
    flat[:, 40:43] = (1.0, 1e-30, 1.0)
    flat[:, 60:62] = 1.0
    assert chroma.estimate_tuning(flat) == librosa.estimate_tuning(S=flat.T, sr=SAMPLE_RATE)


@pytest.mark.parametrize("tuned", [-0.37, 0.0, 0.2])
def test_the_constant_q_transform_is_librosa_s(tuned: float) -> None:
    """Filters of one octave serve for all; nothing is lost by that."""
    sound = synthetic_audio.song(9, 0, seconds=4.0)
    expected = np.abs(librosa.cqt(sound, sr=SAMPLE_RATE, tuning=tuned))
    extracted = chroma.constant_q(sound, 512, tuned)
    np.testing.assert_allclose(extracted, expected, atol=2e-6 * expected.max())

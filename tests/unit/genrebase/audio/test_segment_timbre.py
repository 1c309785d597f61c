"""Timbre summaries of segments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrebase.audio import packed_matrices, segment_timbre
from genrebase.audio.packed_matrices import CorruptMatrix, FloatArray


def sounds(count: int, *, seed: int = 1) -> FloatArray:
    """Segments as an analysis has them."""
    draw = np.random.default_rng(seed)
    made = np.empty((count, segment_timbre.N_CHANNELS))
    made[:, segment_timbre.TIMBRE] = draw.normal(0, 60, (count, 12))
    made[:, segment_timbre.PITCH] = draw.random((count, 12))
    made[:, segment_timbre.LOUDNESS] = draw.normal(-12, 4, count)
    made[:, segment_timbre.DURATION] = draw.uniform(0.1, 1.0, count)
    return made


def test_means_and_deviations_are_weighted_by_duration() -> None:
    """A sound of three seconds counts three times as much as one of a second."""
    made = np.zeros((2, segment_timbre.N_CHANNELS))
    made[:, segment_timbre.DURATION] = (3.0, 1.0)
    made[:, 0] = (0.0, 40.0)
    made[:, 12] = (1.0, 1.0)
    summary_ = segment_timbre.summarise_timbre(made)
    assert summary_ is not None
    assert summary_.segments == 2
    assert summary_.timbre_means[0] == pytest.approx(10.0)
    assert summary_.timbre_deviations[0] == pytest.approx(np.sqrt(0.75 * 100 + 0.25 * 900))
    assert (summary_.pitch_means[0], summary_.pitch_deviations[0]) == (1.0, 0.0)


def test_equal_durations_give_unweighted_statistics() -> None:
    """With equal durations mean and population deviation equal numpy's."""
    made = sounds(200)
    made[:, segment_timbre.DURATION] = 0.25
    summary_ = segment_timbre.summarise_timbre(made)
    assert summary_ is not None
    timbre, pitch = made[:, segment_timbre.TIMBRE], made[:, segment_timbre.PITCH]
    assert summary_.timbre_means == pytest.approx(timbre.mean(axis=0))
    assert summary_.timbre_deviations == pytest.approx(timbre.std(axis=0))
    assert summary_.pitch_means == pytest.approx(pitch.mean(axis=0))
    assert summary_.pitch_deviations == pytest.approx(pitch.std(axis=0))


def test_no_segments_give_no_summary() -> None:
    """Without segments there is neither a summary nor a matrix."""
    none = np.empty((0, segment_timbre.N_CHANNELS))
    assert segment_timbre.summarise_timbre(none) is None
    assert segment_timbre.pack_segments(none) is None


@given(st.integers(1, 40), st.floats(0, 1), st.integers(0, 9))
def test_a_mean_stays_within_its_range(count: int, pitch: float, seed: int) -> None:
    """Rounding never carries a mean beyond what occurs."""
    made = sounds(count, seed=seed)
    made[:, segment_timbre.PITCH] = pitch
    summary_ = segment_timbre.summarise_timbre(made)
    assert summary_ is not None
    assert set(summary_.pitch_means) == {pitch}
    assert all(0 <= one <= 1 for one in summary_.pitch_deviations)


def test_a_matrix_keeps_the_segments_in_order() -> None:
    """Unpacking returns the packed values in half precision."""
    made = sounds(900)
    packed = segment_timbre.pack_segments(made)
    assert packed is not None
    assert (packed.kind, packed.version) == ("segments", 1)
    assert (packed.steps, packed.channels) == (900, 26)
    result = packed_matrices.unpack(packed.data, packed.steps, packed.channels)
    assert result.dtype == np.float32
    assert np.allclose(result, made, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("count", [1_900, 1_901, 50_000])
def test_a_long_track_stays_small(count: int) -> None:
    """However many segments there are, a matrix stays below 100 kB and keeps time and means."""
    made = sounds(count)
    packed = segment_timbre.pack_segments(made)
    assert packed is not None
    assert len(packed.data) < 100_000
    result = packed_matrices.unpack(packed.data, packed.steps, packed.channels).astype(np.float64)
    durations = result[:, segment_timbre.DURATION]
    assert durations.sum() == pytest.approx(made[:, segment_timbre.DURATION].sum(), rel=1e-3)
    means = durations @ result[:, segment_timbre.PITCH] / durations.sum()
    wanted = segment_timbre.summarise_timbre(made)
    assert wanted is not None
    assert means == pytest.approx(wanted.pitch_means, rel=1e-2)


def test_what_halves_cannot_hold_is_cut_off() -> None:
    """A value beyond half precision becomes its greatest, never infinite."""
    packed = packed_matrices.pack("segments", 1, np.array([[1e9, -1e9, 0.5]]))
    assert packed_matrices.unpack(packed.data, 1, 3).tolist() == [[65504.0, -65504.0, 0.5]]


def test_damaged_bytes_are_refused() -> None:
    """Bytes of another format or size are refused with a message."""
    packed = packed_matrices.pack("segments", 1, np.ones((4, 3)))
    with pytest.raises(CorruptMatrix, match="cannot be unpacked"):
        packed_matrices.unpack(b"nothing", 4, 3)
    for data, steps in ((packed.data[:-4], 4), (packed.data, 3), (packed.data, 5)):
        with pytest.raises(CorruptMatrix, match="does not hold"):
            packed_matrices.unpack(data, steps, 3)

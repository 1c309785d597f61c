"""Channels that cancel each other, silent channels and offsets."""

import numpy as np
import pytest

from genrebase.audio.downmix import ChannelStatistics, MixPlan
from tests import synthetic_audio

RATE = synthetic_audio.RATE
SONG = synthetic_audio.song(9, 1, seconds=8.0)
NOISE = np.random.default_rng(0).normal(0, 0.1, len(SONG)).astype(np.float32)


def plan_of(*channels: np.ndarray) -> tuple[MixPlan, np.ndarray]:
    """Return the plan for channels, and their mix."""
    block = np.stack(channels, axis=1).astype(np.float32)
    statistics = ChannelStatistics(RATE)
    size = RATE * 3 + 17
    for start in range(0, len(block), size):
        statistics.add(block[start : start + size])
    plan = statistics.plan()
    parts = [plan.mix(block[at : at + size], at) for at in range(0, len(block), size)]
    return plan, np.concatenate(parts)


@pytest.mark.parametrize(
    "channels",
    [
        (SONG,),
        (SONG, SONG),
        (SONG, 0.3 * SONG),
        (SONG, NOISE),
        (SONG, SONG + NOISE),
        (SONG + NOISE, SONG - NOISE),
        (SONG, NOISE, SONG, 0.1 * NOISE, SONG, NOISE),
        (SONG, np.where(np.arange(len(SONG)) < RATE * 4, 0, SONG)),
        (SONG, np.where(np.arange(len(SONG)) < RATE // 2, -SONG, SONG)),
    ],
)
def test_the_mean_is_right_for_ordinary_recordings(channels: tuple[np.ndarray, ...]) -> None:
    """Mono, equal and independent channels, short effects: to the last digit."""
    plan, mono = plan_of(*channels)
    assert plan.is_plain
    assert plan.remarks == ()
    np.testing.assert_array_equal(mono, np.stack(channels, axis=1).astype(np.float32).mean(axis=1))


@pytest.mark.parametrize("gain", [1.0, 0.95, 0.8])
def test_opposite_channels_are_mixed_with_one_reversed(gain: float) -> None:
    """Also if they cancel each other nearly, or beside a constant offset."""
    plan, mono = plan_of(SONG, -gain * SONG)
    np.testing.assert_allclose(mono, SONG * (1 + gain) / 2, atol=1e-6)
    reversed_channel = "the polarity of channel 2 was reversed"
    assert plan.remarks == (f"the channels cancel each other: {reversed_channel}",)
    plan, mono = plan_of(SONG + 0.5, 0.5 - SONG)
    assert np.corrcoef(mono, SONG)[0, 1] > 0.999
    assert abs(mono.mean()) < 0.01
    assert "a constant offset of +0.500 (full scale is 1) was removed" in plan.remarks


def test_a_part_that_cancels_is_repaired() -> None:
    """The rest stays as it is, to the last digit."""
    inside = (np.arange(len(SONG)) >= 2 * RATE) & (np.arange(len(SONG)) < 5 * RATE)
    right = np.where(inside, -SONG, SONG)
    plan, mono = plan_of(SONG, right)
    assert np.mean(np.abs(mono - SONG) > 1e-6) < 0.2 / 8.0  # two windows at the ends
    np.testing.assert_array_equal(mono[~inside], SONG[~inside])
    assert plan.remarks == (
        "the channels cancel each other in 2.9 s: the polarity of channel 2 was reversed",
    )


def test_several_channels_may_cancel() -> None:
    """Those opposite to the loudest are reversed; three phases leave only the loudest."""
    plan, mono = plan_of(SONG, -SONG, SONG, -SONG)
    np.testing.assert_allclose(mono, SONG, atol=1e-6)
    assert "the polarity of channels 2, 4 was reversed" in plan.remarks[0]


def test_a_silent_channel_is_left_out() -> None:
    """The level is that of the channel with sound."""
    for silent in (np.zeros_like(SONG), 1e-5 * NOISE):
        plan, mono = plan_of(SONG, silent)
        np.testing.assert_allclose(mono, SONG, atol=1e-6)
        assert plan.remarks == ("channel 2 of 2 is silent and left out of the mix",)
    plan, mono = plan_of(np.zeros_like(SONG), SONG, np.zeros_like(SONG), -SONG)
    np.testing.assert_allclose(np.abs(mono), np.abs(SONG), atol=1e-6)
    assert plan.remarks[0] == "channels 1, 3 of 4 are silent and left out of the mix"
    assert "cancel each other" in plan.remarks[1]


def test_silence_has_a_remark() -> None:
    """Nothing is repaired in it."""
    plan, mono = plan_of(np.zeros_like(SONG), np.zeros_like(SONG))
    assert (plan.is_plain, plan.remarks) == (True, ("it is silent",))
    assert not mono.any()


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.3), (1.0, -0.3), (0.01, 0.02)])
def test_a_constant_offset_is_removed(gain: float, offset: float) -> None:
    """If it is not small beside the audio."""
    plan, mono = plan_of(gain * SONG + offset, gain * SONG + offset)
    np.testing.assert_allclose(mono, gain * (SONG - SONG.mean()), atol=1e-6)
    assert plan.remarks == (f"a constant offset of {offset:+.3f} (full scale is 1) was removed",)


def test_a_small_offset_is_left() -> None:
    """Many converters have one."""
    plan, _ = plan_of(SONG + 0.004)
    assert plan.is_plain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.http import adaptive_limit
from collector.rate import SAFETY_FACTOR, Rate

TOLD = Rate(120, 30.0)

rates = st.builds(Rate, st.integers(1, 10_000), st.floats(0.1, 3_600))
ceilings = st.none() | st.floats(adaptive_limit.MIN_REQUESTS_PER_WINDOW, 20_000)


def test_a_refusal_teaches_what_was_granted() -> None:
    """97% of what was granted in the window: a little below the limit, whatever we were told."""
    assert adaptive_limit.limit_after_refusal(TOLD, None, 60) == pytest.approx(58.2)


def test_a_refusal_that_met_us_idle_teaches_nothing() -> None:
    """A ban left over from before, or one that somebody else brought about, is not our pace."""
    assert adaptive_limit.limit_after_refusal(TOLD, None, 0) is None
    assert adaptive_limit.limit_after_refusal(TOLD, 58.2, 0) == 58.2


@given(rate=rates, known=ceilings, granted=st.integers(1, 100_000))
def test_every_other_refusal_slows_us_down(rate: Rate, known: float | None, granted: int) -> None:
    """By 3% at least and to a half at most, and never above what was granted but for that half."""
    before = adaptive_limit.allowed_requests(rate, known)
    learned = adaptive_limit.limit_after_refusal(rate, known, granted)
    assert learned is not None
    assert learned <= max(SAFETY_FACTOR * before, adaptive_limit.MIN_REQUESTS_PER_WINDOW)
    assert learned >= adaptive_limit.MIN_DECREASE_FACTOR * before
    assert learned <= max(
        SAFETY_FACTOR * granted,
        adaptive_limit.MIN_DECREASE_FACTOR * before,
        adaptive_limit.MIN_REQUESTS_PER_WINDOW,
    )


@given(rate=rates, known=st.floats(adaptive_limit.MIN_REQUESTS_PER_WINDOW, 20_000))
def test_steps_upward_end_at_what_we_were_told(rate: Rate, known: float) -> None:
    """Each step is 5%, and none leads beyond the rate."""
    higher = adaptive_limit.increased_limit(rate, known)
    after, before = (
        adaptive_limit.allowed_requests(rate, higher),
        adaptive_limit.allowed_requests(rate, known),
    )
    assert before <= after <= SAFETY_FACTOR * rate.requests
    assert after <= before * adaptive_limit.INCREASE_FACTOR * (1 + 1e-9)


@given(rate=rates, known=ceilings)
def test_a_pace_keeps_within_the_rate(rate: Rate, known: float | None) -> None:
    """However high a ceiling: the spacing is never shorter than the one we were told."""
    assert adaptive_limit.request_interval(rate, known) >= rate.interval * (1 - 1e-9)


@given(limit=st.integers(2, 1_000), excess=st.floats(1.05, 2.0))
def test_a_limit_told_too_high_is_found_at_the_first_refusal(limit: int, excess: float) -> None:
    """Up to twice too high: refused at the limit, the pace is below it by 10% at most."""
    told = Rate(max(limit + 1, int(limit * excess)), 30.0)
    learned = adaptive_limit.limit_after_refusal(told, None, limit)
    assert learned is not None
    assert 0.9 * limit <= learned < limit

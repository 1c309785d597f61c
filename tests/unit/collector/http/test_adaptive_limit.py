"""The adaptive request limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.http import adaptive_limit
from collector.rate_limits import SAFETY_FACTOR, Rate

TOLD = Rate(120, 30.0)

rates = st.builds(Rate, st.integers(1, 10_000), st.floats(0.1, 3_600))
ceilings = st.none() | st.floats(adaptive_limit.MIN_REQUESTS_PER_WINDOW, 20_000)


def test_a_refusal_sets_the_limit_to_the_granted_requests() -> None:
    """It is 97% of the requests granted in the window, for any configured rate."""
    assert adaptive_limit.limit_after_refusal(TOLD, None, 60) == pytest.approx(58.2)


def test_a_refusal_after_an_idle_window_changes_nothing() -> None:
    """Such a ban was caused by earlier requests or another client."""
    assert adaptive_limit.limit_after_refusal(TOLD, None, 0) is None
    assert adaptive_limit.limit_after_refusal(TOLD, 58.2, 0) == 58.2


@given(rate=rates, known=ceilings, granted=st.integers(1, 100_000))
def test_every_other_refusal_lowers_the_limit(
    rate: Rate, known: float | None, granted: int
) -> None:
    """By at least 3%, to no less than a half; otherwise never above the granted requests."""
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
def test_increases_end_at_the_configured_limit(rate: Rate, known: float) -> None:
    """Each step is 5%, and none exceeds the rate."""
    higher = adaptive_limit.increased_limit(rate, known)
    after, before = (
        adaptive_limit.allowed_requests(rate, higher),
        adaptive_limit.allowed_requests(rate, known),
    )
    assert before <= after <= SAFETY_FACTOR * rate.requests
    assert after <= before * adaptive_limit.INCREASE_FACTOR * (1 + 1e-9)


@given(rate=rates, known=ceilings)
def test_the_interval_keeps_within_the_rate(rate: Rate, known: float | None) -> None:
    """For any learned limit the interval is at least the rate's."""
    assert adaptive_limit.request_interval(rate, known) >= rate.interval * (1 - 1e-9)


@given(limit=st.integers(2, 1_000), excess=st.floats(1.05, 2.0))
def test_too_high_a_rate_is_corrected_at_the_first_refusal(limit: int, excess: float) -> None:
    """Up to twice too high: after one refusal the limit is at most 10% too low."""
    reported = Rate(max(limit + 1, int(limit * excess)), 30.0)
    learned = adaptive_limit.limit_after_refusal(reported, None, limit)
    assert learned is not None
    assert 0.9 * limit <= learned < limit

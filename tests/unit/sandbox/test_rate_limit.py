import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.rate import Rate
from sandbox import rate_limit
from sandbox.rate_limit import Limit

THREE_IN_TEN = Rate(3, 10.0)


@pytest.mark.parametrize(
    ("granted", "now", "seconds"),
    [
        ([], 0.0, 0.0),
        ([0.0, 1.0], 2.0, 0.0),
        ([0.0, 1.0, 2.0], 2.0, 8.0),
        ([0.0, 1.0, 2.0], 9.5, 0.5),
        ([0.0, 1.0, 2.0], 10.0, 0.0),
        ([0.0, 1.0, 2.0, 10.0], 10.5, 0.5),
    ],
)
def test_wait_ends_when_the_oldest_leaves_the_window(granted, now, seconds):
    """A full window has room again once its oldest request is a window old."""
    assert rate_limit.wait(granted, now, THREE_IN_TEN) == seconds


@given(st.lists(st.floats(0, 100), max_size=200))
def test_no_window_holds_more_than_the_limit(moments):
    """Whoever comes when, no window of the rate has more answered requests than it allows."""
    limit = Limit(THREE_IN_TEN)
    answered = [now for now in sorted(moments) if limit.enter(now) is None]
    for start in answered:
        assert sum(start <= now < start + 10 for now in answered) <= 3


def test_waiting_as_long_as_told_is_answered():
    """`Retry-After` is in whole seconds, and who waits that long is let in."""
    limit = Limit(THREE_IN_TEN)
    assert [limit.enter(now) for now in (0.0, 0.1, 0.2)] == [None] * 3
    ban = limit.enter(0.3)
    assert ban.retry_after(0.3) == 10
    assert limit.enter(10.3) is None


def test_a_ban_is_not_lengthened_by_hammering():
    """Requests inside a ban are refused, told what is left of it, and not counted."""
    limit = Limit(THREE_IN_TEN, ban_seconds=60)
    for now in (0.0, 0.0, 0.0):
        limit.enter(now)
    first = limit.enter(0.0)
    later = limit.enter(59.5)
    assert (first.retry_after(0.0), later.retry_after(59.5)) == (60, 1)
    assert later.until == first.until == 60
    assert limit.enter(60.0) is None


@given(st.floats(0, 1e7), st.integers(1, 100_000))
def test_the_length_of_a_ban_is_told_exactly(now, seconds):
    """At whatever moment it begins, a ban of 77 s says 77."""
    limit = Limit(Rate(1, 0.5), ban_seconds=seconds)
    limit.enter(now)
    assert limit.enter(now).retry_after(now) == seconds


def test_a_ban_lasts_although_the_window_is_empty():
    """With a fixed length the ban holds on after the window has room."""
    limit = Limit(Rate(1, 1.0), ban_seconds=100)
    limit.enter(0.0)
    limit.enter(0.5)
    assert limit.enter(50.0) is not None


def test_quota_has_no_promised_end():
    """After the quota nothing says when to come back."""
    limit = Limit(quota=2)
    assert [limit.enter(0.0), limit.enter(1.0)] == [None, None]
    ban = limit.enter(2.0)
    assert (ban.reason, ban.retry_after(2.0)) == (rate_limit.QUOTA_EXCEEDED, None)
    assert math.isinf(ban.until)
    assert limit.enter(1e9) is not None


def test_no_limit_answers_all():
    """Without a rate nothing is refused."""
    limit = Limit()
    assert all(limit.enter(0.0) is None for _ in range(1000))

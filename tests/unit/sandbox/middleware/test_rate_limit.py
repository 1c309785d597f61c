"""The rate limit of the sandbox."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.rate_limits import Rate
from sandbox.middleware import rate_limit
from sandbox.middleware.rate_limit import ArrivalLimit, SlidingWindowLimit

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
    assert rate_limit.seconds_until_free(granted, now, THREE_IN_TEN) == seconds


@given(st.lists(st.floats(0, 100), max_size=200))
def test_no_window_holds_more_than_the_limit(moments):
    """At any arrival times, no window has more successful requests than allowed."""
    limit = SlidingWindowLimit(THREE_IN_TEN)
    accepted = [now for now in sorted(moments) if limit.admit(now) is None]
    for start in accepted:
        assert sum(start <= now < start + 10 for now in accepted) <= 3


def test_waiting_for_retry_after_is_enough():
    """`Retry-After` is in whole seconds, and a request after it succeeds."""
    limit = SlidingWindowLimit(THREE_IN_TEN)
    assert [limit.admit(now) for now in (0.0, 0.1, 0.2)] == [None] * 3
    ban = limit.admit(0.3)
    assert ban.retry_after(0.3) == 10
    assert limit.admit(10.3) is None


def test_requests_during_a_ban_do_not_extend_it():
    """Requests during a ban are refused with the remaining seconds, and not counted."""
    limit = SlidingWindowLimit(THREE_IN_TEN, ban_seconds=60)
    for now in (0.0, 0.0, 0.0):
        limit.admit(now)
    first = limit.admit(0.0)
    later = limit.admit(59.5)
    assert (first.retry_after(0.0), later.retry_after(59.5)) == (60, 1)
    assert later.until == first.until == 60
    assert limit.admit(60.0) is None


@given(st.floats(0, 1e7), st.integers(1, 100_000))
def test_retry_after_is_exact(now, seconds):
    """Whenever it begins, a ban of 77 s has a Retry-After of 77."""
    limit = SlidingWindowLimit(Rate(1, 0.5), ban_seconds=seconds)
    limit.admit(now)
    assert limit.admit(now).retry_after(now) == seconds


def test_a_ban_lasts_although_the_window_is_empty():
    """With a fixed length the ban continues after the window has room."""
    limit = SlidingWindowLimit(Rate(1, 1.0), ban_seconds=100)
    limit.admit(0.0)
    limit.admit(0.5)
    assert limit.admit(50.0) is not None


def test_a_quota_ban_has_no_end():
    """After the quota there is no Retry-After."""
    limit = SlidingWindowLimit(quota=2)
    assert [limit.admit(0.0), limit.admit(1.0)] == [None, None]
    ban = limit.admit(2.0)
    assert (ban.reason, ban.retry_after(2.0)) == (rate_limit.QUOTA_EXCEEDED, None)
    assert math.isinf(ban.until)
    assert limit.admit(1e9) is not None


def test_without_a_rate_nothing_is_refused():
    """Without a rate nothing is refused."""
    limit = SlidingWindowLimit()
    assert all(limit.admit(0.0) is None for _ in range(1000))


def test_refused_arrivals_count():
    """A client that does not wait is not served; after a quiet window it is."""
    limit = ArrivalLimit(Rate(1, 1.0))
    assert limit.admit(0.0) is None
    bans = [limit.admit(0.9 * number) for number in range(1, 6)]
    assert [ban is not None for ban in bans] == [True] * 5
    assert {ban.since for ban in bans} == {0.9}  # one ban
    assert limit.active_ban(5.49) is not None
    assert limit.active_ban(5.5) is None
    assert limit.admit(5.5) is None


@given(st.lists(st.floats(0, 100), max_size=200))
def test_no_window_holds_more_arrivals_than_the_limit(moments):
    """Every served request is the last of a window that has no more arrivals than allowed."""
    limit, arrivals = ArrivalLimit(THREE_IN_TEN), sorted(moments)
    for number, now in enumerate(arrivals):
        served = limit.admit(now) is None
        in_window = [earlier for earlier in arrivals[:number] if now < earlier + 10]
        assert served == (len(in_window) < 3)

from hypothesis import given
from hypothesis import strategies as st

from collector.http import backoff

NOW = 1_000_000.0


def test_waits_as_long_as_the_source_says() -> None:
    """A Retry-After is a floor: we stay away that long and a little longer, however often."""
    for earlier in (0, 5):
        assert (
            backoff.next_allowed_at(NOW, 20_000, None, earlier)
            == NOW + 20_000 + backoff.MARGIN_SECONDS
        )


def test_a_wait_that_was_too_short_becomes_a_window() -> None:
    """Told one second and refused after it: a source that says so little is not asked in a row."""
    assert backoff.next_allowed_at(NOW, 1, None, 0) == NOW + 1 + backoff.MARGIN_SECONDS
    assert backoff.next_allowed_at(NOW, 1, None, 1) == NOW + 30


def test_gaps_grow_where_nothing_is_said() -> None:
    """Without a Retry-After the gap is one window, then doubles, up to an hour."""
    gaps = [backoff.next_allowed_at(NOW, None, None, earlier) - NOW for earlier in range(9)]
    assert gaps[:3] == [30, 60, 120]
    assert gaps[-1] == 3_600


def test_probes_a_spent_quota_with_growing_gaps() -> None:
    """A spent quota has no promised end: ten minutes, then twice as long, up to six hours."""
    gaps = [
        backoff.next_allowed_at(NOW, None, backoff.QUOTA_EXCEEDED, earlier) - NOW
        for earlier in range(9)
    ]
    assert gaps[:3] == [600, 1_200, 2_400]
    assert gaps[-1] == 21_600


def test_a_spent_quota_heeds_a_longer_retry_after() -> None:
    """Where a spent quota names a time, it is not probed before."""
    assert (
        backoff.next_allowed_at(NOW, 86_400, backoff.QUOTA_EXCEEDED, 0)
        == NOW + 86_400 + backoff.MARGIN_SECONDS
    )


@given(
    retry_after=st.none() | st.floats(allow_nan=False),
    reason=st.none() | st.just(backoff.QUOTA_EXCEEDED) | st.text(),
    earlier=st.integers(0, 10_000),
)
def test_every_ban_ends(retry_after: float | None, reason: str | None, earlier: int) -> None:
    """Whatever is said, we stay away for a while, and not for ever."""
    until = backoff.next_allowed_at(NOW, retry_after, reason, earlier)
    assert NOW < until <= NOW + backoff.MAX_BAN_SECONDS + backoff.MARGIN_SECONDS

"""Backoff after a refusal."""

from hypothesis import given
from hypothesis import strategies as st

from collector.http import backoff

NOW = 1_000_000.0


def test_retry_after_is_a_lower_bound() -> None:
    """The wait is Retry-After plus a margin, after any number of bans."""
    for earlier in (0, 5):
        assert (
            backoff.next_allowed_at(NOW, 20_000, None, earlier)
            == NOW + 20_000 + backoff.MARGIN_SECONDS
        )


def test_a_repeated_refusal_waits_for_a_full_window() -> None:
    """A source that refuses again after a short Retry-After is not retried in quick succession."""
    assert backoff.next_allowed_at(NOW, 1, None, 0) == NOW + 1 + backoff.MARGIN_SECONDS
    assert backoff.next_allowed_at(NOW, 1, None, 1) == NOW + 30


def test_waits_double_without_a_retry_after() -> None:
    """Without a Retry-After the wait is one window, then doubles, up to an hour."""
    gaps = [backoff.next_allowed_at(NOW, None, None, earlier) - NOW for earlier in range(9)]
    assert gaps[:3] == [30, 60, 120]
    assert gaps[-1] == 3_600


def test_waits_double_after_an_exceeded_quota() -> None:
    """A quota ban has no announced end: ten minutes, then twice as long, up to six hours."""
    gaps = [
        backoff.next_allowed_at(NOW, None, backoff.QUOTA_EXCEEDED, earlier) - NOW
        for earlier in range(9)
    ]
    assert gaps[:3] == [600, 1_200, 2_400]
    assert gaps[-1] == 21_600


def test_a_longer_retry_after_wins_over_the_quota_wait() -> None:
    """A Retry-After of a quota ban is respected."""
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
    """The wait is always positive and bounded."""
    until = backoff.next_allowed_at(NOW, retry_after, reason, earlier)
    assert NOW < until <= NOW + backoff.MAX_BAN_SECONDS + backoff.MARGIN_SECONDS


def test_the_first_wait_is_the_accounts() -> None:
    """Without a Retry-After the wait begins with the account's, and doubles."""
    waits = [backoff.next_allowed_at(NOW, None, None, earlier, 5.0) - NOW for earlier in range(5)]
    assert waits == [5, 10, 20, 40, 80]
    assert backoff.next_allowed_at(NOW, 7, None, 0, 5.0) - NOW == 7 + backoff.MARGIN_SECONDS

"""When the tracks of a queue are requested again."""

from datetime import timedelta

from collector.catalogue.attempt_queue import retry_at
from tests.fakes import NOON


def test_delays_after_misses_increase() -> None:
    """A miss is retried after 1, 7, 30 and then every 90 days."""
    days = [(retry_at(attempts, NOON) - NOON) / timedelta(days=1) for attempts in range(1, 7)]
    assert days == [1, 7, 30, 90, 90, 90]

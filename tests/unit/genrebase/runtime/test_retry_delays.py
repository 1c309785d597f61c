"""Delays before retries."""

import pytest

from genrebase.runtime.retry_delays import retry_delay


@pytest.mark.parametrize(("failures", "seconds"), [(1, 1), (2, 2), (3, 5), (5, 60), (500, 60)])
def test_the_delay_grows_to_a_minute(failures: int, seconds: float) -> None:
    """The delay is never longer than a minute."""
    assert retry_delay(failures) == seconds

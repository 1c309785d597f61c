"""Request rates."""

import pytest

from collector.rate import Rate, parse_rate


@pytest.mark.parametrize(
    ("text", "rate"),
    [("60/30s", Rate(60, 30)), (" 5 / 1.5 s ", Rate(5, 1.5)), ("2/s", Rate(2, 1))],
)
def test_parses_rates(text: str, rate: Rate) -> None:
    """A rate is requests per seconds; blanks do not matter, a bare `s` is one second."""
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "60", "0/30s", "60/0s", "60/30m", "-1/30s", "sixty/30s"])
def test_an_invalid_rate_is_refused(text: str) -> None:
    """An invalid rate is refused with an example."""
    with pytest.raises(ValueError, match="60/30s"):
        parse_rate(text)


@pytest.mark.parametrize("requests", [1, 7, 60, 90, 10_000])
def test_keeps_every_window_within_the_limit(requests: int) -> None:
    """Evenly spaced requests never put more than the limit into a closed window."""
    rate = Rate(requests, 30)
    assert int(rate.seconds / rate.interval) + 1 <= requests
    assert rate.interval * requests <= rate.seconds / 0.97 + 1e-9

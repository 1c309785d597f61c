"""Rates, accounts and their capabilities."""

import pytest

from collector.rate_limits import (
    FAILURES_APART_SECONDS,
    RECHECK_AFTER_SECONDS,
    Capabilities,
    Rate,
    parse_rate,
)

LIMITS = (50, 10)


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


def test_starts_with_the_largest_page() -> None:
    """Without refusals the largest page is requested, and nothing is closed."""
    assert Capabilities().page_limit(LIMITS, 0.0) == 50
    assert not Capabilities().is_closed("audio-features", 0.0)


def test_a_refusal_is_remembered_for_a_week() -> None:
    """After a week, the refused page limit and endpoint are tried again."""
    existing = (
        Capabilities().with_refused_limit(50, 100.0).with_closed_endpoint("audio-features", 100.0)
    )
    later = 100.0 + RECHECK_AFTER_SECONDS
    assert existing.page_limit(LIMITS, later - 1) == 10
    assert existing.is_closed("audio-features", later - 1)
    assert existing.page_limit(LIMITS, later) == 50
    assert not existing.is_closed("audio-features", later)


def test_the_smallest_page_is_the_last_resort() -> None:
    """If every limit was refused, the smallest is requested."""
    assert (
        Capabilities()
        .with_refused_limit(50, 0.0)
        .with_refused_limit(10, 0.0)
        .page_limit(LIMITS, 1.0)
        == 10
    )


def test_capabilities_round_trip_through_json() -> None:
    """Capabilities come back from JSON; a missing document gives the defaults."""
    existing = Capabilities(bans=1).with_refused_limit(50, 1.0).with_closed_endpoint("x", 2.0)
    existing = existing.with_failure("y", 3.0)
    assert Capabilities.from_json(existing.to_json()) == existing
    assert Capabilities.from_json(None) == Capabilities.from_json({}) == Capabilities()


def test_failures_of_a_day_are_needed() -> None:
    """Many in one outage count once; a response ends them."""
    failing = Capabilities()
    for at in range(1_000):
        failing = failing.with_failure("x", float(at))
    assert not failing.has_failed_for_long("x")
    failing = failing.with_failure("x", FAILURES_APART_SECONDS)
    assert not failing.has_failed_for_long("x")
    for days in range(2, 60):
        failing = failing.with_failure("x", days * FAILURES_APART_SECONDS)
        assert failing.has_failed_for_long("x")
    assert len(failing.failures["x"]) == 3
    assert not failing.has_failed_for_long("y")
    assert not failing.without_failures("x").has_failed_for_long("x")

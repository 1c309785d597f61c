"""How well a rate limit is used: the claims of `benchmarks.request_budget`, with small limits."""

import pytest

from benchmarks.request_budget import HOUR, Scenario, play
from benchmarks.simulated_clock import START, run


@pytest.mark.parametrize("workers", [1, 2])
def test_a_correct_rate_is_used_and_kept(sqlite_engine, workers):
    """At least 95% of it is used, never more in any window, by one or two processes."""
    result = play(sqlite_engine, Scenario(20, 20, 300.0, workers))
    assert result.used >= 0.95
    assert result.max_in_window <= 20
    assert result.refused == []


@pytest.mark.parametrize("workers", [1, 2])
def test_twice_too_high_a_rate_is_corrected(sqlite_engine, workers):
    """After the first refusal it is at most 10% too low, with one refusal an hour at most."""
    result = play(sqlite_engine, Scenario(10, 5, 1.1 * HOUR, workers))
    first, *later = result.refused
    assert first < 30
    assert len(later) == 1
    assert result.max_refused_per_hour == 1
    assert 0.9 * 5 <= result.rate <= 5
    assert result.used >= 0.9
    assert result.while_banned == 0


def test_simulated_workers_take_turns():
    """The worker that wakes first continues; time is the sum of its sleeps."""
    output = []

    def work(name, naps):
        def working(clock):
            for nap in naps:
                clock.sleep(nap)
                output.append((name, clock.monotonic()))
            assert (clock.now() - START).total_seconds() == clock.monotonic()

        return working

    assert run(work("slow", [3.0, 3.0]), work("quick", [1.0, 1.0, 2.5])) == 6.0
    assert output == [("quick", 1), ("quick", 2), ("slow", 3), ("quick", 4.5), ("slow", 6)]


def test_a_simulated_failure_is_raised():
    """An error in a worker is raised."""

    def broken(_clock):
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        run(broken, lambda clock: clock.sleep(1))

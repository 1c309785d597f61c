"""The rate limiter shared by processes."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import Engine, func, select

from collector.errors import Blocked
from collector.http import backoff
from collector.http.rate_limiter import RequestBudget
from collector.rate_limits import Account, Rate
from genrebase.store import tables
from genrebase.store.engine import read_transaction

ACCOUNT = Account("spotify", "0123456789abcdef", Rate(60, 30))
NOW = 1_800_000_000.0


def test_slots_keep_within_the_rate(engine: Engine) -> None:
    """However fast slots are acquired, no window of 30 s holds more than the limit."""
    budget = RequestBudget.open(engine, ACCOUNT)
    slots = [budget.acquire(NOW) for _ in range(130)]
    assert slots[0] == NOW
    for first, beyond in zip(slots, slots[60:], strict=False):
        assert beyond - first > 30
    assert budget.state().requests == budget.requests_made == 130


def test_idle_time_allows_no_burst(engine: Engine) -> None:
    """After a pause the first request is immediate, and the next one spaced."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.acquire(NOW)
    assert budget.acquire(NOW + 100) == NOW + 100
    assert budget.acquire(NOW + 100) == pytest.approx(NOW + 100 + ACCOUNT.rate.interval)


def test_processes_share_one_limit(engine: Engine) -> None:
    """Two budgets of one account used concurrently never give the same slot twice."""
    budgets = [RequestBudget.open(engine, ACCOUNT) for _ in range(2)]

    def take_all(budget: RequestBudget) -> list[float]:
        return [budget.acquire(NOW) for _ in range(20)]

    with ThreadPoolExecutor(2) as pool:
        slots = sorted(slot for taken in pool.map(take_all, budgets) for slot in taken)
    apart = [after - before for before, after in pairwise(slots)]
    assert min(apart) == pytest.approx(ACCOUNT.rate.interval, abs=1e-5)


def test_a_clock_set_back_does_not_block(engine: Engine) -> None:
    """A slot reserved far in the future is ignored."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.acquire(NOW + 86_400)
    assert budget.acquire(NOW) == NOW


YEARS = 36 * 365 * 86_400.0


def test_a_ban_recorded_by_a_clock_set_back_since_is_over(engine: Engine) -> None:
    """No ban is as long as it would seem; a new one counts from now."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.record_ban(NOW + YEARS, 60.0, None)
    assert budget.acquire(NOW) == NOW
    assert not budget.state().is_blocked(NOW)
    until = budget.record_ban(NOW, 60.0, None)
    assert until < NOW + 7_200
    with pytest.raises(Blocked):
        budget.acquire(NOW + 1)


def test_the_longest_announced_ban_is_believed(engine: Engine) -> None:
    """A Retry-After of a month is kept to its end."""
    budget = RequestBudget.open(engine, ACCOUNT)
    until = budget.record_ban(NOW, 1e9, None)
    for moment in (NOW, NOW + 86_400, until - 1):
        with pytest.raises(Blocked):
            budget.acquire(moment)
    assert budget.acquire(until) == until


def test_a_limit_learned_by_a_clock_set_back_since_is_increased(engine: Engine) -> None:
    """The rate does not stay low until the clock has come as far again."""
    budget = RequestBudget.open(engine, ACCOUNT)
    for _ in range(40):
        budget.acquire(NOW + YEARS)
    budget.record_ban(NOW + YEARS, 60.0, None)
    lowered = budget.state().ceiling
    assert lowered is not None
    budget.acquire(NOW)
    raised = budget.state().ceiling
    assert raised is None or raised > lowered


def test_accounts_are_independent(engine: Engine) -> None:
    """Another credential has its own slots."""
    other = Account("spotify", "fedcba9876543210", ACCOUNT.rate)
    assert RequestBudget.open(engine, ACCOUNT).acquire(NOW) == NOW
    assert RequestBudget.open(engine, other).acquire(NOW) == NOW


def test_a_changed_rate_applies_at_once(engine: Engine) -> None:
    """A changed rate is applied to the existing row."""
    RequestBudget.open(engine, ACCOUNT)
    budget = RequestBudget.open(engine, Account(ACCOUNT.source, ACCOUNT.credential, Rate(600, 30)))
    budget.acquire(NOW)
    assert budget.acquire(NOW) == pytest.approx(NOW + Rate(600, 30).interval)


def fast(engine: Engine, requests: int = 60) -> RequestBudget:
    """Return a budget with so many requests in its window, at twice the rate."""
    budget = RequestBudget.open(engine, Account(ACCOUNT.source, ACCOUNT.credential, Rate(120, 30)))
    now = NOW
    for _ in range(requests):
        now = budget.acquire(now)
    return budget


def test_a_refusal_sets_a_limit(engine: Engine) -> None:
    """The limit becomes 97% of the granted requests, in every process and after a restart."""
    budget = fast(engine)
    budget.record_ban(budget.acquire(NOW + 20), 1, None)
    state = RequestBudget.open(engine, ACCOUNT).state()
    assert state.ceiling == pytest.approx(58.2)
    assert state.interval == pytest.approx(30 / 58.2)


def test_only_the_last_window_is_counted(engine: Engine) -> None:
    """Requests before the last window do not raise the learned limit."""
    budget = fast(engine)
    budget.acquire(NOW + 100)
    budget.record_ban(budget.acquire(NOW + 101), 1, None)
    assert budget.state().ceiling == pytest.approx(58.2)  # a half, for one request alone


@pytest.mark.parametrize("reason", [backoff.QUOTA_EXCEEDED, backoff.OVERLOADED])
def test_a_ban_for_another_reason_sets_no_limit(engine: Engine, reason: str) -> None:
    """A daily quota, and a busy server, are unrelated to the window."""
    budget = fast(engine)
    budget.record_ban(budget.acquire(NOW + 20), None, reason)
    assert budget.state().ceiling is None


def test_consecutive_refusals_lower_the_limit_once(engine: Engine) -> None:
    """A source that keeps refusing does not lower the limit to nothing."""
    budget = fast(engine)
    now = NOW + 20
    for _ in range(4):
        until = budget.record_ban(budget.acquire(now), 1, None)
        now = until
    assert budget.state().ceiling == pytest.approx(58.2)


def test_the_limit_is_increased_hourly(engine: Engine) -> None:
    """By 5%, at most once an hour, by the first process; up to the configured rate."""
    budget = fast(engine)
    until = budget.record_ban(budget.acquire(NOW + 20), 1, None)
    budget.acquire(until)
    budget.record_success(until)
    other = RequestBudget.open(engine, Account(ACCOUNT.source, ACCOUNT.credential, Rate(120, 30)))
    learned = []
    for hour in range(18):
        for one in (budget, other, budget):
            one.acquire(until + 3_600 * (hour + 1))
        learned.append(budget.state().ceiling)
    assert learned[:2] == [pytest.approx(58.2 * 1.05), pytest.approx(58.2 * 1.05**2)]
    assert learned[-1] is None
    assert budget.state().interval == pytest.approx(Rate(120, 30).interval)


def test_old_slots_are_deleted(engine: Engine) -> None:
    """Only the slots of the last windows are kept."""
    budget = RequestBudget.open(engine, Account(ACCOUNT.source, ACCOUNT.credential, Rate(10, 30)))
    now = NOW
    for _ in range(250):
        now = budget.acquire(now)
    with read_transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.budget_slot)) < 120


def test_a_ban_survives_a_restart(engine: Engine) -> None:
    """A restart during a ban gets no slot, and counts no request."""
    until = RequestBudget.open(engine, ACCOUNT).record_ban(NOW, 20_000, None)
    restarted = RequestBudget.open(engine, ACCOUNT)
    with pytest.raises(Blocked) as caught:
        restarted.acquire(NOW + 19_999)
    assert caught.value.until.timestamp() == pytest.approx(until)
    assert restarted.state().requests == 0
    assert restarted.acquire(until) == until


def test_a_shorter_ban_does_not_shorten_a_longer_one(engine: Engine) -> None:
    """The latest end of all bans applies."""
    budget = RequestBudget.open(engine, ACCOUNT)
    until = budget.record_ban(NOW, 3_600, None)
    assert budget.record_ban(NOW + 1, 1, None) == until


def test_refusals_during_a_ban_count_once(engine: Engine) -> None:
    """Requests in flight when the ban begins do not extend it."""
    budget = RequestBudget.open(engine, ACCOUNT)
    first = budget.record_ban(NOW, None, backoff.QUOTA_EXCEEDED)
    assert budget.record_ban(NOW + 1, None, backoff.QUOTA_EXCEEDED) == first + 1
    assert budget.state().capabilities.bans == 1


def test_refusals_and_banned_seconds_are_counted(engine: Engine) -> None:
    """Each 429 counts; the time of overlapping bans counts once."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.record_ban(NOW, 99, None)
    budget.record_ban(NOW + 10, 99, None)
    state = budget.state()
    assert (state.refusals, state.banned_seconds) == (2, pytest.approx(110))


def test_a_success_resets_the_backoff(engine: Engine) -> None:
    """After a success, the next ban starts with the shortest wait."""
    budget = RequestBudget.open(engine, ACCOUNT)
    until = budget.record_ban(NOW, None, None)
    budget.acquire(until)
    budget.record_success(until)
    state = budget.state()
    assert (state.blocked_until, state.blocked_reason, state.capabilities.bans) == (None, None, 0)


def test_consecutive_bans_grow(engine: Engine) -> None:
    """Bans without a success in between get longer."""
    budget = RequestBudget.open(engine, ACCOUNT)
    first = budget.record_ban(NOW, None, None)
    budget.acquire(first)
    assert budget.record_ban(first, None, None) - first == 2 * (first - NOW)


def test_capabilities_are_shared(engine: Engine) -> None:
    """A refused page limit and a closed endpoint are shared by all processes."""
    RequestBudget.open(engine, ACCOUNT).record_refused_limit(50, NOW)
    RequestBudget.open(engine, ACCOUNT).record_closed_endpoint("audio-features", NOW)
    existing = RequestBudget.open(engine, ACCOUNT).capabilities
    assert existing.page_limit((50, 10), NOW) == 10
    assert existing.is_closed("audio-features", NOW)


def test_a_released_slot_is_not_counted(engine: Engine) -> None:
    """A request that was not made is not counted."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.acquire(NOW)
    budget.release()
    assert budget.state().requests == budget.requests_made == 0


def test_credentials_of_one_account_share_a_budget(engine: Engine) -> None:
    """Their requests are counted in one row, which names the account."""
    budgets = [RequestBudget.open(engine, shared(key)) for key in ("one", "two")]
    first, second = (budget.acquire(NOW) for budget in budgets)
    assert (first, second) == (NOW, pytest.approx(NOW + ACCOUNT.rate.interval))
    row = tables.source_budget.c
    with read_transaction(engine) as connection:
        rows = connection.execute(select(row.account, row.requests)).all()
    assert rows == [("me@example.org", 2)]


def test_a_named_account_takes_over_what_its_credentials_used(engine: Engine) -> None:
    """Requests, slots and the longest ban of both; nothing is requested during that ban."""
    for key, wait in (("one", 300.0), ("two", 900.0)):
        own = RequestBudget.open(engine, Account("spotify", key, Rate(60, 30)))
        own.acquire(NOW)
        own.record_ban(NOW, wait, None)
    for key in ("one", "two"):
        budget = RequestBudget.open(engine, shared(key))
    state = budget.state()
    assert (state.requests, state.refusals) == (2, 2)
    assert state.blocked_until is not None
    assert state.blocked_until >= NOW + 900
    with pytest.raises(Blocked):
        budget.acquire(NOW + 600)
    with read_transaction(engine) as connection:
        assert connection.scalars(select(tables.source_budget.c.credential)).all() == ["shared"]
        assert set(connection.scalars(select(tables.budget_slot.c.credential))) <= {"shared"}


def shared(own_credential: str) -> Account:
    return Account(
        "spotify",
        "shared",
        Rate(60, 30),
        name="me@example.org",
        replaced_credential=own_credential,
    )

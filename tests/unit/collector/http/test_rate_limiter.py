from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from sqlalchemy import Engine, func, select

from collector.account import Account
from collector.errors import Blocked
from collector.http import backoff
from collector.http.rate_limiter import RequestBudget
from collector.rate import Rate
from genrebase.store import tables
from genrebase.store.engine import read_transaction

ACCOUNT = Account("spotify", "0123456789abcdef", Rate(60, 30))
NOW = 1_800_000_000.0


def test_slots_keep_the_pace(engine: Engine) -> None:
    """However greedily slots are taken, no window of 30 s holds more than the limit."""
    budget = RequestBudget.open(engine, ACCOUNT)
    slots = [budget.acquire(NOW) for _ in range(130)]
    assert slots[0] == NOW
    for first, beyond in zip(slots, slots[60:], strict=False):
        assert beyond - first > 30
    assert budget.state().requests == budget.requests_made == 130


def test_idle_time_is_not_saved_up(engine: Engine) -> None:
    """After a pause the first request goes at once, and the next keeps its distance."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.acquire(NOW)
    assert budget.acquire(NOW + 100) == NOW + 100
    assert budget.acquire(NOW + 100) == pytest.approx(NOW + 100 + ACCOUNT.rate.interval)


def test_processes_share_one_pace(engine: Engine) -> None:
    """Two budgets of one account, taken from at once, never give the same slot twice."""
    budgets = [RequestBudget.open(engine, ACCOUNT) for _ in range(2)]

    def take_all(budget: RequestBudget) -> list[float]:
        return [budget.acquire(NOW) for _ in range(20)]

    with ThreadPoolExecutor(2) as pool:
        slots = sorted(slot for taken in pool.map(take_all, budgets) for slot in taken)
    apart = [after - before for before, after in pairwise(slots)]
    assert min(apart) == pytest.approx(ACCOUNT.rate.interval, abs=1e-5)


def test_a_clock_set_back_does_not_stop_us(engine: Engine) -> None:
    """A slot reserved in a future that was none is forgotten."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.acquire(NOW + 86_400)
    assert budget.acquire(NOW) == NOW


def test_accounts_do_not_share(engine: Engine) -> None:
    """Another credential has slots of its own."""
    other = Account("spotify", "fedcba9876543210", ACCOUNT.rate)
    assert RequestBudget.open(engine, ACCOUNT).acquire(NOW) == NOW
    assert RequestBudget.open(engine, other).acquire(NOW) == NOW


def test_another_rate_holds_from_its_first_use(engine: Engine) -> None:
    """A changed rate is taken over by the row that is there."""
    RequestBudget.open(engine, ACCOUNT)
    budget = RequestBudget.open(engine, Account(ACCOUNT.source, ACCOUNT.credential, Rate(600, 30)))
    budget.acquire(NOW)
    assert budget.acquire(NOW) == pytest.approx(NOW + Rate(600, 30).interval)


def fast(engine: Engine, requests: int = 60) -> RequestBudget:
    """Return a budget that has made so many requests in its window, twice too fast."""
    budget = RequestBudget.open(engine, Account(ACCOUNT.source, ACCOUNT.credential, Rate(120, 30)))
    now = NOW
    for _ in range(requests):
        now = budget.acquire(now)
    return budget


def test_a_refusal_teaches_a_ceiling(engine: Engine) -> None:
    """The pace becomes 97% of what was granted, in every process and after a restart."""
    budget = fast(engine)
    budget.record_ban(budget.acquire(NOW + 20), 1, None)
    state = RequestBudget.open(engine, ACCOUNT).state()
    assert state.ceiling == pytest.approx(58.2)
    assert state.interval == pytest.approx(30 / 58.2)


def test_older_requests_are_not_counted(engine: Engine) -> None:
    """Only what was granted in the last window teaches."""
    budget = fast(engine)
    budget.acquire(NOW + 100)
    budget.record_ban(budget.acquire(NOW + 101), 1, None)
    assert budget.state().ceiling == pytest.approx(58.2)  # a half, for one request alone


def test_a_spent_quota_teaches_no_ceiling(engine: Engine) -> None:
    """A quota of days says nothing about a window."""
    budget = fast(engine)
    budget.record_ban(budget.acquire(NOW + 20), None, backoff.QUOTA_EXCEEDED)
    assert budget.state().ceiling is None


def test_refusals_in_a_row_teach_once(engine: Engine) -> None:
    """A source that goes on refusing does not bring the pace down to nothing."""
    budget = fast(engine)
    now = NOW + 20
    for _ in range(4):
        until = budget.record_ban(budget.acquire(now), 1, None)
        now = until
    assert budget.state().ceiling == pytest.approx(58.2)


def test_a_little_more_is_tried_after_an_hour(engine: Engine) -> None:
    """By 5%, once an hour at most, by whichever process comes first; then as told again."""
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


def test_old_slots_are_dropped(engine: Engine) -> None:
    """However many requests were made, a few windows of them are kept."""
    budget = RequestBudget.open(engine, Account(ACCOUNT.source, ACCOUNT.credential, Rate(10, 30)))
    now = NOW
    for _ in range(250):
        now = budget.acquire(now)
    with read_transaction(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.budget_slot)) < 120


def test_a_ban_outlives_the_process(engine: Engine) -> None:
    """A restart inside a ban gets no slot, and counts no request."""
    until = RequestBudget.open(engine, ACCOUNT).record_ban(NOW, 20_000, None)
    restarted = RequestBudget.open(engine, ACCOUNT)
    with pytest.raises(Blocked) as caught:
        restarted.acquire(NOW + 19_999)
    assert caught.value.until.timestamp() == pytest.approx(until)
    assert restarted.state().requests == 0
    assert restarted.acquire(until) == until


def test_a_shorter_ban_does_not_shorten_a_longer_one(engine: Engine) -> None:
    """The latest end of all bans holds."""
    budget = RequestBudget.open(engine, ACCOUNT)
    until = budget.record_ban(NOW, 3_600, None)
    assert budget.record_ban(NOW + 1, 1, None) == until


def test_refusals_of_one_ban_count_once(engine: Engine) -> None:
    """Requests that were under way when the ban came do not make it grow."""
    budget = RequestBudget.open(engine, ACCOUNT)
    first = budget.record_ban(NOW, None, backoff.QUOTA_EXCEEDED)
    assert budget.record_ban(NOW + 1, None, backoff.QUOTA_EXCEEDED) == first + 1
    assert budget.state().capabilities.bans == 1


def test_refusals_and_the_time_they_cost_are_counted(engine: Engine) -> None:
    """Each 429 counts; of bans that overlap, the time counts once."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.record_ban(NOW, 99, None)
    budget.record_ban(NOW + 10, 99, None)
    state = budget.state()
    assert (state.refusals, state.banned_seconds) == (2, pytest.approx(110))


def test_an_answer_ends_the_growing(engine: Engine) -> None:
    """Once the source answers again, the next ban starts with the smallest gap."""
    budget = RequestBudget.open(engine, ACCOUNT)
    until = budget.record_ban(NOW, None, None)
    budget.acquire(until)
    budget.record_success(until)
    state = budget.state()
    assert (state.blocked_until, state.blocked_reason, state.capabilities.bans) == (None, None, 0)


def test_a_ban_after_a_failed_probe_is_longer(engine: Engine) -> None:
    """Bans without an answer between them grow."""
    budget = RequestBudget.open(engine, ACCOUNT)
    first = budget.record_ban(NOW, None, None)
    budget.acquire(first)
    assert budget.record_ban(first, None, None) - first == 2 * (first - NOW)


def test_what_was_learned_is_shared(engine: Engine) -> None:
    """A refused page limit and a closed endpoint are known to every process, and kept together."""
    RequestBudget.open(engine, ACCOUNT).record_refused_limit(50, NOW)
    RequestBudget.open(engine, ACCOUNT).record_closed_endpoint("audio-features", NOW)
    known = RequestBudget.open(engine, ACCOUNT).capabilities
    assert known.page_limit((50, 10), NOW) == 10
    assert known.is_closed("audio-features", NOW)


def test_a_slot_given_back_is_not_counted(engine: Engine) -> None:
    """A request that was not made is not in the count."""
    budget = RequestBudget.open(engine, ACCOUNT)
    budget.acquire(NOW)
    budget.release()
    assert budget.state().requests == budget.requests_made == 0

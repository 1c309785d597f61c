"""Schedules of jobs."""

from datetime import UTC, datetime, timedelta

import pytest

from genrebase.runtime.schedule import CronSchedule, IntervalSchedule, InvalidSchedule, is_due
from tests.fakes import NOON  # a Thursday

MINUTE = timedelta(minutes=1)


def test_cron_text_is_read_in_its_time_zone() -> None:
    """Three in the morning in Tokyo is six in the evening in UTC."""
    assert CronSchedule("0 3 * * * Asia/Tokyo").next_after(NOON) == datetime(
        2026, 1, 1, 18, tzinfo=UTC
    )


def test_without_a_zone_cron_text_is_utc() -> None:
    """The computer's own zone plays no part."""
    assert CronSchedule("0 3 * * *").next_after(NOON) == datetime(2026, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("weekday", "day"),
    [("0", 4), ("7", 4), ("sun", 4), ("1", 5), ("MON", 5), ("5-7", 2), ("6-1", 3), ("1-5/2", 2)],
)
def test_weekdays_are_crons(weekday: str, day: int) -> None:
    """Sunday is 0 and 7; ranges may run over it."""
    following = CronSchedule(f"0 3 * * {weekday}").next_after(NOON)
    assert following == datetime(2026, 1, day, 3, tzinfo=UTC)


def test_day_and_weekday_either_will_do() -> None:
    """As in cron, a day of the month and a weekday are alternatives."""
    schedule = CronSchedule("0 3 10 * sun")
    days, moment = [], NOON
    for _ in range(3):
        following = schedule.next_after(moment)
        assert following is not None
        days.append(following.day)
        moment = following
    assert days == [4, 10, 11]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "3",
        "0 3 * *",
        "0 3 * * * * *",
        "61 3 * * *",
        "0 3 * * noday",
        "0 3 * * 8",
        "0 3 * * * Mars/Olympus",
        "0 3 * * * ../../etc",
        "a b c d e",
    ],
)
def test_an_invalid_schedule_is_refused(text: str) -> None:
    """An impossible schedule is refused when it is parsed."""
    with pytest.raises(InvalidSchedule, match=r"is not a (schedule|time zone)"):
        CronSchedule(text)


def test_never_run_is_due() -> None:
    """A job that never ran is due."""
    assert is_due(CronSchedule("0 3 * * *"), None, NOON)


@pytest.mark.parametrize(
    ("last", "due"),
    [
        (datetime(2026, 1, 1, 3, 0, tzinfo=UTC), False),
        (datetime(2026, 1, 1, 2, 59, tzinfo=UTC), True),
        (datetime(2025, 12, 1, 3, 0, tzinfo=UTC), True),
        (NOON + MINUTE, False),
    ],
)
def test_due_means_a_moment_was_missed(last: datetime, due: bool) -> None:
    """A job is due when one of its moments lies between its last run and now."""
    assert is_due(CronSchedule("0 3 * * *"), last, NOON) is due


@pytest.mark.parametrize(("ago", "due"), [(59, False), (60, True), (3600, True)])
def test_an_interval_counts_from_the_last_start(ago: int, due: bool) -> None:
    """Every minute means a minute after the last start."""
    assert is_due(IntervalSchedule(60), NOON - timedelta(seconds=ago), NOON) is due

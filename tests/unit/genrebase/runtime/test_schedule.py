"""Schedules of jobs."""

from datetime import UTC, datetime, timedelta

import pytest

from genrebase.runtime.schedule import Cron, IntervalSchedule, InvalidSchedule, is_due
from tests.fakes import NOON  # a Thursday

MINUTE = timedelta(minutes=1)


def test_cron_text_is_read_in_its_time_zone() -> None:
    """Three in the morning in Tokyo is six in the evening in UTC."""
    assert Cron("0 3 * * * Asia/Tokyo").next_after(NOON) == datetime(2026, 1, 1, 18, tzinfo=UTC)


def test_without_a_zone_cron_text_is_utc() -> None:
    """The computer's own zone plays no part."""
    assert Cron("0 3 * * *").next_after(NOON) == datetime(2026, 1, 2, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("weekday", "day"),
    [("0", 4), ("7", 4), ("sun", 4), ("1", 5), ("MON", 5), ("5-7", 2), ("6-1", 3), ("1-5/2", 2)],
)
def test_weekdays_are_crons(weekday: str, day: int) -> None:
    """Sunday is 0 and 7; ranges may run over it."""
    following = Cron(f"0 3 * * {weekday}").next_after(NOON)
    assert following == datetime(2026, 1, day, 3, tzinfo=UTC)


def test_day_and_weekday_either_will_do() -> None:
    """As in cron, a day of the month and a weekday are alternatives."""
    schedule = Cron("0 3 10 * sun")
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
        Cron(text)


def fire_times(text: str, start: datetime, number: int) -> list[str]:
    schedule, moment, times = Cron(text), start, []
    for _ in range(number):
        following = schedule.next_after(moment)
        assert following is not None
        times.append(f"{following:%d %H:%M%z}")
        moment = following
    return times


OCTOBER_30 = datetime(2027, 10, 30, 12, tzinfo=UTC)
"""The night after, Berlin's clocks are set back from 3:00 to 2:00."""


@pytest.mark.parametrize(
    ("text", "start", "times"),
    [
        ("30 2 * * * Europe/Berlin", OCTOBER_30, ["31 02:30+0200", "01 02:30+0100"]),
        (
            "0,59 1-2 * * * Europe/Berlin",
            OCTOBER_30,
            ["31 01:00+0200", "31 01:59+0200", "31 02:00+0200", "31 02:59+0200", "01 01:00+0100"],
        ),
        ("15 2 31 10 mon Europe/Berlin", OCTOBER_30, ["31 02:15+0200", "02 02:15+0200"]),
        ("30 2 * * 0 Europe/Berlin", OCTOBER_30, ["31 02:30+0200", "07 02:30+0100"]),
        ("30 2 * * 7 Europe/Berlin", OCTOBER_30, ["31 02:30+0200", "07 02:30+0100"]),
        (
            "30 1 * * * America/New_York",
            datetime(2027, 11, 6, 12, tzinfo=UTC),
            ["07 01:30-0400", "08 01:30-0500"],
        ),
        (
            "45 1 * * * Australia/Lord_Howe",  # set back by half an hour, from 2:00 to 1:30
            datetime(2027, 4, 3, 12, tzinfo=UTC),
            ["04 01:45+1100", "05 01:45+1030"],
        ),
        (
            "0 * * * * Europe/Berlin",
            datetime(2027, 10, 30, 23, 30, tzinfo=UTC),
            ["31 02:00+0200", "31 02:00+0100", "31 03:00+0100"],
        ),
        (
            "*/30 2 * * * Europe/Berlin",
            OCTOBER_30,
            ["31 02:00+0200", "31 02:30+0200", "31 02:00+0100", "31 02:30+0100", "01 02:00+0100"],
        ),
    ],
)
def test_a_repeated_hour_has_each_time_once(text: str, start: datetime, times: list[str]) -> None:
    """As in cron: fixed times run once, and those with `*` in the hour or minute in both hours."""
    assert fire_times(text, start, len(times)) == times


def test_a_schedule_runs_once_also_if_first_asked_in_the_repeated_hour() -> None:
    """In the second of the two hours the time has passed, as its first occurrence ran."""
    second = datetime(2027, 10, 31, 1, 10, tzinfo=UTC)  # 2:10 for the second time
    assert fire_times("30 2 * * * Europe/Berlin", second, 1) == ["01 02:30+0100"]
    assert fire_times("0 3 * * * Europe/Berlin", second, 1) == ["31 03:00+0100"]


def test_a_skipped_hour_does_not_lose_the_day() -> None:
    """In spring the time that does not exist is run an hour later."""
    start = datetime(2027, 3, 27, 12, tzinfo=UTC)
    times = fire_times("30 2 * * * Europe/Berlin", start, 2)
    assert [time[:2] for time in times] == ["28", "29"]


@pytest.mark.parametrize("text", ["0 0 31 2 *", "0 0 30 2 *", "5 4 31 4,6,9,11 * Europe/Berlin"])
def test_a_schedule_that_never_runs_is_refused(text: str) -> None:
    """No year has the 31st of February."""
    with pytest.raises(InvalidSchedule, match=r"is not a schedule: no month .* such a day"):
        Cron(text)


@pytest.mark.parametrize(
    ("text", "time"), [("0 0 29 2 *", "29 00:00+0000"), ("0 0 31 2 1", "02 00:00+0000")]
)
def test_rare_dates_are_accepted(text: str, time: str) -> None:
    """A leap day exists; a weekday suffices beside a day that does not exist."""
    assert fire_times(text, NOON, 1) == [time]


def test_never_run_is_due() -> None:
    """A job that never ran is due."""
    assert is_due(Cron("0 3 * * *"), None, NOON)


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
    assert is_due(Cron("0 3 * * *"), last, NOON) is due


@pytest.mark.parametrize(("ago", "due"), [(59, False), (60, True), (3600, True)])
def test_an_interval_counts_from_the_last_start(ago: int, due: bool) -> None:
    """Every minute means a minute after the last start."""
    assert is_due(IntervalSchedule(60), NOON - timedelta(seconds=ago), NOON) is due

"""When a job runs: a cron expression with a time zone, or an interval."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from genrebase.errors import UserError

_FIELDS: Final = 5
_ANY_DATE: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_INSTANT: Final = timedelta(microseconds=1)
_WEEKDAY_PART: Final = re.compile(r"([a-z]{3}|[0-7])(?:-([a-z]{3}|[0-7]))?(?:/([1-9]))?")


class InvalidSchedule(UserError):
    """A schedule that cannot be parsed."""


@dataclass(frozen=True, slots=True)
class IntervalSchedule:
    """Runs every `seconds`, counted from the last start."""

    seconds: float

    def next_after(self, moment: datetime) -> datetime:
        """Return `moment` plus the interval."""
        return moment + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Cron:
    """`MINUTE HOUR DAY MONTH WEEKDAY [ZONE]` as in cron; without a zone in UTC.

    Sunday is 0, 7 or `sun`; if both day and weekday are given, either one suffices. In the hour
    that is repeated when summer time ends, a schedule with a fixed hour and minute runs once, and
    one with `*` in either field in both hours.
    """

    text: str
    _trigger: Any = field(init=False, repr=False, compare=False)
    _runs_once: bool = field(init=False, repr=False, compare=False)
    """Whether it leaves out the second of two equal wall-clock times, when summer time ends."""

    def __post_init__(self) -> None:
        """Raise `InvalidSchedule` if the text cannot be parsed, or names no date that exists."""
        trigger, runs_once = _parse(self.text)
        object.__setattr__(self, "_trigger", trigger)
        object.__setattr__(self, "_runs_once", runs_once)
        if self.next_after(_ANY_DATE) is None:
            raise InvalidSchedule(
                f"{self.text!r} is not a schedule: no month that it names has such a day."
            )

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first time strictly after `moment`."""
        following: datetime | None = moment
        while following is not None:
            after = following.astimezone(UTC) + _INSTANT  # local arithmetic loses the offset
            following = self._trigger.get_next_fire_time(None, after)
            if not (self._runs_once and following is not None and _is_repeated(following)):
                break
        return following


Schedule = IntervalSchedule | Cron
"""The times at which a job runs; `next_after` returns None if there is none."""


def is_due(schedule: Schedule, last: datetime | None, now: datetime) -> bool:
    """Return whether a job that last ran at `last` (None: never) is due at `now`."""
    if last is None:
        return True
    following = schedule.next_after(last)
    return following is not None and following <= now


def _parse(text: str) -> tuple[Any, bool]:
    """Return the trigger, and whether it runs once in a repeated hour."""
    words = text.split()
    if len(words) not in {_FIELDS, _FIELDS + 1}:
        raise InvalidSchedule(
            f"{text!r} is not a schedule: write MINUTE HOUR DAY MONTH WEEKDAY and a time zone, "
            "as in '0 3 * * * Europe/Berlin'."
        )
    try:
        zone = ZoneInfo(words[_FIELDS] if len(words) > _FIELDS else "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidSchedule(
            f"{words[_FIELDS]!r} is not a time zone of this system: "
            "write one such as UTC or Europe/Berlin."
        ) from None
    minute, hour, day, month, weekday = words[:_FIELDS]
    once = not minute.startswith("*") and not hour.startswith("*")
    clock = {"minute": minute, "hour": hour, "month": month, "timezone": zone}
    try:
        days = ",".join(_weekdays(weekday.lower()))
        if day.startswith("*") or weekday.startswith("*"):
            trigger = CronTrigger(day=day, day_of_week=days, **clock)
        else:
            either = [CronTrigger(day=day, **clock), CronTrigger(day_of_week=days, **clock)]
            trigger = OrTrigger(either)
    except ValueError as error:
        raise InvalidSchedule(f"{text!r} is not a schedule: {error}") from None
    return trigger, once


def _is_repeated(moment: datetime) -> bool:
    """Return whether the clock showed the same time before, at another offset from UTC."""
    return moment.utcoffset() != moment.replace(fold=0).utcoffset()


def _weekdays(text: str) -> Iterator[str]:
    """Yield the weekdays as names: APScheduler's own numbers begin at Monday, cron's at Sunday."""
    if text == "*":
        yield "*"
        return
    every = re.fullmatch(r"\*/([1-7])", text)
    for part in (f"0-6/{every[1]}" if every else text).split(","):
        match = _WEEKDAY_PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is not a weekday")
        first = _weekday(match[1])
        last = first if match[2] is None else _weekday(match[2])
        last = last + 7 if last < first else last
        for number in range(first, last + 1, int(match[3] or 1)):
            yield _DAYS[number % 7]


def _weekday(text: str) -> int:
    return int(text) if text.isdigit() else _DAYS.index(text)

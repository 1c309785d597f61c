"""Forget tracks last seen long ago: retention, as a source's terms may require it."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from collector.catalogue import forget as retention
from collector.catalogue.deletion import RemovedRows
from collector.catalogue.forget import OverdueTracks
from genrebase.errors import UserError
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import job_run
from genrebase.store import matrix_files
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Engine, read_transaction

JOB: Final = "forget"
BATCH_SIZE: Final = 5_000
"""Tracks of one transaction."""

_AGE: Final = re.compile(r"(\d{1,5})\s*([hdw])")
_UNITS: Final = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class ForgetOutcome:
    """What a run removed, or would remove."""

    origin: str
    before: datetime
    """Tracks last seen before this moment."""
    counts: RemovedRows
    stopped: bool
    """Whether a stop was requested before it was done."""


def parse_age(text: str) -> timedelta:
    """Parse an age such as `30d`, `12h` or `4w`."""
    match = _AGE.fullmatch(text.strip().lower())
    if match is None:
        raise UserError(f"{text!r} is no age: write 30d (days), 12h (hours) or 4w (weeks).")
    return int(match[1]) * _UNITS[match[2]]


def forget(
    engine: Engine,
    clock: Clock,
    origin: str,
    age: timedelta,
    *,
    stop_requested: Callable[[], bool] = lambda: False,
    advance: Callable[[RemovedRows], None] = lambda _: None,
    batch_size: int = BATCH_SIZE,
) -> ForgetOutcome:
    """Remove the tracks that `origin` delivered and that were last seen longer than `age` ago.

    Each batch is a transaction of its own, so that stopping anywhere loses nothing. Tracks with a
    label by a person stay, stripped to what identifies them.
    """
    overdue = _overdue(engine, clock, origin, age)
    total = RemovedRows()
    with job_run(engine, clock, JOB) as run:
        while not (stopped := stop_requested()):
            with exclusive_transaction(engine) as connection:
                removed = retention.forget_batch(connection, overdue, clock.now(), batch_size)
            total += removed
            advance(total)
            if removed.tracks + removed.kept_for_labels < batch_size:
                break
        matrix_files.delete_unnamed(engine)
        run.set_facts(origin=origin, before=overdue.before.isoformat())
        run.count(**asdict(total))
        run.set_outcome("interrupted" if stopped else "done")
    return ForgetOutcome(origin, overdue.before, total, stopped)


def count_overdue(engine: Engine, clock: Clock, origin: str, age: timedelta) -> ForgetOutcome:
    """Count what `forget` would remove."""
    overdue = _overdue(engine, clock, origin, age)
    with read_transaction(engine) as connection:
        return ForgetOutcome(
            origin, overdue.before, retention.count_overdue(connection, overdue), stopped=False
        )


def _overdue(engine: Engine, clock: Clock, origin: str, age: timedelta) -> OverdueTracks:
    """Return the tracks to remove; refuse an origin that is not among those of the tracks."""
    with read_transaction(engine) as connection:
        origins = retention.origins(connection)
    if origins and origin not in origins:
        raise UserError(f"No track came from {origin!r}. Tracks came from: {', '.join(origins)}.")
    return OverdueTracks(origin, clock.now() - age)

"""Retry work, with backoff, while the database is unreachable."""

from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from genrebase.runtime.clock import Clock
from genrebase.runtime.retry_delays import retry_delay
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable

MAX_WAIT_SECONDS: Final = 900.0
"""Seconds after which the last error of the database is raised."""

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)


def retry_until_available(
    clock: Clock, work: Callable[[], Result], max_wait: float = MAX_WAIT_SECONDS
) -> Result:
    """Return the result of `work`; retry with backoff while the database is unreachable.

    `work` must be idempotent: a commit may succeed although its response is lost. Raise the last
    error if the database has not come back within `max_wait` seconds.
    """
    started, failures = clock.monotonic(), 0
    while True:
        try:
            return work()
        except (DatabaseUnreachable, DatabaseFailure) as error:
            failures += 1
            delay = retry_delay(failures)
            if clock.monotonic() - started + delay > max_wait:
                raise
            _log.warning("database_away", reason=str(error), again_in=delay)
        clock.sleep(delay)

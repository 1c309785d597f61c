"""Work that is too dear to be lost when the database goes away for a while."""

from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from genrebase.runtime.clock import Clock
from genrebase.runtime.job_scheduler import RETRY_DELAYS
from genrebase.store.errors import DatabaseFailure, DatabaseUnreachable

MAX_WAIT_SECONDS: Final = 900.0
"""Seconds after which a database that does not come back is given up."""

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)


def retry_until_available(
    clock: Clock, work: Callable[[], Result], max_wait: float = MAX_WAIT_SECONDS
) -> Result:
    """Do `work` and return what it returns; again, with growing gaps, while the database is away.

    `work` must do no harm when it is done twice: a commit may succeed unheard. Raise what the
    database said last when it has not come back within `patience` seconds.
    """
    began, failures = clock.monotonic(), 0
    while True:
        try:
            return work()
        except (DatabaseUnreachable, DatabaseFailure) as error:
            gap = RETRY_DELAYS[min(failures, len(RETRY_DELAYS) - 1)]
            failures += 1
            if clock.monotonic() - began + gap > max_wait:
                raise
            _log.warning("database_away", reason=str(error), again_in=gap)
        clock.sleep(gap)

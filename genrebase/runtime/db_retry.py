"""Work that is too dear to be lost when the database goes away for a while."""

from collections.abc import Callable
from typing import Final, TypeVar

import structlog

from genrebase.runtime.clock import Clock
from genrebase.runtime.job_scheduler import GAPS
from genrebase.store.errors import Interrupted, Unreachable

PATIENCE: Final = 900.0
"""Seconds after which a database that does not come back is given up."""

Done = TypeVar("Done")

_log = structlog.get_logger(__name__)


def outlast(clock: Clock, work: Callable[[], Done], patience: float = PATIENCE) -> Done:
    """Do `work` and return what it returns; again, with growing gaps, while the database is away.

    `work` must do no harm when it is done twice: a commit may succeed unheard. Raise what the
    database said last when it has not come back within `patience` seconds.
    """
    began, failures = clock.monotonic(), 0
    while True:
        try:
            return work()
        except (Unreachable, Interrupted) as error:
            gap = GAPS[min(failures, len(GAPS) - 1)]
            failures += 1
            if clock.monotonic() - began + gap > patience:
                raise
            _log.warning("database_away", reason=str(error), again_in=gap)
        clock.sleep(gap)

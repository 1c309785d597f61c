"""Outcome of one run of a collector job: requests made, why it stopped, and the ban if any.

Harvest, enrich, analyse and add extend `RunOutcome` with their own counts.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from collector.errors import Blocked, RequestLimitReached, StopRequested, TransientError
from collector.http.retry import RequestLimit
from genrebase.errors import CommandInterrupted
from genrebase.runtime.jobs import RunRecorder

StopReason = Literal[
    "target",
    "exhausted",
    "listed",
    "done",
    "closed",
    "blocked",
    "limit",
    "interrupted",
    "disk",
]
"""`listed`: as many items of audio files wait as tracks are missing. `disk`: the disk is full."""

_JOB_OUTCOMES: Final = {"blocked": "blocked", "interrupted": "interrupted", "disk": "failed"}
"""Reasons to stop after which the job itself did not end as `done`."""


@dataclass(kw_only=True)
class RunOutcome:
    """What a run did, and why it stopped."""

    requests: int = 0
    """Requests made, retries included."""
    token_requests: int = 0
    """Requests for access tokens, which are not among `requests`; at most one for each of them."""
    stopped: StopReason = "done"
    blocked: Blocked | None = None
    """The ban that ended the run."""
    failure: TransientError | None = None
    """Why a source failed for good where its results are missing; the others worked."""

    @property
    def blocked_until(self) -> datetime | None:
        """When the ban ends, None without one."""
        return None if self.blocked is None else self.blocked.until

    @contextmanager
    def until_stopped(self, limit: RequestLimit) -> Iterator[None]:
        """Run a block of requests; record its number and what ends it: a ban, limit or stop."""
        try:
            yield
        except Blocked as ban:
            self.stopped, self.blocked = "blocked", ban
        except RequestLimitReached:
            self.stopped = "limit"
        except StopRequested:
            self.stopped = "interrupted"
        finally:
            self.requests, self.token_requests = limit.used, limit.token_requests

    def raise_early_end(self, interrupted: str) -> None:
        """Raise the ban that ended the run; for a stop, an error with this sentence."""
        if self.blocked is not None:
            raise self.blocked
        if self.stopped == "interrupted":
            raise CommandInterrupted(interrupted)

    def counts(self) -> dict[str, int]:
        """Return what the job counts besides requests, as named in `job_run.counts`."""
        return {}

    def facts(self) -> dict[str, Any]:
        """Return what the job notes besides its counts."""
        return {"stopped": self.stopped}

    def write_to(self, run: RunRecorder) -> None:
        """Write the counts, the facts and how the job ended into the row of the run.

        Then raise the failure, if there is one: the row gets its text, too.
        """
        run.count(requests=self.requests, **self.counts())
        if self.token_requests:
            run.count(token_requests=self.token_requests)
        run.set_facts(**self.facts())
        run.set_outcome(_JOB_OUTCOMES.get(self.stopped, "done"))
        if self.failure is not None:
            raise self.failure

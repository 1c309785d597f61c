"""The callback through which long-running functions report their progress."""

from collections.abc import Callable
from typing import Protocol

MessageCallback = Callable[[str], None]
"""Receives messages for people, such as `Output.print`."""


class ProgressCallback(Protocol):
    """Receives the progress of the work."""

    def __call__(
        self,
        done: float,
        total: float | None = None,
        *,
        note: str | None = None,
        fraction: float | None = None,
        estimated: bool = False,
    ) -> None:
        """Report that `done` (absolute) of `total` is done; without a total the last one holds.

        `fraction` is the share of the work that is done, 0..1, where steps differ in duration.
        `estimated` marks the total as an estimate. `note` describes the current step.
        """


def no_progress(*_done_and_total: float | None, **_more: object) -> None:
    """Ignore progress."""

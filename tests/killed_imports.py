"""Imports that are killed at a report of their progress, and started again."""

import random
from collections.abc import Callable
from typing import Any

from collector.imports.records import ImportResult
from genrebase.progress import ProgressCallback


class Killed(Exception):
    """The process is gone."""


class KilledAt(ProgressCallback):
    """A kill at a report of progress, after which nothing is committed."""

    def __init__(self, reports: int) -> None:
        self._left = reports

    def __call__(self, done: float, *_: Any, **_details: Any) -> None:
        self._left -= 1
        if self._left == 0:
            raise Killed


def run_with_kills(
    run: Callable[[ProgressCallback], ImportResult], seed: int, most: int
) -> tuple[ImportResult, int]:
    """Start an import again and again until it ends; return its result, and the number of kills.

    Each start is killed at one of its next `most` reports.
    """
    chance, kills = random.Random(seed), 0
    while True:
        try:
            return run(KilledAt(chance.randint(1, most))), kills
        except Killed:
            kills += 1

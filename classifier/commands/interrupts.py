"""Report on Ctrl-C what is stored of a training or an experiment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from genrebase.errors import GenrebaseError
from genrebase.progress import ProgressCallback
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.data.dataset import Database

NOTHING_STORED = "nothing is stored, and the database is unchanged."
"""For commands that store their results in one transaction at the end."""


@contextmanager
def report_training_on_interrupt(output: Output, database: "Database") -> Iterator[None]:
    """Report on Ctrl-C whether the training in the block has stored its model."""
    from classifier.registry import stored_models

    before = stored_models.latest_model_id(database)

    def stored_state() -> str:
        try:
            after = stored_models.latest_model_id(database)
        except GenrebaseError:  # the database is unavailable
            return "a model is stored whole or not at all; `classifier models` shows it."
        if after == before:
            return "no model is stored; the same command starts again."
        return f"model {after} is stored, whole; `classifier models` shows it."

    with output.on_interrupt(stored_state):
        yield


@contextmanager
def progress_on_interrupt(
    output: Output, title: str, describe_kept: Callable[[int, int], str]
) -> Iterator[ProgressCallback]:
    """Show progress; on Ctrl-C print `describe_kept(done, total)` of what was reported last."""
    last = (0, 0)

    with output.on_interrupt(lambda: describe_kept(*last)), output.progress(title) as bar:

        def report(done: float, total: float | None = None, **details: Any) -> None:
            nonlocal last
            last = (int(done), int(total or 0))
            bar(done, total, **details)

        yield report

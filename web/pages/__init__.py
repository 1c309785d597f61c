"""One module per page: what it reads, as sections, and the facts that its template shows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from classifier.records import TrackPrediction
from classifier.serving.predict import TrackDescription
from genrebase.errors import UserError

MAX_ROWS = 100
"""Rows of a table on one page; the next page starts after its last row."""


class NotFound(UserError):
    """There is no such page, track, genre or model."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a page is made from: a read-only snapshot of the database, and the address."""

    connection: Connection
    now: datetime
    path: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of the path."""
    query: Mapping[str, str] = field(default_factory=dict)
    predict: Callable[[TrackDescription], TrackPrediction] | None = None
    """Predicts a described track."""

    def number(self, name: str, default: int = 0) -> int:
        """Return a parameter of the address as a number; `default` for anything else."""
        value = self.query.get(name, "")
        return int(value) if value.isascii() and value.isdecimal() and len(value) < 19 else default

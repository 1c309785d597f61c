"""One module per page: what it reads, as sections, and the facts that its template shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from classifier.model_records import TrackPrediction
from classifier.serving.hidden_inputs import HiddenPrediction
from genrebase.errors import GenrebaseError, UserError
from web.forms import id_number
from web.sql_queries import SqlResult

MAX_ROWS = 100
"""Rows of a table on one page; the next page starts after its last row."""


@dataclass(frozen=True, slots=True)
class DescribedPrediction:
    """What the champion predicts for a described track."""

    prediction: TrackPrediction
    without_effect: tuple[str, ...]
    """The numbers without which it predicts the same."""


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a page is made from: a read-only snapshot of the database, and the address."""

    connection: Connection
    now: datetime
    path: Mapping[str, str] = field(default_factory=dict)
    """The variable parts of the path."""
    query: Mapping[str, str] = field(default_factory=dict)
    predicted: DescribedPrediction | UserError | None = None
    """What the champion predicts for the track that the address describes, or why it cannot."""
    queried: SqlResult | GenrebaseError | None = None
    """The result of the SQL query of the address, or why there is none."""
    explained: Sequence[HiddenPrediction] | GenrebaseError | None = None
    """What the champion predicts for the track with inputs hidden, or why it cannot."""

    def number(self, name: str, default: int = 0) -> int:
        """Return a parameter of the address as a number; `default` for anything else."""
        return id_number(self.query.get(name, ""), default)

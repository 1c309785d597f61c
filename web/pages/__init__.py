"""One module per page: what it reads, as sections, and the facts that its template shows."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from classifier.model_records import TrackPrediction
from classifier.serving.hidden_inputs import HiddenPrediction
from genrebase.errors import GenrebaseError, UserError
from web.forms import MAX_ID_DIGITS, InvalidParameter, choice, id_number
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
        """Return a parameter of the address as a number, `default` without it.

        Raise `InvalidParameter` for anything else.
        """
        text = self.query.get(name, "")
        number = id_number(text, -1)
        if text and number < 0:
            raise InvalidParameter(
                f"The parameter {name} is a number of at most {MAX_ID_DIGITS} digits, not "
                f"{text[:50]!r}."
            )
        return number if text else default

    def flag(self, name: str) -> bool:
        """Return whether a parameter is 1; raise `InvalidParameter` for anything but 1."""
        return self.choice(name, ("1",)) == "1"

    def choice(self, name: str, choices: Collection[str]) -> str:
        """Return a parameter that is one of some texts, empty without it."""
        return choice(self.query, name, choices)

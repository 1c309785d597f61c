"""Find Spotify ids that stand beside several titles: ids of albums or artists, or mistakes."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from collector.datasets.column_roles.columns import DatasetColumns
from collector.datasets.formats.table import BrokenRow, DamagedFile
from collector.datasets.parsing import cells
from collector.datasets.survey import TableSummary
from genrebase.store import names, source_ids

_MAX_SINGLE: Final = 1
"""More titles than ids by which no column is judged: a mistake."""
_MAX_SHARE: Final = 0.1
"""The share of titles beside an id of another one up to which a column is one of tracks' ids."""


@dataclass(frozen=True, slots=True)
class SharedIds:
    """The ids of a column, and the titles that stand beside them."""

    ids: int = 0
    titles: int = 0
    """Different pairs of an id and a title."""
    hashes: frozenset[int] = frozenset()
    """Hashes of the ids that stand beside several titles."""

    @property
    def are_of_tracks(self) -> bool:
        """Whether the ids can be those of tracks: nearly each stands beside one title."""
        return self.titles - self.ids <= max(_MAX_SINGLE, _MAX_SHARE * self.titles)


def survey_ids(
    rows: Callable[[], Iterable[Sequence[str] | BrokenRow]],
    columns: DatasetColumns,
    survey: TableSummary,
) -> SharedIds:
    """Read the Spotify ids of a table with their titles, if ids can repeat in it.

    Titles are compared as match keys compare them. A damaged file is read up to the damage.
    """
    at = columns.track_id
    if at is None or not any(map(parse_id, survey.columns[at].sample)):
        return SharedIds()
    values = survey.columns[at].values
    if values is not None and len(values) == values.total():
        return SharedIds()
    ids, pairs = array("q"), array("q")
    try:
        for row in rows():
            spotify = None if isinstance(row, BrokenRow) else parse_id(row[at])
            if spotify is not None:
                ids.append(hash(spotify))
                pairs.append(hash((spotify, names.normalise_title(row[columns.title]))))
    except DamagedFile:
        pass
    if not ids:
        return SharedIds()
    _, first = np.unique(np.array(pairs), return_index=True)
    different, counts = np.unique(np.array(ids)[first], return_counts=True)
    return SharedIds(len(different), len(first), frozenset(different[counts > 1].tolist()))


def parse_id(cell: str) -> str | None:
    """Return the Spotify id of a track in a cell, None for any other text."""
    return source_ids.parse_track_id(cells.plain_text(cell))

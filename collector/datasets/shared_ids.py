"""Find Spotify ids that stand beside several titles: ids of albums or artists, or mistakes."""

from array import array
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from collector.datasets.column_roles.columns import DatasetColumns
from collector.datasets.formats.table import DamagedFile
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
    rows: Callable[[], Iterable[Sequence[str]]],
    columns: DatasetColumns,
    survey: TableSummary,
) -> SharedIds:
    """Read the Spotify ids of a table with their titles, if ids can repeat in it.

    Titles are compared as match keys compare them; most ids stand beside equal titles, which need
    not be normalised.
    """
    at = columns.track_id
    if at is None or not any(map(parse_id, survey[at].sample)):
        return SharedIds()
    values = survey[at].values
    if values is not None and len(values) == values.total():
        return SharedIds()
    different, counts = _titles_of_ids(rows, at, columns.title, str, None)
    several = frozenset(different[counts > 1].tolist())
    if several:  # titles may differ by what does not identify another recording
        others, of_others = _titles_of_ids(rows, at, columns.title, names.normalise_title, several)
        counts = np.concatenate((counts[counts == 1], of_others))
        several = frozenset(others[of_others > 1].tolist())
    return SharedIds(len(different), int(counts.sum()), several)


def _titles_of_ids(
    rows: Callable[[], Iterable[Sequence[str]]],
    at: int,
    title: int,
    compare_as: Callable[[str], str],
    hashes: Container[int] | None,
) -> tuple[Any, Any]:
    """Return the hashes of the Spotify ids, and the number of different titles beside each.

    Only ids with one of these `hashes`, if they are given. A damaged file is read up to the
    damage.
    """
    ids, pairs = array("q"), array("q")
    try:
        for row in rows():
            spotify = parse_id(row[at])
            if spotify is not None and (hashes is None or hash(spotify) in hashes):
                ids.append(hash(spotify))
                pairs.append(hash((spotify, compare_as(row[title]))))
    except DamagedFile:
        pass
    _, first = np.unique(np.array(pairs, dtype=np.int64), return_index=True)
    return np.unique(np.array(ids, dtype=np.int64)[first], return_counts=True)


def parse_id(cell: str) -> str | None:
    """Return the Spotify id of a track in a cell, None for any other text."""
    if source_ids.is_spotify_id(cell):
        return cell
    return source_ids.parse_track_id(cells.plain_text(cell))

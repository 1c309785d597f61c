"""Find the column of the tracks' ids by its content. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from collector.datasets.survey import ColumnSummary
from genrebase.store import source_ids

_NAMES: Final = (
    *("trackid", "spotifyid", "spotifytrackid", "id", "trackuri", "spotifyuri"),
    *("spotifytrackuri", "uri", "trackurl", "spotifyurl", "spotifytrackurl", "url", "trackhref"),
    *("href", "link", "tracklink", "spotifylink", "songid", "songuri", "songurl"),
)
_OTHERS: Final = re.compile("artist|album|playlist|user|owner|context|performer|label|genre")
"""Words in the names of columns with ids of other things."""
_AROUND_IDS: Final = re.compile(
    r"spotify:artist:|(?:https?://)?open\.spotify\.com/artist/|\?si=\w*|[\[\](){}'\",;|]"
)
_ADDRESS_OF_ARTISTS: Final = re.compile(r"spotify:artist:|spotify\.com/(?:.*/)?artist/")
_ADDRESS_OF_OTHERS: Final = re.compile(
    r"\s*(?:spotify:|(?:https?://)?(?:open|play|api)\.spotify\.com/)(?:.*[:/])?"
    r"(?:album|artist|playlist|user|show|episode)s?[:/]"
)
"""The begin of Spotify's URIs and URLs of something else than tracks."""
_MAJORITY: Final = 0.5
_MIN_CONSECUTIVE: Final = 20
"""Minimum of consecutive numbers that are running numbers whatever the first one is."""


def find_by_name(keys: Mapping[str, int]) -> int | None:
    """Return the first column with a usual name."""
    return next((keys[name] for name in _NAMES if name in keys), None)


def find_id_column(
    header: Sequence[str], keys: Mapping[str, int], summaries: Mapping[int, ColumnSummary]
) -> tuple[int | None, tuple[str, ...]]:
    """Return the column of ids: of Spotify's ids, URIs or URLs if there is one, else by name.

    Running numbers are not ids: they number the rows of one file. Also returned is a message for
    each column that is passed over.
    """
    spotify = find_spotify_column(keys, summaries)
    if spotify is not None:
        return spotify, ()
    notes = {}
    for position in (keys[name] for name in _NAMES if name in keys):
        summary = summaries.get(position)
        if summary is not None and is_running_number(summary):
            notes[position] = f"{header[position]} numbers the rows and is not taken as an id."
        elif _is_most(_ADDRESS_OF_OTHERS.match, summary):
            notes[position] = (
                f"{header[position]} holds addresses of albums, artists or playlists and is not "
                "taken as an id of tracks."
            )
        else:
            return position, ()
    return None, tuple(notes.values())


def _is_most(holds: Callable[[str], object], summary: ColumnSummary | None) -> bool:
    """Return whether something holds for most of the first cells of a column."""
    cells = () if summary is None else summary.sample
    return sum(bool(holds(cell)) for cell in cells) > _MAJORITY * len(cells)


def holds_artist_ids(summary: ColumnSummary | None) -> bool:
    """Return whether most cells hold ids, URIs or URLs of artists."""
    return _is_most(is_artist_ids, summary)


def find_artist_ids(named: Sequence[int], summaries: Mapping[int, ColumnSummary]) -> int | None:
    """Return the column of the artists' ids: one at `named`, else the only one with addresses."""
    for position in named:
        if holds_artist_ids(summaries.get(position)):
            return position
    addressed = [
        position
        for position, summary in summaries.items()
        if _is_most(_ADDRESS_OF_ARTISTS.search, summary) and holds_artist_ids(summary)
    ]
    return addressed[0] if len(addressed) == 1 else None


def find_spotify_column(
    keys: Mapping[str, int], summaries: Mapping[int, ColumnSummary]
) -> int | None:
    """Return the column of Spotify's ids, URIs or URLs of tracks; usual names come first."""
    named = [keys[name] for name in _NAMES if name in keys]
    order = {position: place for place, position in enumerate(named)}
    spotify = [
        position
        for position, summary in summaries.items()
        if _holds_track_ids(summary, is_named=position in order)
    ]
    return min(spotify, key=lambda at: (order.get(at, len(named)), at), default=None)


def is_artist_ids(cell: str) -> bool:
    """Return whether a cell holds nothing but Spotify ids, URIs or URLs of artists."""
    parts = _AROUND_IDS.sub(" ", cell).split()
    return bool(parts) and all(map(source_ids.is_spotify_id, parts))


def names_others(name: str) -> bool:
    """Return whether a column's name is that of ids of other things, such as `artists`."""
    return _OTHERS.search(name.casefold()) is not None


def is_running_number(summary: ColumnSummary) -> bool:
    """Return whether a column numbers its rows, from 0 or 1 upwards."""
    if summary.missing or summary.numbers != summary.rows or not summary.sample:
        return False
    if any(source_ids.is_spotify_id(cell) for cell in summary.sample):
        return False  # an id may have digits only
    try:
        numbers = [float(cell) for cell in summary.sample]
    except ValueError:
        return False
    first = numbers[0]
    is_consecutive = numbers == [first + place for place in range(len(numbers))]
    return is_consecutive and (first in {0, 1} or len(numbers) >= _MIN_CONSECUTIVE)


def _holds_track_ids(summary: ColumnSummary, *, is_named: bool) -> bool:
    """Return whether most cells are Spotify's ids of tracks, not of artists or albums."""
    if not summary.present or summary.spotify_ids <= _MAJORITY * summary.present:
        return False
    if is_named or not _OTHERS.search(summary.name.casefold()):
        return True
    addressed = [cell for cell in summary.sample if len(cell.strip()) > source_ids.ID_LENGTH]
    return bool(addressed) and all("track" in cell for cell in addressed)

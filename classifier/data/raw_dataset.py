"""Everything a training reads: tracks, credits and the labels of every source. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from classifier.arrays import Mask
from classifier.data_sources import LeftOut

UNRESTRICTED = ("any", "artist")
"""The values of `--licence` and `--min-level` that leave nothing out."""
_PLAYLIST = "playlist"
_OF_TRACK_GENRE = ("track_id", "genre", "best_rank", _PLAYLIST)


@dataclass(frozen=True, slots=True)
class RawDataset:
    """Everything a training reads from the database, in one transaction."""

    tracks: pd.DataFrame
    """The view `training_tracks`, ordered by track."""
    credits: pd.DataFrame
    """(track_id, artist_id, position, fold) of every credit of all tracks."""
    sightings: pd.DataFrame
    """(track_id, genre, source, best_rank, votes, level, licence, playlist): a row for each source
    that gave a track a genre. Snapshots of earlier versions lack some of the columns."""
    genre_ids: Mapping[str, int]
    origin: str | None
    """Describes a synthetic catalogue; None: real music."""
    mappings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Name of a mapping to (fine genre to broad genre)."""
    restricted_to: tuple[str, str] = UNRESTRICTED
    """The values of `--licence` and `--min-level` by which rows were left out."""
    left_out: LeftOut = field(default_factory=LeftOut)
    """What that left out."""

    def track_genres(self) -> pd.DataFrame:
        """Return (track_id, genre, best_rank, playlist): every genre of a track once.

        Of several sources, rank and playlist are those of the best rank. Without any playlist
        that column is left out.
        """
        rows = self.sightings
        names = [name for name in _OF_TRACK_GENRE if name in rows.columns]
        if _PLAYLIST in names and rows[_PLAYLIST].isna().all():
            names.remove(_PLAYLIST)
        if "source" in rows.columns and rows["source"].nunique() < 2:
            return rows[names]
        repeated = rows.duplicated(["track_id", "genre"], keep=False)
        if not repeated.any():
            return rows[names]
        order = rows.sort_values("best_rank", kind="stable") if "best_rank" in names else rows
        once = order.drop_duplicates(["track_id", "genre"]).sort_index()
        return once[names].reset_index(drop=True)


def rows_where(frame: pd.DataFrame, mask: Mask) -> pd.DataFrame:
    """Return the rows where `mask` holds; if it holds for all, the frame itself: no copy."""
    return frame if mask.all() else frame[mask]

"""Everything a training reads: tracks, credits and the labels of every source. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from classifier.arrays import Mask
from classifier.data_sources import LeftOut

UNRESTRICTED = ("any", "artist")
"""The values of `--licence` and `--min-level` that leave nothing out."""
SIGHTING_COLUMNS = (
    *("track_id", "genre", "source", "best_rank"),
    *("votes", "level", "licence", "playlist"),
)


@dataclass(frozen=True, slots=True)
class RawDataset:
    """Everything a training reads from the database, in one transaction."""

    tracks: pd.DataFrame
    """The view `training_tracks`, ordered by track."""
    credits: pd.DataFrame
    """(track_id, artist_id, position, fold) of every credit of all tracks."""
    sightings: pd.DataFrame
    """A row for each source that gave a track a genre, with `SIGHTING_COLUMNS`."""
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
        names = ["track_id", "genre", "best_rank"]
        if rows["playlist"].notna().any():
            names.append("playlist")
        if rows["source"].nunique() < 2:
            return rows[names]
        repeated = rows.duplicated(["track_id", "genre"], keep=False)
        if not repeated.any():
            return rows[names]
        order = rows.sort_values("best_rank", kind="stable")
        once = order.drop_duplicates(["track_id", "genre"]).sort_index()
        return once[names].reset_index(drop=True)


def rows_where(frame: pd.DataFrame, mask: Mask) -> pd.DataFrame:
    """Return the rows where `mask` holds; if it holds for all, the frame itself: no copy."""
    return frame if mask.all() else frame[mask]

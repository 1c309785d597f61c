"""Read a published table as notebooks do, and assign each row to a side of the split."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from genrebase.store import names, tables
from genrebase.store.split import assign_side

GENRE: Final = ("genre", "track_genre", "playlist_genre")
SUBGENRE: Final = "playlist_subgenre"
ARTIST: Final = ("artist_name", "track_artist", "artists")
POPULARITY: Final = ("popularity", "track_popularity")
SEPARATOR: Final = ";"
"""Separator of the artists in a column `artists`."""


@dataclass(frozen=True)
class Table:
    """The rows of a table after `drop_duplicates` on the id, as in notebooks."""

    frame: pd.DataFrame
    features: pd.DataFrame
    """The features of notebooks: twelve audio features, duration and popularity."""
    genres: NDArray[np.str_]
    artists: NDArray[np.int64]
    """The first credited artist, as a number."""
    sides: NDArray[np.str_]
    """Sides as in `genrebase.store.split`."""

    @property
    def training(self) -> NDArray[np.bool_]:
        """Return the rows of the training artists."""
        return np.isin(self.sides, ["train", "validation_seen", "test_seen"])

    @property
    def unseen(self) -> NDArray[np.bool_]:
        """Return the rows of unseen artists."""
        return np.asarray(self.sides == "test_new")


def read(path: str) -> Table:
    """Return a table (CSV, also gzipped) without the rows that repeat an id or lack a name."""
    frame = pd.read_csv(path, keep_default_na=False, na_values={})
    frame = frame.drop_duplicates("track_id", ignore_index=True)
    artist, genre, popularity = (
        next(name for name in candidates if name in frame)
        for candidates in (ARTIST, GENRE, POPULARITY)
    )
    frame = frame[(frame[artist] != "") & (frame["track_name"] != "")].reset_index(drop=True)
    credited = [
        [one.strip() for one in text.split(SEPARATOR)] if artist == "artists" else [text]
        for text in frame[artist]
    ]
    columns = [name for name in (*tables.FEATURES, "duration_ms", popularity) if name in frame]
    return Table(
        frame=frame,
        features=frame[columns].astype(float),
        genres=frame[genre].to_numpy(dtype=str),
        artists=np.unique([one[0] for one in credited], return_inverse=True)[1],
        sides=np.array(
            [
                _side(title, artists)
                for title, artists in zip(frame["track_name"], credited, strict=True)
            ]
        ),
    )


def _side(title: str, artists: list[str]) -> str:
    fold = names.hash_fold(names.name_key(title, artists[0]))
    return assign_side(fold, [names.hash_fold(artist) for artist in artists])

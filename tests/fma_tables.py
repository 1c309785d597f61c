"""Small tables laid out as FMA published its own."""

import csv
from collections.abc import Sequence
from pathlib import Path

from genrebase.audio import descriptors

GENRES = """genre_id,#tracks,parent,title,top_level
2,5271,0,International,2
12,32923,0,Rock,12
21,8389,0,Hip-Hop,21
25,9261,12,Punk,12
45,4154,12,Loud-Rock,12
100,1,21,"Alternative Hip-Hop",21
"""

_UPPER = ["", "album", "album", "artist", "artist", "set", "set", *["track"] * 6]
_LOWER = [
    *("", "date_released", "title", "bio", "name", "split", "subset"),
    *("duration", "genre_top", "genres", "genres_all", "title", "license"),
]

ROWS = (
    (2, "2009-01-05 00:00:00", "AWOL", "<p>A \n\"life\"</p>" * 9_000, "AWOL", "training", "small",
     168, "Hip-Hop", "[21]", "[21]", "Food"),
    (3, "2009-01-05 00:00:00", "AWOL", "", "AWOL", "validation", "medium", 237, "Hip-Hop", "[21]",
     "[21, 100]", "Electric Ave"),
    (10, "", "", "", "Kurt Vile", "test", "large", 161, "Rock", "[25, 45]", "[25, 45, 12]",
     "Freeway"),
    (20, "1850-01-01", "Niris", "", "Nicky Cook", "training", "large", 311, "", "[25, 21]",
     "[25, 12, 21, 9999]", "Spiritual Level"),
    (26, "", "", "", "Nobody", "test", "full", "", "", "[]", "[]", "Untold"),
    (30, "", "", "", "", "training", "full", 1, "Rock", "[12]", "[12]", ""),
)  # fmt: skip

LICENCES = (
    "Attribution-NonCommercial-ShareAlike 3.0 International",
    "",
    "Attribution-Noncommercial-No Derivative Works 3.0 Germany",
    "Noncommercial Sampling Plus",
    "CC0 1.0 Universal",
    "Attribution",
)
"""Per row; an empty one is that of the dataset."""

TRACKS = len(ROWS)


def write(folder: Path, *, described: Sequence[int] = (2, 3, 10, 30, 99)) -> Path:
    """Write the three tables; `described` are the ids that have features."""
    folder.mkdir(exist_ok=True)
    (folder / "genres.csv").write_text(GENRES, encoding="utf-8")
    rows = [(*row, licence) for row, licence in zip(ROWS, LICENCES, strict=True)]
    _write(folder / "tracks.csv", [_UPPER, _LOWER, ["track_id", *[""] * 12], *rows])
    names = [name.rsplit("_", 2) for name in descriptors.FMA_COLUMNS]
    names = [["rmse" if feature == "rms" else feature, *rest] for feature, *rest in names]
    head = [
        [title, *(name[place] for name in names)]
        for place, title in enumerate(("feature", "statistics", "number"))
    ]
    values = [[number, *(number + at / 1_000 for at in range(len(names)))] for number in described]
    if values:
        values[0][1] = "nan"
    index = ["track_id", *[""] * len(names)]
    _write(folder / "features.csv", [*head, index, *values])
    return folder


def _write(path: Path, rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)

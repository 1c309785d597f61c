"""Compare two models on the test tracks that both predicted (paired bootstrap). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Ids, Mask
from classifier.evaluation import bootstrap
from classifier.model_records import REGIME_TITLES

MAX_TRACKS: Final = 25
"""Tracks that are stored for each model, the surest first: only that model is right."""
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class CommonTestTracks:
    """Labelled test tracks that both models predicted."""

    rows: pd.DataFrame
    """`track_id`, `label`; `genre`, `probability` and `condition` of the first model, and of the
    other one `other_genre`, `other_probability` and `other_condition`."""
    artists: Ids
    """The artist credited first on each."""


def compare(tracks: CommonTestTracks) -> dict[str, Any]:
    """Return the comparison as a JSON document of rows: conditions, genres, and tracks.

    A track counts under a test condition if it is under this condition for both models. The
    interval of the difference of the accuracies is that of a paired bootstrap over artists.
    """
    rows = tracks.rows
    condition = rows["condition"].to_numpy(dtype=str)
    same = condition == rows["other_condition"].to_numpy(dtype=str)
    counted = same & np.isin(condition, list(REGIME_TITLES))
    label = rows["label"].to_numpy(dtype=str)
    correct = rows["genre"].to_numpy(dtype=str) == label
    other = rows["other_genre"].to_numpy(dtype=str) == label
    return {
        "conditions": [
            _condition(name, counted & (condition == name), correct, other, tracks.artists)
            for name in REGIME_TITLES
        ],
        "genres": _genres(label[counted], correct[counted], other[counted]),
        "tracks": [
            *_only(rows, counted & correct & ~other, "probability"),
            *_only(rows, counted & other & ~correct, "other_probability"),
        ],
        "not_counted": int((~counted).sum()),
    }


def _condition(
    name: str, chosen: Mask, correct: Mask, other: Mask, artists: Ids
) -> Mapping[str, Any]:
    mine, theirs = correct[chosen], other[chosen]
    n = int(chosen.sum())
    paired = bootstrap.paired_comparison(mine, theirs, artists[chosen], seed=_SEED)
    low, high = (None, None) if paired is None else paired.interval
    return {
        "condition": name,
        "n": n,
        "accuracy": float(mine.mean()) if n else None,
        "other_accuracy": float(theirs.mean()) if n else None,
        "difference": float(mine.mean() - theirs.mean()) if n else None,
        "low": low,
        "high": high,
        "only_this": int((mine & ~theirs).sum()),
        "only_other": int((theirs & ~mine).sum()),
    }


def _genres(label: NDArray[np.str_], correct: Mask, other: Mask) -> list[Mapping[str, Any]]:
    """Return the recall of each genre, those first whose number of hits changed most."""
    names, codes = np.unique(label, return_inverse=True)
    size = len(names)
    n, mine, theirs = (
        np.bincount(codes[chosen], minlength=size)
        for chosen in (np.ones(len(codes), dtype=bool), correct, other)
    )
    order = np.lexsort((names, -np.abs(mine - theirs)))
    return [
        {
            "genre": str(names[at]),
            "n": int(n[at]),
            "recall": float(mine[at] / n[at]),
            "other_recall": float(theirs[at] / n[at]),
            "hits_gained": int(mine[at] - theirs[at]),
        }
        for at in order
    ]


def _only(rows: pd.DataFrame, chosen: Mask, probability: str) -> list[Mapping[str, Any]]:
    columns = ["track_id", "label", "genre", "other_genre", "condition"]
    ordered = rows[chosen].sort_values(
        [probability, "track_id"], ascending=[False, True], kind="stable"
    )
    texts = ordered[columns].head(MAX_TRACKS).astype(dict.fromkeys(columns[1:], str))
    return [{str(name): value for name, value in row.items()} for row in texts.to_dict("records")]

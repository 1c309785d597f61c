"""What a loop claims, and what its model is worth."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import clone

from benchmarks.notebooks.tables import Table, read
from classifier.evaluation.bootstrap import ArtistBootstrap

SEED = 42
"""What notebooks write there."""

Matrix = pd.DataFrame | NDArray[np.float64]


@dataclass(frozen=True)
class Worth:
    """Accuracy on artists that the model never met."""

    accuracy: float
    low: float
    high: float
    """95% interval over artists."""
    baseline: float
    """Of the genre that is commonest in training."""
    tracks: int

    def __str__(self) -> str:
        """Return the figure with its interval."""
        return (
            f"{self.accuracy:.3f} ({self.low:.3f}-{self.high:.3f}) on {self.tracks:,} tracks of "
            f"new artists; always the commonest genre: {self.baseline:.3f}"
        )


def worth(model: Any, features: Matrix, table: Table) -> Worth:
    """Return what `model` is worth, learned from the known artists' rows alone."""
    shown = np.asarray(features, dtype=float)
    fitted = clone(model).fit(shown[table.known], table.genres[table.known])
    return measured(fitted.predict(shown[table.new]), table)


def measured(answers: NDArray[np.str_], table: Table) -> Worth:
    """Return what answers about the new artists' rows are worth."""
    hits = (answers == table.genres[table.new]).astype(float)
    resampled = ArtistBootstrap(table.artists[table.new], seed=SEED)
    interval = resampled.interval(resampled.means(hits))
    names, counts = np.unique(table.genres[table.known], return_counts=True)
    common = names[counts.argmax()]
    return Worth(
        accuracy=float(hits.mean()),
        low=interval.low if interval else float("nan"),
        high=interval.high if interval else float("nan"),
        baseline=float((table.genres[table.new] == common).mean()),
        tracks=len(hits),
    )


def main(what: str, run: Callable[[Table], str]) -> None:
    """Run a loop on the table that the command line names, and print what came of it."""
    asked = argparse.ArgumentParser(description=what)
    asked.add_argument("table", help="a CSV of tracks: genre, artist, title, id, audio features")
    table = read(asked.parse_args().table)
    print(f"{len(table.frame):,} rows, {len(np.unique(table.genres))} genres")
    print(run(table))

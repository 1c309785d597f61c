"""Evaluate a notebook's model on unseen artists."""

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
"""The usual seed of notebooks."""

Matrix = pd.DataFrame | NDArray[np.float64]


@dataclass(frozen=True)
class Worth:
    """Accuracy on unseen artists."""

    accuracy: float
    low: float
    high: float
    """95% interval over artists."""
    baseline: float
    """Accuracy of predicting the most common training genre."""
    tracks: int

    def __str__(self) -> str:
        """Format the accuracy with its interval."""
        return (
            f"{self.accuracy:.3f} ({self.low:.3f}-{self.high:.3f}) on {self.tracks:,} tracks of "
            f"unseen artists; majority class: {self.baseline:.3f}"
        )


def worth(model: Any, features: Matrix, table: Table) -> Worth:
    """Train `model` on the training artists' rows only; return its accuracy on unseen artists."""
    values = np.asarray(features, dtype=float)
    fitted = clone(model).fit(values[table.training], table.genres[table.training])
    return measured(fitted.predict(values[table.unseen]), table)


def measured(predictions: NDArray[np.str_], table: Table) -> Worth:
    """Return the accuracy of predictions for the unseen artists' rows."""
    hits = (predictions == table.genres[table.unseen]).astype(float)
    resampled = ArtistBootstrap(table.artists[table.unseen], seed=SEED)
    interval = resampled.interval(resampled.means(hits))
    names, counts = np.unique(table.genres[table.training], return_counts=True)
    common = names[counts.argmax()]
    return Worth(
        accuracy=float(hits.mean()),
        low=interval.low if interval else float("nan"),
        high=interval.high if interval else float("nan"),
        baseline=float((table.genres[table.unseen] == common).mean()),
        tracks=len(hits),
    )


def main(description: str, run: Callable[[Table], str]) -> None:
    """Run an experiment on the table named on the command line, and print the result."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("table", help="a CSV of tracks: genre, artist, title, id, audio features")
    table = read(parser.parse_args().table)
    print(f"{len(table.frame):,} rows, {len(np.unique(table.genres))} genres")
    print(run(table))

"""GTZAN's table of features: random folds as published, beside folds that part no duplicates.

    python -m benchmarks.gtzan gtzan_30_sec.csv

The table holds librosa's features of 999 clips of ten genres (G. Tzanetakis, P. Cook, "Musical
Genre Classification of Audio Signals", 2002). Some clips are there twice (B. L. Sturm, "The GTZAN
dataset", 2013): where random folds put one copy into training and the other into the test, the
answer is looked up rather than found. The dataset's own artists are not published with it, so
these figures are upper bounds in any case: what is worth quoting is measured on new artists.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold

from classifier import estimators, threads
from classifier.features.audio import descriptor_column
from classifier.training_config import Preprocessing, TrainingConfig

PUBLISHED = {"random_forest": 0.705, "svm": 0.735, "knn": 0.676}
"""Accuracy of a random split, five folds."""
FOLDS = 5
PROJECTED = Preprocessing(components=0.97)
TRIED: tuple[TrainingConfig, ...] = (
    TrainingConfig(estimator="random_forest"),
    TrainingConfig(estimator="random_forest", params={"max_depth": None, "min_samples_leaf": 1}),
    TrainingConfig(estimator="svm"),
    TrainingConfig(estimator="svm", preprocessing=PROJECTED),
    TrainingConfig(estimator="knn"),
    TrainingConfig(estimator="knn", params={"n_neighbors": 5}),
    TrainingConfig(estimator="knn", preprocessing=PROJECTED),
    TrainingConfig(estimator="gradient_boosting"),
    TrainingConfig(estimator="extra_trees"),
    TrainingConfig(estimator="logistic", preprocessing=PROJECTED),
)
_WIDTH = 56
Rows = NDArray[np.intp]
Folds = list[tuple[Rows, Rows]]


def read(path: Path) -> tuple[pd.DataFrame, NDArray[np.str_], Rows]:
    """Return descriptors, genres, and for each clip the number of its sound."""
    table = pd.read_csv(path)
    labels = np.asarray(table["label"], dtype=str)
    values = table.drop(columns=["filename", "length", "label"])
    groups = values.groupby(list(values), sort=False).ngroup()
    sounds: Rows = np.asarray(groups, dtype=np.intp)
    named = values.rename(columns=lambda name: descriptor_column("gtzan", name))
    return named, labels, sounds


def accuracy(
    frame: pd.DataFrame, labels: NDArray[np.str_], choice: TrainingConfig, folds: Folds
) -> NDArray[np.float64]:
    """Return the accuracy of each fold."""
    found = []
    for learned, tested in folds:
        model = estimators.build(choice, threads=1)
        model.fit(frame.iloc[learned], labels[learned])
        first = model.predict_proba(frame.iloc[tested]).argmax(axis=1)
        found.append((model.classes_[first] == labels[tested]).mean())
    return np.array(found)


def measure(path: Path, seed: int) -> Iterator[str]:
    frame, labels, sounds = read(path)
    repeated = len(sounds) - len(np.unique(sounds))
    yield f"{len(frame)} clips, {len(np.unique(sounds))} sounds: {repeated} clips are repeats."
    kinds: dict[str, Folds] = {
        "random": list(KFold(FOLDS, shuffle=True, random_state=seed).split(frame)),
        "no sound on both sides": list(
            GroupKFold(FOLDS, shuffle=True, random_state=seed).split(frame, groups=sounds)
        ),
    }
    yield (
        f"{'':{_WIDTH}}{'published':>10}" + "".join(f"{name:>26}" for name in kinds) + f"{'s':>8}"
    )
    for tried in TRIED:
        began = time.perf_counter()
        choice = replace(tried, features=("descriptors",), seed=seed)
        row = f"{_told(choice):{_WIDTH}}{PUBLISHED.get(choice.estimator, ''):>10}"
        for folds in kinds.values():
            found = accuracy(frame, labels, choice, folds)
            row += f"{found.mean():>17.3f} ± {found.std():.3f} "
        yield row + f"{time.perf_counter() - began:>8.1f}"


def _told(choice: TrainingConfig) -> str:
    params = ", ".join(f"{name}={value}" for name, value in choice.params.items())
    projected = " after PCA of 97%" if choice.preprocessing == PROJECTED else ""
    return choice.estimator + projected + (f" ({params})" if params else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("table", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    told = parser.parse_args()
    with threads.limit_threads(1):
        for line in measure(told.table, told.seed):
            print(line, flush=True)


if __name__ == "__main__":
    main()

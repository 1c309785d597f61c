"""GTZAN's feature tables: random folds as published, and folds grouped by clip.

    python -m benchmarks.gtzan gtzan_30_sec.csv

The table has librosa's features of 999 clips of ten genres (G. Tzanetakis, P. Cook, "Musical Genre
Classification of Audio Signals", 2002). Some clips are duplicates (B. L. Sturm, "The GTZAN
dataset", 2013): if random folds put one copy into training and the other into the test, the label
leaks. In the table of three seconds, ten pieces of a clip leak it, too. The artists are not
published with the dataset, so all these accuracies are upper bounds: meaningful ones are measured
on unseen artists.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import block_array, coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import GroupKFold, KFold

from classifier import estimators, threads
from classifier.features.audio import descriptor_column
from classifier.training_config import Preprocessing, TrainingConfig
from collector.datasets.segment_names import find_segments

PUBLISHED = {"random_forest": 0.705, "svm": 0.735, "knn": 0.676}
"""Accuracy of a random split, five folds."""
FOLDS = 5
PROJECTED = Preprocessing(components=0.97)
CONFIGS: tuple[TrainingConfig, ...] = (
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
    """Return descriptors, genres, and for each row the number of its recording.

    Rows of a recording are the pieces of a clip, and the duplicates of any of them.
    """
    table = pd.read_csv(path)
    labels = np.asarray(table["label"], dtype=str)
    values = table.drop(columns=["filename", "length", "label"])
    equal = values.groupby(list(values), sort=False).ngroup().to_numpy()
    names = table["filename"].astype(str).tolist()
    recording_of = find_segments(names, labels.tolist()).recording_of
    recordings, _ = pd.factorize(np.array([recording_of.get(name, name) for name in names]))
    count = len(table)
    links = coo_array((np.ones(count), (equal, recordings)), shape=(count, count))
    _, components = connected_components(block_array([[None, links], [links.T, None]]))
    clip_groups: Rows = components[equal].astype(np.intp)
    named = values.rename(columns=lambda name: descriptor_column("gtzan", name))
    return named, labels, clip_groups


def accuracy(
    frame: pd.DataFrame, labels: NDArray[np.str_], config: TrainingConfig, folds: Folds
) -> NDArray[np.float64]:
    """Return the accuracy of each fold."""
    accuracies = []
    for train, test in folds:
        model = estimators.build(config, threads=1)
        model.fit(frame.iloc[train], labels[train])
        first = model.predict_proba(frame.iloc[test]).argmax(axis=1)
        accuracies.append((model.classes_[first] == labels[test]).mean())
    return np.array(accuracies)


def measure(path: Path, seed: int) -> Iterator[str]:
    frame, labels, groups = read(path)
    distinct = len(np.unique(groups))
    yield f"{len(frame)} rows of {distinct} recordings."
    kinds: dict[str, Folds] = {
        "random": list(KFold(FOLDS, shuffle=True, random_state=seed).split(frame)),
        "grouped by recording": list(
            GroupKFold(FOLDS, shuffle=True, random_state=seed).split(frame, groups=groups)
        ),
    }
    yield (
        f"{'':{_WIDTH}}{'published':>10}" + "".join(f"{name:>26}" for name in kinds) + f"{'s':>8}"
    )
    for base in CONFIGS:
        began = time.perf_counter()
        config = replace(base, features=("descriptors",), seed=seed)
        row = f"{_describe(config):{_WIDTH}}{PUBLISHED.get(config.estimator, ''):>10}"
        for folds in kinds.values():
            values = accuracy(frame, labels, config, folds)
            row += f"{values.mean():>17.3f} ± {values.std():.3f} "
        yield row + f"{time.perf_counter() - began:>8.1f}"


def _describe(config: TrainingConfig) -> str:
    params = ", ".join(f"{name}={value}" for name, value in config.params.items())
    projected = " after PCA of 97%" if config.preprocessing == PROJECTED else ""
    return config.estimator + projected + (f" ({params})" if params else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("table", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with threads.limit_threads(1):
        for line in measure(options.table, options.seed):
            print(line, flush=True)


if __name__ == "__main__":
    main()

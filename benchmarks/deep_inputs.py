"""Where the time of a network's training goes: preparing inputs, making batches, computing.

    STORE_URL=URL OMP_NUM_THREADS=1 python -m benchmarks.deep_inputs [mlp|cnn] [--batch-size N]

Needs the extra `deep`. Prepares the training tracks of the database at URL, then trains for two
epochs and prints the second: its seconds, the share in which batches are made, and the calls of
Python functions per track in the making of batches, which loops over tracks would show.
"""

import argparse
import cProfile
import pstats
from time import perf_counter, process_time
from typing import Any

import numpy as np

from classifier import estimators
from classifier.data import audio_joins, dataset, training_data
from classifier.training_config import TrainingConfig
from genrebase.store.engine import make_engine


def main() -> None:
    """Measure one estimator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("estimator", nargs="?", default="mlp", choices=("mlp", "cnn"))
    parser.add_argument("--batch-size", type=int)
    options = parser.parse_args()
    database = make_engine()
    params = {"epochs": 2, "batch_size": options.batch_size}
    config = TrainingConfig(estimator=options.estimator, params=params)
    config = audio_joins.resolve_features(database, config)
    split = training_data.split_dataset(dataset.load_dataset(database, config), config)
    frame, labels = split.tracks[split.train_mask], split.labels[split.train_mask]
    estimator: Any = estimators.build(config, threads=1)
    started = process_time()
    estimator.classes_ = np.unique(labels)
    blocks = estimator._blocks(frame, fit=True)  # noqa: SLF001 - what fit does first
    print(f"{len(frame):,} tracks, inputs prepared in {process_time() - started:.1f} CPU s")

    from classifier.deep import batches, training

    where = training.device()
    codes = np.searchsorted(estimator.classes_, labels).astype(np.int64)
    tracks = batches.TrackDataset(blocks, codes).to(where)
    profile, started = cProfile.Profile(), perf_counter()
    made = 0
    profile.enable()
    for _ in batches.BatchIterator(tracks, options.batch_size or 256, shuffle=True):
        made += 1
    profile.disable()
    in_batches = perf_counter() - started
    calls = pstats.Stats(profile).total_calls  # type: ignore[attr-defined]
    epochs: list[Any] = []
    estimator.on_epoch(epochs.append)
    estimator.fit(frame, labels)
    seconds = epochs[-1].seconds
    print(f"device {where}: an epoch takes {seconds:.2f} s in {made} batches")
    print(f"making the batches takes {in_batches:.2f} s of it: {in_batches / seconds:.1%}")
    print(f"Python calls in it: {calls / len(frame):.2f} per track")


if __name__ == "__main__":
    main()

"""How much annotations buy: a simulation that hides the labels of a database.

    python -m benchmarks.annotation_order sqlite:///genrebase.db [--seeds 3] [--estimator blend]

All labels of the training side are hidden. A person annotates one track of 100 random artists,
then in each round as many as there are annotations, by an order: `random` draws tracks, `doubt`
takes those whose prediction is least sure, `gain` one of each artist as `classifier annotate-next`
does. A model is trained on the annotations after each round. A row has the accuracy on the test
tracks of unseen artists and of the artists of all training tracks, and on the tracks that stayed
hidden: means over the seeds. Nothing is stored.
"""

import argparse
from collections.abc import Sequence

from classifier import threads

threads.configure_openmp()  # before scikit-learn is imported

import numpy as np  # noqa: E402

from classifier import estimators  # noqa: E402
from classifier.data import dataset, soft_labels  # noqa: E402
from classifier.data.soft_labels import TrainingSet  # noqa: E402
from classifier.data.training_data import SplitDataset, split_dataset  # noqa: E402
from classifier.findings import annotation  # noqa: E402
from classifier.ports import Estimator  # noqa: E402
from classifier.training_config import TrainingConfig  # noqa: E402
from genrebase.store import connect  # noqa: E402

ORDERS = ("random", "doubt", "gain")
ROUNDS = (100, 200, 400, 800, 1600)
"""Annotations after each round."""


def main() -> None:
    """Simulate every order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--estimator", default="blend")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    config = TrainingConfig(estimator=options.estimator)
    split = split_dataset(dataset.load_dataset(connect(options.url)), config)
    print(f"{'annotations':12}{'order':8}{'unseen artists':>16}{'seen artists':>14}{'hidden':>8}")
    accuracies = {
        (order, seed): list(simulate(split, config, order, seed))
        for order in ORDERS
        for seed in range(options.seeds)
    }
    for place, size in enumerate(ROUNDS):
        for order in ORDERS:
            of_order = [accuracies[order, seed][place] for seed in range(options.seeds)]
            new, seen, hidden = np.mean(of_order, axis=0)
            print(f"{size:<12}{order:8}{new:16.3f}{seen:14.3f}{hidden:8.3f}", flush=True)


def simulate(
    split: SplitDataset, config: TrainingConfig, order: str, seed: int
) -> list[tuple[float, float, float]]:
    """Return the accuracies (unseen artists, seen artists, hidden tracks) after each round."""
    random = np.random.default_rng(seed)
    pool = np.flatnonzero(split.train_mask)
    artists = np.unique(split.artists[pool], return_inverse=True)[1]
    drawn = random.random(len(pool))
    chosen = annotation.one_per_artist(drawn, drawn, artists)[: ROUNDS[0]]
    accuracies = []
    for following in (*ROUNDS[1:], None):
        fitted = fit(split, config, pool[chosen])
        hidden = np.setdiff1d(np.arange(len(pool)), chosen)
        unseen, seen, others = (
            accuracy(split, fitted, rows) for rows in (*tests(split), pool[hidden])
        )
        accuracies.append((unseen, seen, others))
        if following is not None:
            more = next_tracks(split, fitted, pool[hidden], artists[hidden], order, random)
            chosen = np.concatenate([chosen, hidden[more[: following - len(chosen)]]])
    return accuracies


def fit(split: SplitDataset, config: TrainingConfig, rows: np.ndarray) -> Estimator:
    """Fit to the annotated tracks alone: there are no validation tracks."""
    tracks = split.tracks.iloc[rows]
    sightings = soft_labels.sightings_of(tracks, split.sightings)
    training_set = TrainingSet(tracks, split.labels[rows], None, sightings)
    with threads.limit_threads(1):
        return soft_labels.fit(estimators.build(config, threads=1), training_set, None)


def next_tracks(
    split: SplitDataset,
    fitted: Estimator,
    rows: np.ndarray,
    artists: np.ndarray,
    order: str,
    random: np.random.Generator,
) -> np.ndarray:
    """Return the hidden tracks in the order of annotation."""
    if order == "random":
        return random.permutation(len(rows))
    error = 1 - fitted.predict_proba(split.tracks.iloc[rows]).max(axis=1)
    if order == "doubt":
        return np.argsort(-error, kind="stable")
    gains = np.bincount(artists, weights=error)[artists]
    first = annotation.one_per_artist(gains, error, artists)
    rest = np.setdiff1d(np.arange(len(rows)), first)
    return np.concatenate([first, rest[np.argsort(-error[rest], kind="stable")]])


def tests(split: SplitDataset) -> Sequence[np.ndarray]:
    """Return the test tracks of unseen artists, and of artists with training tracks."""
    held_out = split.held_out("test")
    return [
        np.flatnonzero(held_out & (split.regimes == one)) for one in ("new_artist", "seen_artist")
    ]


def accuracy(split: SplitDataset, fitted: Estimator, rows: np.ndarray) -> float:
    """Return the share of the tracks whose label is predicted."""
    predicted = fitted.classes_[fitted.predict_proba(split.tracks.iloc[rows]).argmax(axis=1)]
    return float((predicted == split.labels[rows]).mean())


if __name__ == "__main__":
    main()

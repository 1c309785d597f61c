"""How much more tracks would bring: `blend` trained on some artists, on all, and on more.

    python -m benchmarks.track_curve sqlite:///genrebase.db [--rotations 3]

A row per share of the training artists, and one for the validation tracks as further training
tracks: accuracy and log-loss on the test tracks, as means over the rotations. The weights of the
pool are those of the ensemble of all training tracks, so validation tracks decide nothing twice.
Nothing is stored or selected.
"""

import argparse
from typing import Any

import numpy as np

from benchmarks import unseen_artists
from classifier.data import dataset
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.estimators.blend import Blend
from classifier.estimators.ensemble_weights import log_linear_pool
from classifier.experiments import cross_validation
from classifier.training_config import TrainingConfig
from genrebase.store import connect

SHARES = (0.25, 0.5, 1.0)
"""Of the training artists."""
MORE = "and validation"


def main() -> None:
    """Measure each database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", nargs="+")
    parser.add_argument("--rotations", type=int, default=1)
    options = parser.parse_args()
    for url in options.url:
        print(url, flush=True)
        measure(url, options.rotations)


def measure(url: str, rotations: int) -> None:
    """Print the rows of one database."""
    config = TrainingConfig()
    tracks = dataset.load_dataset(connect(url), config)
    rows: dict[tuple[str, str], list[tuple[float, float, int]]] = {}
    for rotation in range(rotations):
        test, validation = cross_validation.held_out_folds(rotation)
        raw = cross_validation.with_held_out_folds(tracks, test=test, validation=validation)
        split = split_dataset(raw, config)
        whole = unseen_artists.fit(split, config)
        trained = {str(share): split.train_mask & drawn(split, share) for share in SHARES}
        trained[MORE] = split.train_mask | split.held_out("validation")
        for name, mask in trained.items():
            model = whole if name == "1.0" else refitted(split, mask, whole)
            for regime, code in unseen_artists.REGIMES.items():
                if name in ("0.25", "0.5") and regime == "seen_artist":
                    continue  # with fewer artists some are not seen
                rows.setdefault((regime, name), []).append(
                    (*figures(split, model, regime, code), int(mask.sum()))
                )
    for (regime, name), measured in rows.items():
        accuracy, loss, size = np.mean(measured, axis=0)
        print(f"  {regime:12}{name:16}{size:8.0f} tracks {accuracy:7.4f}{loss:8.4f}", flush=True)


def drawn(split: SplitDataset, share: float) -> np.ndarray:
    """Return the rows of a share of the artists, drawn by their ids."""
    numbers = np.random.default_rng(0).random(split.artists.max() + 1)
    return np.asarray(numbers[split.artists] < share)


def refitted(split: SplitDataset, mask: np.ndarray, whole: Blend) -> Blend:
    """Return the ensemble fitted to other rows, with the weights of `whole`."""
    frame = split.tracks[mask]
    sightings: Any = split.sightings
    model = Blend(whole.groups, random_state=whole.random_state)
    model.fit(
        frame, split.labels[mask], None, sightings[sightings["track_id"].isin(frame["track_id"])]
    )
    weights = dict(zip(whole.score_names_, whole.weights_.T, strict=True))
    nothing = np.zeros(len(whole.weights_))
    model.weights_ = np.stack([weights.get(name, nothing) for name in model.score_names_], axis=1)
    return model


def figures(split: SplitDataset, model: Blend, regime: str, code: int) -> tuple[float, float]:
    """Return accuracy and log-loss on the test tracks; all are of the condition `regime`."""
    rows = split.held_out("test") & (split.regimes == regime)
    truth = np.searchsorted(model.classes_, split.labels[rows])
    shares = log_linear_pool(model.predict_scores(split.tracks[rows]), model.weights_[code])
    loss = -np.log(np.maximum(shares[np.arange(len(truth)), truth], 1e-12))
    return float((shares.argmax(axis=1) == truth).mean()), float(loss.mean())


if __name__ == "__main__":
    main()

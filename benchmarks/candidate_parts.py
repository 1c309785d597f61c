"""Ideas for `blend`, each measured as one more score, or as another pool, beside the ensemble.

    python -m benchmarks.candidate_parts IDEA,IDEA sqlite:///genrebase.db [--instead-of content]
        [--rotations 5]

Per test condition a row for the ensemble and one with each idea: accuracy and log-loss on the
validation tracks (weights cross-fitted by artist) and on the test tracks, and the difference of
the test accuracy with its 95% interval over artists. `catboost` and `realmlp` need `pip install
catboost pytabkit`. Nothing is stored or selected.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from benchmarks import unseen_artists
from classifier import threads
from classifier.config_options import parse_list
from classifier.data import dataset
from classifier.data.training_data import SplitDataset, split_dataset
from classifier.estimators.ensemble_weights import fit_weights, log_linear_pool
from classifier.evaluation.bootstrap import paired_comparison
from classifier.experiments import cross_validation
from classifier.experts import stacking_inputs
from classifier.experts.mlp_ensemble import fit_networks, mean_log_probabilities
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, count_ngrams
from classifier.features import hashed_ngrams
from classifier.features.audio import NumericFeatures
from classifier.features.periodic import PeriodicEncoder
from classifier.features.piecewise_linear import PiecewiseLinearEncoder
from classifier.features.text_lsa import MIN_ARTISTS, TextLSA
from classifier.training_config import TrainingConfig
from genrebase.store import connect

GROUPS = ("audio", "metadata")
WEIGHT = 0.3
"""Prior weight of the idea's score."""
N_FOLDS = 5
"""Of artists, by which weights are cross-fitted on the validation tracks."""
SHRINKAGE = 100.0
"""Tracks' worth of log-loss that a squared unit of a correction costs."""
SCALE, CLIP = 0.2, 3.0
"""Of text scores, as in `content`."""


@dataclass(frozen=True)
class Rows:
    """Training, validation and test rows of one rotation."""

    frames: tuple[Any, Any, Any]
    labels: np.ndarray
    """Of the training rows."""

    @property
    def codes(self) -> np.ndarray:
        return np.unique(self.labels, return_inverse=True)[1]

    def ngrams(self) -> list[sparse.csr_matrix]:
        """Return the n-grams of at least `MIN_ARTISTS` training artists, one matrix per frame."""
        counts = [sparse.hstack(hashed_ngrams.by_column(frame)).tocsr() for frame in self.frames]
        by_artist = sparse.csr_matrix((np.ones(len(self.codes)), (self.artists(), self._places())))
        kept = np.flatnonzero(np.diff((by_artist @ counts[0]).tocsc().indptr) >= MIN_ARTISTS)
        return [one[:, kept] for one in counts]

    def artists(self) -> np.ndarray:
        return np.unique(hashed_ngrams.first_artists(self.frames[0]), return_inverse=True)[1]

    def weights(self) -> np.ndarray:
        weights = hashed_ngrams.artist_weights(hashed_ngrams.first_artists(self.frames[0]))
        return np.asarray(weights / weights.mean())

    def matrices(self, encoder: Any = PiecewiseLinearEncoder) -> list[np.ndarray]:
        """Return the inputs of `content`: numbers, out-of-fold text scores and LSA."""
        ngrams = [count_ngrams(frame) for frame in self.frames]
        text = NaiveBayesTextExpert().fit_counts(ngrams[0], self.labels)
        scores = [stacking_inputs.out_of_fold_text(ngrams[0], self.labels)]
        scores += [text.predict_scores_of_counts(one) for one in ngrams[1:]]
        lsa = TextLSA().fit(ngrams[0].counts, ngrams[0].artists)
        numbers = encoder(GROUPS).fit(self.frames[0])
        return [
            np.hstack(
                [
                    numbers.transform(frame),
                    *(score * SCALE).clip(-CLIP, CLIP),
                    lsa.transform(one.counts),
                ]
            ).astype(np.float32)
            for frame, score, one in zip(self.frames, scores, ngrams, strict=True)
        ]

    def _places(self) -> np.ndarray:
        return np.arange(len(self.labels))


def nb_svm(rows: Rows) -> list[np.ndarray]:
    """Linear SVMs over n-grams that are multiplied by log-count ratios (Wang, Manning, 2012)."""
    train, *others = rows.ngrams()
    codes, weights = rows.codes, rows.weights()
    scores = [np.zeros((one.shape[0], codes.max() + 1)) for one in others]
    for code in range(codes.max() + 1):
        mine = (codes == code) * weights
        inside = np.asarray(mine @ train) + 1
        outside = np.asarray(((codes != code) * weights) @ train) + 1
        ratio = sparse.diags(np.log(inside / inside.sum() / (outside / outside.sum())))
        model = LinearSVC(C=0.1).fit(train @ ratio, codes == code, sample_weight=weights)
        for score, one in zip(scores, others, strict=True):
            score[:, code] = model.decision_function(one @ ratio)
    return scores


def logistic(rows: Rows) -> list[np.ndarray]:
    """Logistic regression over n-grams; the pool's weight is its temperature (calibration)."""
    train, *others = rows.ngrams()
    model = LogisticRegression(max_iter=60, tol=1e-3)
    model.fit(train, rows.codes, sample_weight=rows.weights())
    return [model.predict_log_proba(one) for one in others]


def character_network(rows: Rows, size: int = 64, epochs: int = 10) -> list[np.ndarray]:
    """Mean embeddings of hashed n-grams and a softmax (fastText; Joulin et al., 2017)."""
    train, *others = rows.ngrams()
    codes, weights = rows.codes, rows.weights().astype(np.float32)
    random = np.random.default_rng(0)
    embeddings = (random.standard_normal((train.shape[1], size)) / size).astype(np.float32)
    output = np.zeros((size, codes.max() + 1), dtype=np.float32)
    squares = [np.full_like(embeddings, 1e-6), np.full_like(output, 1e-6)]
    for epoch in range(epochs):
        order, rate = random.permutation(len(codes)), 0.1 * (1 - epoch / epochs)
        for start in range(0, len(order), 256):
            some = order[start : start + 256]
            hidden = train[some] @ embeddings
            error = np.exp(log_softmax(hidden @ output))
            error[np.arange(len(some)), codes[some]] -= 1
            error *= weights[some, np.newaxis] / len(some)
            gradients = (train[some].T @ (error @ output.T), hidden.T @ error)
            for value, square, gradient in zip(
                (embeddings, output), squares, gradients, strict=True
            ):
                np.add(square, gradient**2, out=square)
                np.subtract(value, rate * gradient / np.sqrt(square), out=value)
    return [log_softmax((one @ embeddings) @ output) for one in others]


def periodic(rows: Rows) -> list[np.ndarray]:
    """`content` with `PeriodicEncoder` (to be measured with --instead-of content)."""
    return networks(rows, rows.matrices(PeriodicEncoder))


def large(rows: Rows) -> list[np.ndarray]:
    """`content` with layers twice as wide."""
    return networks(rows, rows.matrices(), hidden_layer_sizes=(512, 256))


def networks(rows: Rows, matrices: list[np.ndarray], **options: Any) -> list[np.ndarray]:
    fitted = fit_networks(matrices[0], rows.codes, 4, 0, rows.weights(), **options)
    return [mean_log_probabilities(fitted, one)[0] for one in matrices[1:]]


def catboost(rows: Rows) -> list[np.ndarray]:
    """CatBoost over the inputs of `content`."""
    from catboost import CatBoostClassifier

    train, *others = rows.matrices()
    model = CatBoostClassifier(
        iterations=300,
        learning_rate=0.1,
        depth=6,
        rsm=0.25,
        thread_count=1,
        verbose=0,
        allow_writing_files=False,
    )
    model.fit(train, rows.codes, sample_weight=rows.weights())
    return [model.predict_log_proba(one) for one in others]


def realmlp(rows: Rows) -> list[np.ndarray]:
    """RealMLP (Holzmüller et al., NeurIPS 2024) over the inputs of `content`, unbinned."""
    from pytabkit import RealMLP_TD_Classifier

    numbers = NumericFeatures(GROUPS).fit(rows.frames[0])
    binned = rows.matrices()
    width = PiecewiseLinearEncoder(GROUPS).fit_transform(rows.frames[0]).shape[1]
    matrices = [
        np.hstack([np.nan_to_num(numbers.transform(frame)), one[:, width:]])
        for frame, one in zip(rows.frames, binned, strict=True)
    ]
    model = RealMLP_TD_Classifier(device="cpu", random_state=0, n_threads=1, verbosity=0)
    model.fit(matrices[0], rows.codes)
    return [np.log(np.maximum(model.predict_proba(one), 1e-7)) for one in matrices[1:]]


IDEAS: dict[str, Callable[[Rows], list[np.ndarray]]] = {
    "nb_svm": nb_svm,
    "logistic": logistic,
    "character_network": character_network,
    "periodic": periodic,
    "large": large,
    "catboost": catboost,
    "realmlp": realmlp,
}


def second_level(scores: np.ndarray, truth: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Stacking: a logistic regression over the scores of all genres, shrunk."""
    flat, more = (np.moveaxis(one, 0, 1).reshape(one.shape[1], -1) for one in (scores, others))
    means, scales = flat.mean(axis=0), flat.std(axis=0) + 1e-6
    model = LogisticRegression(C=1e-2, max_iter=300).fit((flat - means) / scales, truth)
    shares = np.full((len(more), scores.shape[2]), 1e-7)
    shares[:, model.classes_] = model.predict_proba((more - means) / scales)
    return shares


def correction(scores: np.ndarray, truth: np.ndarray, others: np.ndarray) -> np.ndarray:
    """The pool, and a linear correction of its log-probabilities that is shrunk to none."""
    weights = fit_weights(scores, truth, np.full(len(scores), WEIGHT))
    pooled, more = (
        np.log(np.maximum(log_linear_pool(one, weights), 1e-7)) for one in (scores, others)
    )
    means, scales, genres = pooled.mean(axis=0), pooled.std(axis=0), pooled.shape[1]

    def corrected(one: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        matrix, bias = numbers[genres:].reshape(genres, genres), numbers[:genres]
        return np.exp(log_softmax(one + (one - means) / scales @ matrix + bias))

    def loss(numbers: np.ndarray) -> tuple[float, np.ndarray]:
        shares, rows = corrected(pooled, numbers), np.arange(len(truth))
        value = -np.log(shares[rows, truth]).mean() + SHRINKAGE * numbers @ numbers / len(truth)
        shares[rows, truth] -= 1
        gradient = ((pooled - means) / scales).T @ shares
        both = np.concatenate([shares.sum(axis=0), gradient.ravel()])
        return float(value), (both + 2 * SHRINKAGE * numbers) / len(truth)

    start = np.zeros(genres * (genres + 1))
    fitted: Any = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100})
    return corrected(more, fitted.x)


def by_confidence(scores: np.ndarray, truth: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Each score twice: as it is, and only where its best genre leads by more than usual."""

    def doubled(one: np.ndarray, leads: np.ndarray) -> np.ndarray:
        return np.concatenate([one, one * (lead(one) > leads)[:, :, np.newaxis]])

    def lead(one: np.ndarray) -> np.ndarray:
        best = np.partition(one, -2, axis=2)
        return np.asarray(best[:, :, -1] - best[:, :, -2])

    leads = np.median(lead(scores), axis=1, keepdims=True)
    priors = np.r_[np.full(len(scores), WEIGHT), np.zeros(len(scores))]
    weights = fit_weights(doubled(scores, leads), truth, priors)
    return log_linear_pool(doubled(others, leads), weights)


POOLS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "second_level": second_level,
    "correction": correction,
    "by_confidence": by_confidence,
}


@dataclass(frozen=True)
class Measured:
    """One pool on one rotation and test condition."""

    validation: np.ndarray
    """Probabilities, cross-fitted by artist."""
    test: np.ndarray


def main() -> None:
    """Measure an idea on each database."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ideas", type=parse_list, help=", ".join((*IDEAS, *POOLS)))
    parser.add_argument("url", nargs="+")
    parser.add_argument("--instead-of", default="", help="a score of the ensemble")
    parser.add_argument("--rotations", type=int, default=1)
    options = parser.parse_args()
    for url in options.url:
        print(url, flush=True)
        measure(url, options.ideas, options.instead_of, options.rotations)


def measure(url: str, ideas: tuple[str, ...], instead_of: str, rotations: int) -> None:
    """Print the rows of one database."""
    config = TrainingConfig()
    tracks = dataset.load_dataset(connect(url), config)
    rows: dict[tuple[str, str], list[Any]] = {}
    for rotation in range(rotations):
        test, validation = cross_validation.held_out_folds(rotation)
        raw = cross_validation.with_held_out_folds(tracks, test=test, validation=validation)
        split = split_dataset(raw, config)
        fitted = unseen_artists.fit(split, config)
        more = {idea: scores_of(split, idea) for idea in ideas if idea in IDEAS}
        priors = np.array([fitted.prior_weights[name] for name in fitted.score_names_])
        kept = np.array([name != instead_of for name in fitted.score_names_])
        side = split.held_out("validation")
        for regime, code in unseen_artists.REGIMES.items():
            one = unseen_artists.held_out(split, fitted, regime, code)
            chosen = fitted.seen_artist_mask(split.tracks[side]) == code
            tested = (split.regimes == regime)[split.held_out("test")]
            truths, artists = one.fitting_truth, split.artists[side][chosen]
            scores = one.fitting, one.test
            before = evaluate(pool_of(priors), scores, truths, artists)
            for idea in ideas:
                pool, used = POOLS.get(idea), scores
                if pool is None:
                    pool = pool_of(np.r_[priors[kept], WEIGHT])
                    validated, predicted = more[idea]
                    added = validated[chosen], predicted[tested]
                    to_fit, to_test = (
                        np.concatenate([old[kept], new[np.newaxis].astype(np.float32)])
                        for old, new in zip(scores, added, strict=True)
                    )
                    used = to_fit, to_test
                after = evaluate(pool, used, truths, artists)
                both = truths, one.predictions.truth
                measured = rows.setdefault((regime, idea), [])
                measured.append((before, after, both, one.predictions.artists))
    for (regime, idea), measured in rows.items():
        print_rows(regime, idea, measured)


def scores_of(split: SplitDataset, idea: str) -> list[np.ndarray]:
    """Return the idea's scores of the validation and test rows."""
    validation, test = (split.tracks[split.held_out(side)] for side in ("validation", "test"))
    frames = split.tracks[split.train_mask], validation, test
    began = time.process_time()
    with threads.limit_threads(1):
        scores = IDEAS[idea](Rows(frames, split.labels[split.train_mask]))
    print(f"  {idea}: {time.process_time() - began:.1f} CPU s", flush=True)
    return scores


def pool_of(priors: np.ndarray) -> Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]:
    """Return the pool of the ensemble."""
    return lambda scores, truth, others: log_linear_pool(
        others, fit_weights(scores, truth, priors)
    )


def evaluate(
    pool: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
    scores: tuple[np.ndarray, ...],
    truth: np.ndarray,
    artists: np.ndarray,
) -> Measured:
    """Return what a pool of `scores` (validation, test) predicts."""
    fitting, test = scores
    crossed = np.zeros(fitting.shape[1:])
    folds = artists % N_FOLDS
    for fold in np.unique(folds):
        held = folds == fold
        crossed[held] = pool(fitting[:, ~held], truth[~held], fitting[:, held])
    return Measured(crossed, pool(fitting, truth, test))


def print_rows(regime: str, idea: str, measured: list[Any]) -> None:
    """Print the ensemble and the idea, as means over the rotations."""
    for name, place in (("blend", 0), (idea, 1)):
        cells = []
        for number, side in enumerate(("validation", "test")):
            values = [(getattr(one[place], side), one[2][number]) for one in measured]
            right = np.mean([(shares.argmax(axis=1) == truth).mean() for shares, truth in values])
            loss = np.mean(
                [-np.log(shares[np.arange(len(truth)), truth]).mean() for shares, truth in values]
            )
            cells.append(f"{side} {right:.4f}, {loss:.4f}")
        print(f"  {regime:12}{name:18}{'; '.join(cells)}", flush=True)
    hits = [[one[place].test.argmax(axis=1) == one[2][1] for one in measured] for place in (1, 0)]
    after, before = (np.concatenate(each) for each in hits)
    gain = paired_comparison(after, before, np.concatenate([one[3] for one in measured]), seed=0)
    assert gain is not None, "fewer than two artists"
    low, high = gain.interval.low, gain.interval.high
    print(f"  {regime:12}{'difference':18}test {gain.difference:+.4f} ({low:+.4f} to {high:+.4f})")


def log_softmax(sums: np.ndarray) -> np.ndarray:
    sums = sums - sums.max(axis=1, keepdims=True)
    return np.asarray(sums - np.log(np.exp(sums).sum(axis=1, keepdims=True)))


if __name__ == "__main__":
    main()

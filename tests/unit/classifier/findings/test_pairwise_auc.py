"""AUC of genre pairs, and the most separable subsets."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from classifier.findings import pairwise_auc
from classifier.findings.pairwise_auc import GenrePair


def random_scores(genres: int = 6, each: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Genre 0 is easy; the higher the number, the harder."""
    random = np.random.default_rng(0)
    truth = np.repeat(np.arange(genres), each)
    scores = random.normal(size=(len(truth), genres))
    scores[np.arange(len(truth)), truth] += 4.0 - 0.6 * truth
    shares = np.exp(scores)
    return shares / shares.sum(axis=1, keepdims=True), truth


def test_the_auc_uses_the_probability_ratio() -> None:
    """It equals scikit-learn's for the log-ratio of the two genres' probabilities."""
    shares, truth = random_scores()
    for pair in pairwise_auc.pairwise_auc(shares, truth):
        rows = np.isin(truth, [pair.genre, pair.other_genre])
        ratio = np.log(shares[rows, pair.genre] / shares[rows, pair.other_genre])
        assert pair.auc == pytest.approx(roc_auc_score(truth[rows] == pair.genre, ratio))
        assert (pair.n, pair.other_n) == (40, 40)


def test_a_genre_without_tracks_is_in_no_pair() -> None:
    """A genre needs tracks to be compared."""
    shares, truth = random_scores()
    result = list(pairwise_auc.pairwise_auc(shares[truth != 2], truth[truth != 2]))
    assert len(result) == 10
    assert not [pair for pair in result if 2 in (pair.genre, pair.other_genre)]


def made(areas: np.ndarray) -> list[GenrePair]:
    return [
        GenrePair(one, other, float(areas[one, other]), 5, 5)
        for one, other in combinations(range(len(areas)), 2)
    ]


def test_few_subsets_are_searched_exhaustively() -> None:
    """Every subset is compared by the mean of its pairs."""
    random = np.random.default_rng(3)
    areas = random.uniform(0.5, 1, (9, 9))
    best = pairwise_auc.best_subset(made(areas), 4)
    means = {
        chosen: np.mean([areas[one, other] for one, other in combinations(chosen, 2)])
        for chosen in combinations(range(9), 4)
    }
    assert (best.genres, best.search, best.sets_compared) == (
        max(means, key=lambda chosen: means[chosen]),
        "exhaustive",
        126,
    )
    assert best.mean_auc == pytest.approx(max(means.values()))
    inside = [areas[one, other] for one, other in combinations(best.genres, 2)]
    assert best.worst_pair.auc == min(inside)


@pytest.mark.parametrize("seed", range(5))
def test_the_greedy_search_finds_a_planted_subset(seed: int) -> None:
    """Six separable genres among forty: more subsets than can be compared."""
    random = np.random.default_rng(seed)
    areas = random.uniform(0.5, 0.9, (40, 40))
    planted = sorted(random.choice(40, 6, replace=False).tolist())
    areas[np.ix_(planted, planted)] = random.uniform(0.9, 1.0, (6, 6))
    best = pairwise_auc.best_subset(made(areas), 6)
    assert (list(best.genres), best.search) == (planted, "greedy")


def test_ties_are_decided_by_the_worst_pair() -> None:
    """0.9 and 0.9 are better than 1.0 and 0.8."""
    areas = np.full((4, 4), 0.0)
    areas[0, 1], areas[2, 3] = 0.9, 0.9
    areas[0, 2], areas[0, 3], areas[1, 2], areas[1, 3] = 0.9, 1.0, 1.0, 0.7
    best = pairwise_auc.best_subset(made(areas), 3)
    assert best.genres == (0, 1, 2)
    assert best.mean_auc == pytest.approx(2.8 / 3)


def test_accuracy_is_higher_among_few_genres() -> None:
    """The accuracy is the mean over genres, with an interval over artists."""
    shares, truth = random_scores()
    artists = np.arange(len(truth)) // 4
    result = pairwise_auc.subset_accuracy(shares, truth, artists, (0, 5), seed=0)
    assert result is not None
    inside = np.isin(truth, (0, 5))
    right = (shares[inside, 5] > shares[inside, 0]) == (truth[inside] == 5)
    assert result.accuracy == pytest.approx(right.mean())
    assert (result.n, result.baseline) == (80, 0.5)
    assert result.interval is not None
    assert result.interval.low <= result.accuracy <= result.interval.high
    assert pairwise_auc.subset_accuracy(shares[:3], truth[:3], artists[:3], (4, 5), seed=0) is None

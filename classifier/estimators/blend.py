"""`blend`: experts for sound, text and artists' history, weighed by what each is worth."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from numbers import Integral
from typing import Any, ClassVar, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from classifier.estimators import gradient_boosting, late_fusion, mlp, pooling, svm
from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.experts import (
    Expert,
    Scores,
    artist_target_encoding,
    deep_networks,
    mlp_ensemble,
    naive_bayes_text,
    partial_features,
    stacking_net,
    trees,
)
from classifier.features.audio import DESCRIPTORS
from classifier.features.groups import AUDIO_ANALYSIS_GROUPS, COLUMN_GROUPS, numeric_groups
from classifier.ports import Labels, Validation
from classifier.records import Preprocessing

CHUNK_ROWS: Final = 10_000
"""Rows that all voices speak about at once: with 114 genres 45 MB a voice."""

PRIOR_WEIGHTS: Final = {
    "prior": 0.3,
    "nets": 0.5,
    "trees": 0.3,
    "joint": 0.4,
    "joint_trees": 0.3,
    "deep_sound": 0.3,
    "deep_title": 0.1,
    "deep_album": 0.1,
    "deep_artists": 0.1,
    "analysis": 0.1,
    "descriptors": 0.4,
    "title": 0.2,
    "album": 0.15,
    "artists": 0.15,
    "first_artist": 0.4,
    "all_artists": 0.4,
    "artist_album": 0.1,
    "album_name": 0.1,
}
"""Weights where there is no validation track to learn better ones from."""

EXPLAINED_VARIANCE: Final = 0.97
"""Of hundreds of descriptors many say the same: so much of their variance is kept."""
MAX_EXACT_ROWS: Final = 3_000
"""Tracks up to which their support vectors are found exactly: asking these takes longest."""

UNSEEN_ARTIST, SEEN_ARTIST = 0, 1
"""Whose weights: tracks of artists without any known track, and of those with some."""


class Blend(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Pools what the experts say, with weights per regime learned on the validation side.

    The experts learn from `X` alone, the weights from `validation` alone, whose tracks no expert
    has counted. A voice that brings nothing gets weight 0. With `deep` the towers of `mlp` speak,
    too; they need the extra of that name, and validation tracks end their learning.
    """

    feature_groups = COLUMN_GROUPS
    uses_sightings = True

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "groups": [tuple],
        "nets": [Interval(Integral, 1, None, closed="left")],
        "rounds": [Interval(Integral, 1, None, closed="left")],
        "deep": ["boolean"],
    }

    def __init__(
        self,
        groups: tuple[str, ...],
        *,
        nets: int = mlp_ensemble.N_NETWORKS,
        rounds: int = trees.N_ROUNDS,
        deep: bool = False,
        random_state: int = 0,
        n_jobs: int = 1,
    ) -> None:
        self.groups = groups
        self.nets = nets
        self.rounds = rounds
        self.deep = deep
        self.random_state = random_state
        self.n_jobs = n_jobs

    @property
    def libraries(self) -> tuple[str, ...]:
        """Return what its answers depend on beside what everybody has."""
        return mlp.MLP.libraries if self.deep else ()

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        sightings: pd.DataFrame | None = None,
    ) -> Self:
        """Let every expert learn, then weigh their voices.

        `sightings`: (track_id, genre, best_rank), where the tracks in `X` were seen.
        """
        self.classes_, counts = np.unique(y, return_counts=True)
        self.prior_ = np.log(counts / len(y)).astype(np.float32)
        experts = list(self._experts())
        with threadpool_limits(1, user_api="blas"), _side_by_side(self.n_jobs) as pool:
            self.experts_ = list(
                pool.map(lambda one: _fitted(one, X, y, validation, sightings), experts)
            )
        self.artist_history_ = self._memory(X, y)
        self.score_names_ = [
            "prior",
            *(name for expert in self.experts_ for name in expert.score_names),
        ]
        self.weights_ = np.array([[PRIOR_WEIGHTS[name] for name in self.score_names_]] * 2)
        if validation is not None:
            self._weigh(*validation)
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities, one row per row of `X`, summing to 1."""
        check_is_fitted(self)
        shares = np.zeros((len(X), len(self.classes_)))
        with threadpool_limits(1, user_api="blas"):
            for start in range(0, len(X), CHUNK_ROWS):
                rows = X.iloc[start : start + CHUNK_ROWS]
                said, known = self.predict_scores(rows), self.seen_artist_mask(rows)
                for regime in (UNSEEN_ARTIST, SEEN_ARTIST):
                    chosen = known == regime
                    found = pooling.log_linear_pool(said[:, chosen], self.weights_[regime])
                    shares[start : start + CHUNK_ROWS][chosen] = found
        return shares

    def predict(self, X: pd.DataFrame) -> Labels:
        """Return the likeliest genre of each row."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return what each of `score_names_` says: (voices, rows, genres)."""
        prior = np.broadcast_to(self.prior_, (1, len(X), len(self.classes_)))
        return np.concatenate([prior, *(expert.predict_scores(X) for expert in self.experts_)])

    def seen_artist_mask(self, X: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell of which rows a credited artist has a track that was learned from.

        A model that looks at numbers alone does not look at artists: to it nobody is known.
        """
        if self.artist_history_ is None:
            return np.zeros(len(X), dtype=bool)
        return np.asarray(self.artist_history_.artist_track_counts(X) > 0)

    def _experts(self) -> Iterator[Expert]:
        """Yield those that the groups ask for, the slowest first.

        Where there is a joint expert it speaks for text and history too, and half the networks
        are its.
        """
        seed = self.random_state
        if self.deep:
            seen = tuple(
                group for group in self.groups if group not in ("history", *AUDIO_ANALYSIS_GROUPS)
            )
            yield deep_networks.DeepNetworksExpert(mlp.MLP(seen, random_state=seed))
        numbers = tuple(
            group for group in numeric_groups(self.groups) if group not in AUDIO_ANALYSIS_GROUPS
        )
        together = {"text", "history"} <= set(self.groups) and bool(numbers)
        together = together and len(self.classes_) <= stacking_net.MAX_GENRES
        size = -(-self.nets // 2) if together else self.nets
        if numbers:
            yield trees.BoostedTreesExpert(numbers, rounds=self.rounds, random_state=seed)
        if together:
            yield stacking_net.StackingExpert(numbers, nets=size, random_state=seed)
        if numbers:
            yield mlp_ensemble.MLPEnsembleExpert(numbers, nets=size, random_state=seed)
        summaries = tuple(group for group in self.groups if group in ("harmony", "timbre"))
        if summaries:
            yield partial_features.PartialFeaturesExpert(
                "analysis", summaries, self._by_summaries(summaries)
            )
        if DESCRIPTORS in self.groups:
            yield partial_features.PartialFeaturesExpert(
                DESCRIPTORS, (DESCRIPTORS,), self._by_descriptors()
            )
        if "text" in self.groups and not together:
            yield naive_bayes_text.NaiveBayesTextExpert()
        if "history" in self.groups and not together:
            yield artist_target_encoding.ArtistHistoryExpert()

    def _by_summaries(self, groups: tuple[str, ...]) -> DataFrameClassifier:
        """Return boosted trees: they take what is unknown as it is."""
        seed, rounds = self.random_state, self.rounds
        return gradient_boosting.make(features=groups, seed=seed, threads=1, max_iter=rounds)

    def _by_descriptors(self) -> DataFrameClassifier:
        """Return support vectors over principal components: the best single model of these."""
        made = svm.make(
            features=(DESCRIPTORS,), seed=self.random_state, threads=1, exact=MAX_EXACT_ROWS
        )
        return made.with_preprocessing(Preprocessing(components=EXPLAINED_VARIANCE))

    def _memory(
        self,
        X: pd.DataFrame,
        y: Labels,
    ) -> artist_target_encoding.ArtistHistoryExpert | None:
        """Return who knows which artists are known."""
        for expert in self.experts_:
            if isinstance(expert, stacking_net.StackingExpert):
                return expert.history_
            if isinstance(expert, artist_target_encoding.ArtistHistoryExpert):
                return expert
        return (
            artist_target_encoding.ArtistHistoryExpert().fit(X, y)
            if "text" in self.groups
            else None
        )

    def _weigh(self, frame: pd.DataFrame, labels: Labels) -> None:
        told = np.isin(labels, self.classes_)
        frame, truth = frame[told], np.searchsorted(self.classes_, labels[told])
        known = self.seen_artist_mask(frame)
        for regime in (UNSEEN_ARTIST, SEEN_ARTIST):
            chosen = known == regime
            if chosen.any():
                with threadpool_limits(1, user_api="blas"):
                    said = self.predict_scores(frame[chosen])
                    found = pooling.fit_weights(said, truth[chosen], self.weights_[regime])
                self.weights_[regime] = found


def make(*, features: tuple[str, ...], seed: int, threads: int, **params: Any) -> Blend:
    """Return the blend of the experts that the feature groups ask for."""
    model = Blend(features, random_state=seed, n_jobs=threads)
    blended: Blend = with_params(model, params)
    if blended.deep:
        late_fusion.require_torch()
    return blended


@contextmanager
def _side_by_side(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Open a pool; an error or Ctrl-C waits for no expert that still learns."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _fitted(
    expert: Expert,
    frame: pd.DataFrame,
    labels: Labels,
    validation: Validation | None,
    sightings: pd.DataFrame | None,
) -> Expert:
    # OpenMP counts its threads per thread that asks: two of ours with two each are one too many.
    with threadpool_limits(1, user_api="openmp"):
        if isinstance(expert, deep_networks.DeepNetworksExpert):
            return expert.fit(frame, labels, validation)
        if isinstance(expert, stacking_net.StackingExpert):
            return expert.fit(frame, labels, sightings)
        return expert.fit(frame, labels)

"""`blend`: an ensemble of base models over audio, text and artist history, pooled log-linearly."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import Any, ClassVar, Final, Self

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval
from threadpoolctl import threadpool_limits

from classifier import distributed_fits
from classifier.estimators import gradient_boosting, late_fusion, mlp, svm
from classifier.estimators.dataframe_classifier import DataFrameClassifier, with_params
from classifier.estimators.ensemble_weights import PooledClassifier
from classifier.experts import (
    Expert,
    Scores,
    content_nets,
    deep_networks,
    mlp_ensemble,
    stacking_net,
    stacking_trees,
    trees,
)
from classifier.experts.artist_target_encoding import ArtistHistoryExpert
from classifier.experts.linear_text import LinearTextExpert
from classifier.experts.naive_bayes_text import NaiveBayesTextExpert, count_ngrams
from classifier.experts.partial_features import PartialFeaturesExpert
from classifier.features.audio import ACOUSTICBRAINZ, DESCRIPTORS
from classifier.features.groups import AUDIO_ANALYSIS_GROUPS, COLUMN_GROUPS, numeric_groups
from classifier.ports import Labels, Validation
from classifier.training_config import Preprocessing

PRIOR_WEIGHTS: Final = {
    "prior": 0.3,
    "nets": 0.5,
    "trees": 0.3,
    "joint": 0.4,
    "content": 0.4,
    "content_forest": 0.3,
    "joint_trees": 0.3,
    "linear_text": 0.3,
    "deep_sound": 0.3,
    "deep_title": 0.1,
    "deep_album": 0.1,
    "deep_artists": 0.1,
    "analysis": 0.1,
    "acousticbrainz": 0.2,
    "descriptors": 0.4,
    "title": 0.2,
    "album": 0.15,
    "artists": 0.15,
    "first_artist": 0.4,
    "all_artists": 0.4,
    "artist_album": 0.1,
    "album_name": 0.1,
}
"""Weight of each score where there is no validation track to fit a better one."""

EXPLAINED_VARIANCE: Final = 0.97
"""Share of the variance of descriptors that is kept: hundreds of them are largely redundant."""
_TEXT_EXPERTS: Final = (
    content_nets.ContentNetworksExpert,
    stacking_net.StackingExpert,
    LinearTextExpert,
)
"""The base models that count the n-grams of the same texts."""
_HAS_PARTS: Final = (stacking_net.StackingExpert, content_nets.ContentNetworksExpert)
"""Base models of several parts, which learn from sightings, too."""
MIN_WEIGHT: Final = 0.02
"""A score whose weights are all smaller brings nothing."""
MAX_EXACT_ROWS: Final = 3_000
"""Training tracks up to which their SVM is exact: it is the slowest model to predict with."""


@dataclass(eq=False, repr=False)
class Blend(PooledClassifier):
    """Pool the base models' scores, with weights per regime fitted on the validation tracks.

    The base models train on `X` alone, the weights on `validation` alone, which no base model has
    seen. A base model whose scores bring nothing for either kind of artist is left out again
    (`left_out_`), and the weights are fitted without it. With `deep` the networks of `mlp` are
    base models, too; they need the extra of that name, and use validation tracks for early
    stopping.
    """

    feature_groups = COLUMN_GROUPS
    uses_sightings = True
    prior_weights = PRIOR_WEIGHTS
    unseen_artists_only = frozenset({content_nets.FOREST_SCORE})

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "groups": [tuple],
        "n_networks": [Interval(Integral, 1, None, closed="left")],
        "n_rounds": [Interval(Integral, 1, None, closed="left")],
        "deep": ["boolean"],
    }

    groups: tuple[str, ...]
    _: KW_ONLY
    n_networks: int = mlp_ensemble.N_NETWORKS
    n_rounds: int = trees.N_ROUNDS
    deep: bool = False
    random_state: int = 0
    n_jobs: int = 1

    @property
    def libraries(self) -> tuple[str, ...]:
        """Return the extra libraries that its predictions depend on."""
        return mlp.MLP.libraries if self.deep else ()

    def fit(
        self,
        X: pd.DataFrame,
        y: Labels,
        validation: Validation | None = None,
        sightings: pd.DataFrame | None = None,
    ) -> Self:
        """Fit every base model, then the pooling weights.

        `sightings`: (track_id, genre, best_rank) and, if any, playlist: where the tracks in `X`
        were seen.
        """
        self._fit_prior(y)
        experts = list(self._experts())
        shared = (X, y, validation, sightings)
        if distributed_fits.are_distributed():
            self.experts_ = list(distributed_fits.fit_parts(_fit_expert, experts, shared))
        else:
            with threadpool_limits(1, user_api="blas"), _thread_pool(self.n_jobs) as pool:
                self.experts_ = list(pool.map(lambda one: _fit_expert(shared, one), experts))
        self.artist_history_ = self._artist_history(X, y)
        self._fit_weights(validation)
        self._leave_out(validation)
        return self

    def _leave_out(self, validation: Validation | None) -> None:
        """Remove what brings nothing, and fit the weights of the rest."""
        names = self.score_names_
        is_alone = self.artist_history_ is None  # every artist is unseen
        weights = self.weights_[:1] if is_alone else self.weights_
        largest = weights.max(axis=0).tolist()
        unused = {name for name, one in zip(names, largest, strict=True) if one < MIN_WEIGHT}
        self.experts_ = [one for one in self.experts_ if not unused.issuperset(one.score_names)]
        for expert in self.experts_:
            if isinstance(expert, _HAS_PARTS):
                expert.leave_out(unused)
        kept = self._names_of_scores()
        self.left_out_ = tuple(name for name in names if name not in kept)
        if self.left_out_:
            self._fit_weights(validation)

    def _names_of_scores(self) -> list[str]:
        return ["prior", *(name for one in self.experts_ for name in one.score_names)]

    def _fit_weights(self, validation: Validation | None) -> None:
        self.score_names_ = self._names_of_scores()
        super()._fit_weights(validation)

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return the scores named `score_names_`: (scores, tracks, genres)."""
        uses_text = any(isinstance(one, _TEXT_EXPERTS) for one in self.experts_)
        ngrams = count_ngrams(X) if uses_text else None  # once for all of them
        scores = (
            one.predict_scores(X, ngrams)
            if isinstance(one, _TEXT_EXPERTS)
            else one.predict_scores(X)
            for one in self.experts_
        )
        return np.concatenate([self._prior_scores(len(X)), *scores])

    def _experts(self) -> Iterator[Expert]:
        """Yield the base models of the feature groups, the slowest first."""
        if self.deep:
            chosen = (*AUDIO_ANALYSIS_GROUPS, "history")
            inputs = tuple(group for group in self.groups if group not in chosen)
            yield deep_networks.DeepNetworksExpert(mlp.MLP(inputs, random_state=self.random_state))
        numbers = tuple(
            group for group in numeric_groups(self.groups) if group not in AUDIO_ANALYSIS_GROUPS
        )
        if numbers:
            yield from self._experts_of_numbers(numbers)
        yield from self._experts_of_analyses()
        if "text" in self.groups and not numbers:
            yield NaiveBayesTextExpert()
        if "history" in self.groups and not self._is_stacked(numbers):
            yield ArtistHistoryExpert()

    def _experts_of_numbers(self, numbers: tuple[str, ...]) -> Iterator[Expert]:
        """Yield the base models of numbers, and of numbers with text.

        With text and history and up to `stacking_net.MAX_GENRES` genres there is a stacking model,
        which takes half of the networks. The other networks over text then have LSA, which gains
        nothing with more genres; there three larger networks are better than four. Forests grow
        with the genres, as boosted trees do, and so do linear models over n-grams.
        """
        seed, networks = self.random_state, self.n_networks
        many = len(self.classes_) > stacking_net.MAX_GENRES
        stacked = self._is_stacked(numbers)
        yield trees.BoostedTreesExpert(numbers, n_rounds=self.n_rounds, random_state=seed)
        if "text" in self.groups:
            yield content_nets.ContentNetworksExpert(
                numbers,
                lsa=not many,
                many_genres=many,
                with_text=not stacked,
                with_forest=stacked and len(self.classes_) <= stacking_trees.MAX_GENRES,
                n_networks=-(-3 * networks // 4) if many else networks,
                random_state=seed,
            )
        if stacked:
            networks = -(-networks // 2)
            yield stacking_net.StackingExpert(numbers, n_networks=networks, random_state=seed)
            yield LinearTextExpert(random_state=seed)
        yield mlp_ensemble.MLPEnsembleExpert(numbers, n_networks=networks, random_state=seed)

    def _is_stacked(self, numbers: tuple[str, ...]) -> bool:
        has_inputs = bool(numbers) and {"text", "history"} <= set(self.groups)
        return has_inputs and len(self.classes_) <= stacking_net.MAX_GENRES

    def _experts_of_analyses(self) -> Iterator[Expert]:
        """Yield the base models of features that only some tracks have."""
        summaries = tuple(group for group in self.groups if group in ("harmony", "timbre"))
        if summaries:
            yield PartialFeaturesExpert("analysis", summaries, self._analysis_model(summaries))
        if ACOUSTICBRAINZ in self.groups:
            model = self._analysis_model((ACOUSTICBRAINZ,))
            yield PartialFeaturesExpert(ACOUSTICBRAINZ, (ACOUSTICBRAINZ,), model)
        if DESCRIPTORS in self.groups:
            yield PartialFeaturesExpert(DESCRIPTORS, (DESCRIPTORS,), self._descriptor_model())

    def _analysis_model(self, groups: tuple[str, ...]) -> DataFrameClassifier:
        """Return boosted trees: they handle missing values natively."""
        return gradient_boosting.make(
            features=groups, seed=self.random_state, threads=1, max_iter=self.n_rounds
        )

    def _descriptor_model(self) -> DataFrameClassifier:
        """Return an SVM over principal components: the best single model of descriptors."""
        model = svm.make(
            features=(DESCRIPTORS,),
            seed=self.random_state,
            threads=1,
            max_exact_rows=MAX_EXACT_ROWS,
        )
        return model.with_preprocessing(Preprocessing(components=EXPLAINED_VARIANCE))

    def _artist_history(self, X: pd.DataFrame, y: Labels) -> ArtistHistoryExpert | None:
        for expert in self.experts_:
            if isinstance(expert, stacking_net.StackingExpert):
                return expert.history_
            if isinstance(expert, ArtistHistoryExpert):
                return expert
        return ArtistHistoryExpert().fit(X, y) if "text" in self.groups else None


def make(*, features: tuple[str, ...], seed: int, threads: int, **params: Any) -> Blend:
    """Return the ensemble of the base models of the feature groups."""
    model: Blend = with_params(Blend(features, random_state=seed, n_jobs=threads), params)
    if model.deep:
        late_fusion.require_torch()
    return model


@contextmanager
def _thread_pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Open a pool; an error or Ctrl-C does not wait for models that are still training."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _fit_expert(
    shared: tuple[pd.DataFrame, Labels, Validation | None, pd.DataFrame | None], expert: Expert
) -> Expert:
    """Fit a base model to (frame, labels, validation, sightings)."""
    frame, labels, validation, sightings = shared
    # OpenMP limits threads per calling thread: two of ours with two each are one too many.
    with threadpool_limits(1, user_api="openmp"):
        if isinstance(expert, deep_networks.DeepNetworksExpert):
            return expert.fit(frame, labels, validation)
        if isinstance(expert, _HAS_PARTS):
            return expert.fit(frame, labels, sightings)
        return expert.fit(frame, labels)

"""Late fusion of neural networks: the base class of `mlp` and `cnn`.

Each network sees one part of a track; their scores are pooled (see `ensemble_weights`). torch is
imported when a network is made, not before: importing takes seconds, and torch is an extra.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from importlib.util import find_spec
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from classifier.errors import MissingExtra
from classifier.estimators.dataframe_classifier import with_params
from classifier.estimators.ensemble_weights import PooledClassifier, of_classes
from classifier.experts import Scores
from classifier.experts.artist_target_encoding import ArtistHistoryExpert
from classifier.features.groups import TEXT
from classifier.model_records import Epoch
from classifier.ports import EstimatorFactory, Labels, Validation
from genrebase.extras import install_hint

if TYPE_CHECKING:
    from torch import nn

    from classifier.deep.batches import InputBlock

MIN_BATCH_SIZE, MAX_BATCH_SIZE, MIN_BATCHES = 32, 256, 24
"""An epoch has at least `MIN_BATCHES` batches, unless these would then be too small."""
MAX_CUDA_BATCH_SIZE: Final = 1_024
"""Maximum on a GPU, which computes a large batch in about the time of a small one."""
PRIOR_WEIGHTS: Final = {
    "prior": 0.1,
    "sound": 0.9,
    "matrix": 0.6,
    "title": 0.3,
    "album": 0.3,
    "artists": 0.3,
    "first_artist": 0.4,
    "all_artists": 0.4,
    "artist_album": 0.1,
    "album_name": 0.1,
}
"""Weight of each score where there is no validation track to fit a better one."""

PARAMETER_CONSTRAINTS: Final[Mapping[str, Any]] = {
    "groups": [tuple],
    "epochs": [Interval(Integral, 1, None, closed="left")],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "batch_size": [Interval(Integral, 4, None, closed="left"), None],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    "optimiser": [StrOptions({"adamw", "sgd"})],
    "schedule": [StrOptions({"cosine", "constant"})],
    "class_weight": [StrOptions({"balanced"}), None],
}
"""scikit-learn's validation rules of the shared parameters."""

_NOT_STORED: Final = ("epochs_", "_module", "_listener")
"""Training history, and what is rebuilt from the rest: not part of an artifact."""

Listener = Callable[[Epoch], None]


@dataclass(eq=False, repr=False)
class LateFusionNetworks(PooledClassifier):
    """Networks that each see one part of a track, pooled with the artist history.

    `validation` is for early stopping and the pooling weights. The history is counted, no network
    learns it. All random draws come from `random_state`.
    """

    prior_weights = PRIOR_WEIGHTS
    _parameter_constraints: ClassVar[Mapping[str, Any]] = PARAMETER_CONSTRAINTS

    groups: tuple[str, ...]
    _: KW_ONLY
    epochs: int = 15
    patience: int = 4
    batch_size: int | None = None
    learning_rate: float = 4e-3
    weight_decay: float = 0.05
    label_smoothing: float = 0.0
    optimiser: str = "adamw"
    schedule: str = "cosine"
    class_weight: str | None = None
    random_state: int = 0

    def fit(self, X: pd.DataFrame, y: Labels, validation: Validation | None = None) -> Self:
        """Train epoch by epoch, keep each network's best epoch, then fit the pooling weights."""
        codes = self._fit_prior(y)
        uses_artists = {"text", "history"} & set(self.groups)
        self.artist_history_ = ArtistHistoryExpert().fit(X, y) if uses_artists else None
        self.epochs_: list[Epoch] = []
        blocks = self._blocks(X, fit=True)
        if validation is not None:
            validation = of_classes(validation, self.classes_)
            validation = validation if len(validation[1]) else None
        self.score_names_ = ["prior"]
        if blocks:
            self._train(blocks, codes.astype(np.int64), validation)
            self.score_names_ += self._branches_by_score()
        if "history" in self.groups:
            self.score_names_ += ArtistHistoryExpert.score_names
        self._fit_weights(validation)
        return self

    def on_epoch(self, listener: Listener) -> None:
        """Call `listener` after each epoch of the next `fit`."""
        self._listener = listener

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return the scores named `score_names_`: (scores, tracks, genres)."""
        scores = [self._prior_scores(len(X))]
        blocks = self._blocks(X)
        if blocks:
            scores.append(self._network_scores(blocks, len(X)))
        if self.artist_history_ is not None and "history" in self.groups:
            scores.append(self.artist_history_.predict_scores(X))
        return np.concatenate(scores)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored: neither the network itself nor its training history."""
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in _NOT_STORED}

    def _blocks(self, X: pd.DataFrame, *, fit: bool = False) -> "list[InputBlock]":
        """Return the networks' inputs of `X`; with `fit`, fit their encoders to it first."""
        raise NotImplementedError

    def _branches(self) -> "dict[str, nn.Module]":
        raise NotImplementedError

    def _branches_by_score(self) -> Mapping[str, Sequence[str]]:
        """Return the score names, and the networks that each is the mean of."""
        raise NotImplementedError

    def _untrained(self) -> "nn.Module":
        from classifier.deep import networks  # torch is slow to import, and an extra

        return networks.Branches(self._branches())

    def _train(
        self,
        blocks: "list[InputBlock]",
        codes: NDArray[np.int64],
        validation: Validation | None,
    ) -> None:
        from classifier.deep import batches, networks, training  # see above

        held_out = None
        if validation is not None:
            truth = np.searchsorted(self.classes_, validation[1]).astype(np.int64)
            held_out = batches.TrackDataset(self._blocks(validation[0]), truth)
        largest = MAX_BATCH_SIZE if training.device() == "cpu" else MAX_CUDA_BATCH_SIZE
        size = int(np.clip(len(codes) // MIN_BATCHES, MIN_BATCH_SIZE, largest))
        # square-root scaling of the rate (Granziol et al., JMLR 2022)
        scale = 1.0 if self.batch_size else max(1.0, size / MAX_BATCH_SIZE) ** 0.5
        config = training.FitConfig(
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch_size or size,
            learning_rate=self.learning_rate * scale,
            weight_decay=self.weight_decay,
            optimiser=self.optimiser,
            schedule=self.schedule,
            label_smoothing=self.label_smoothing,
            class_weights=_class_weights(codes) if self.class_weight else None,
        )
        with training.seeded(self.random_state):
            module = self._untrained()
            tracks = batches.TrackDataset(blocks, codes)
            listener = getattr(self, "_listener", None)
            self.epochs_ = training.fit(module, tracks, held_out, config, listener)
        self.network_weights_ = networks.serialise(module)
        self._module = module

    def _network_scores(self, blocks: "list[InputBlock]", rows: int) -> Scores:
        from classifier.deep import batches, networks, training  # see above

        with training.seeded(self.random_state):
            if not hasattr(self, "_module"):
                module = self._untrained()
                networks.load_weights(module, self.network_weights_)
                self._module = module
            tracks = batches.TrackDataset(blocks, np.zeros(rows, dtype=np.int64))
            by_branch = training.predict(self._module, tracks)
        scores = []
        for name, branches in self._branches_by_score().items():
            mean = np.mean([by_branch[branch] for branch in branches], axis=0)
            scores.append(mean - self.prior_ if name in TEXT else mean)
        return np.stack(scores)


Networks = TypeVar("Networks", bound=LateFusionNetworks)


def network_factory(networks: type[Networks]) -> EstimatorFactory[Networks]:
    """Return the factory of `networks`, which raises `MissingExtra` without torch."""

    def make(
        *,
        features: tuple[str, ...],
        seed: int,
        threads: int,  # noqa: ARG001 - one thread: the same numbers on every machine
        **params: Any,
    ) -> Networks:
        require_torch()
        made: Networks = with_params(networks(features, random_state=seed), params)
        return made

    return make


def require_torch() -> None:
    """Raise `MissingExtra` where torch is not installed."""
    missing = [name for name in ("torch", "skorch", "safetensors") if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"Deep models need {' and '.join(missing)}. {install_hint('deep')} "
            "(docs/deep.md says how to take the smaller build without CUDA)."
        )


def _class_weights(codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return class weights by which all genres count the same."""
    counts = np.bincount(codes)
    return (len(codes) / (len(counts) * counts)).astype(np.float32)

"""What the deep estimators share: networks side by side, pooled by what each is worth.

torch is imported when a network is made, not before: it takes seconds, and is an extra.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from classifier.errors import MissingExtra
from classifier.estimators import pooling
from classifier.experts import Scores
from classifier.experts.artist_target_encoding import ArtistHistoryExpert
from classifier.features.groups import TEXT
from classifier.ports import Labels, Validation
from classifier.records import Epoch

if TYPE_CHECKING:
    from torch import nn

    from classifier.deep.batches import InputBlock

CHUNK_ROWS: Final = 10_000
"""Rows that are answered at once."""
UNSEEN_ARTIST, SEEN_ARTIST = 0, 1
"""Whose weights: tracks of artists without any known track, and of those with some."""
MIN_BATCH_SIZE, MAX_BATCH_SIZE, MIN_BATCHES = 32, 256, 24
"""Tracks in a batch: an epoch has at least so many batches, if they then are not too small."""
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
"""Weights where there is no validation track to learn better ones from."""

PARAMETER_CONSTRAINTS: Final[Mapping[str, Any]] = {
    "groups": [tuple],
    "epochs": [Interval(Integral, 1, None, closed="left")],
    "patience": [Interval(Integral, 1, None, closed="left")],
    "batch": [Interval(Integral, 4, None, closed="left"), None],
    "rate": [Interval(Real, 0, None, closed="neither")],
    "decay": [Interval(Real, 0, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "smoothing": [Interval(Real, 0, 1, closed="left")],
    "optimiser": [StrOptions({"adamw", "sgd"})],
    "schedule": [StrOptions({"cosine", "constant"})],
    "class_weight": [StrOptions({"balanced"}), None],
}
"""What scikit-learn checks the shared parameters by."""

_GONE: Final = ("epochs_", "_module", "_listener")
"""About the training, or made of the rest: not part of an artifact."""

Listener = Callable[[Epoch], None]


class LateFusionNetworks(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Networks that see one side of a track each; `validation` ends the learning and weighs them.

    Weights are learned per regime, as in `blend`. The artist's history, counted and not learned by
    a network, is pooled with them. Everything is drawn from `random_state`.
    """

    _parameter_constraints: ClassVar[Mapping[str, Any]] = PARAMETER_CONSTRAINTS

    groups: tuple[str, ...]
    epochs: int
    patience: int
    batch: int | None
    rate: float
    decay: float
    smoothing: float
    optimiser: str
    schedule: str
    class_weight: str | None
    random_state: int

    def fit(self, X: pd.DataFrame, y: Labels, validation: Validation | None = None) -> Self:
        """Learn epoch by epoch, keep what told the validation tracks best, then weigh."""
        self.classes_, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        self.prior_ = np.log(counts / len(y)).astype(np.float32)
        reading = {"text", "history"} & set(self.groups)
        self.artist_history_ = ArtistHistoryExpert().fit(X, y) if reading else None
        self.epochs_: list[Epoch] = []
        parts = self._learned_parts(X, y)
        told = None if validation is None else _told(validation, self.classes_)
        if parts:
            self._learn(parts, codes.astype(np.int64), told)
        self.score_names_ = list(self._voices())
        self.weights_ = np.array([[PRIOR_WEIGHTS[name] for name in self.score_names_]] * 2)
        if told is not None:
            self._weigh(*told)
        return self

    def predict_proba(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return probabilities, one row per row of `X`, summing to 1."""
        check_is_fitted(self)
        shares = np.zeros((len(X), len(self.classes_)))
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

    def on_epoch(self, listener: Listener) -> None:
        """Have `listener` told of each epoch of the next `fit`."""
        self._listener = listener

    def predict_scores(self, X: pd.DataFrame) -> Scores:
        """Return what each of `score_names_` says: (voices, rows, genres)."""
        said = [np.broadcast_to(self.prior_, (1, len(X), len(self.classes_)))]
        parts = self._asked_parts(X)
        if parts:
            said.append(self._heard(parts, len(X)))
        if self.artist_history_ is not None and "history" in self.groups:
            said.append(self.artist_history_.predict_scores(X))
        return np.concatenate(said)

    def seen_artist_mask(self, X: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell of which rows a credited artist has a track that was learned from."""
        if self.artist_history_ is None:
            return np.zeros(len(X), dtype=bool)
        return np.asarray(self.artist_history_.artist_track_counts(X) > 0)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored: neither the network itself nor how it was trained."""
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in _GONE}

    def _learned_parts(self, X: pd.DataFrame, y: Labels) -> "list[InputBlock]":
        """Learn what the networks' inputs are, and return those of `X`."""
        raise NotImplementedError

    def _asked_parts(self, X: pd.DataFrame) -> "list[InputBlock]":
        """Return the networks' inputs of `X`."""
        raise NotImplementedError

    def _network(self) -> "nn.Module":
        """Return the networks, untrained."""
        raise NotImplementedError

    def _heads(self) -> Mapping[str, Sequence[str]]:
        """Return the voices of the networks, and the networks that share each."""
        raise NotImplementedError

    def _voices(self) -> Iterator[str]:
        yield "prior"
        if hasattr(self, "weights_of_networks_"):
            yield from self._heads()
        if "history" in self.groups:
            yield from ArtistHistoryExpert.score_names

    def _learn(
        self, parts: "list[InputBlock]", codes: NDArray[np.int64], told: Validation | None
    ) -> None:
        from classifier.deep import batches, training, weights  # see above

        held = None
        if told is not None:
            truth = np.searchsorted(self.classes_, told[1]).astype(np.int64)
            held = batches.TrackDataset(self._asked_parts(told[0]), truth)
        size = int(np.clip(len(codes) // MIN_BATCHES, MIN_BATCH_SIZE, MAX_BATCH_SIZE))
        plan = training.FitConfig(
            epochs=self.epochs,
            patience=self.patience,
            batch_size=self.batch or size,
            learning_rate=self.rate,
            weight_decay=self.decay,
            optimiser=self.optimiser,
            schedule=self.schedule,
            label_smoothing=self.smoothing,
            class_weights=_balanced(codes) if self.class_weight else None,
            text_branches=TEXT,
        )
        with training.seeded(self.random_state):
            module = self._network()
            tracks = batches.TrackDataset(parts, codes)
            listener = getattr(self, "_listener", _nobody)
            self.epochs_ = training.fit(module, tracks, held, plan, listener)
        self.network_weights_ = weights.serialise(module)
        self._module = module

    def _heard(self, parts: "list[InputBlock]", rows: int) -> Scores:
        from classifier.deep import batches, training, weights  # see above

        if not hasattr(self, "_module"):
            with training.seeded(self.random_state):
                module = self._network()
            weights.load_weights(module, self.network_weights_)
            self._module = module
        tracks = batches.TrackDataset(parts, np.zeros(rows, dtype=np.int64))
        with training.seeded(self.random_state):
            said = training.predict(self._module, tracks)
        heads = self._heads()
        found = [np.mean([said[name] for name in names], axis=0) for names in heads.values()]
        for place, voice in enumerate(heads):
            if voice in TEXT:
                found[place] = found[place] - self.prior_
        return np.stack(found)

    def _weigh(self, frame: pd.DataFrame, labels: Labels) -> None:
        truth, known = np.searchsorted(self.classes_, labels), self.seen_artist_mask(frame)
        for regime in (UNSEEN_ARTIST, SEEN_ARTIST):
            chosen = known == regime
            if chosen.any():
                with threadpool_limits(1, user_api="blas"):
                    said = self.predict_scores(frame[chosen])
                    found = pooling.fit_weights(said, truth[chosen], self.weights_[regime])
                self.weights_[regime] = found


def require_torch() -> None:
    """Raise `MissingExtra` where torch is not installed."""
    missing = [name for name in ("torch", "skorch", "safetensors") if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"Deep models need {' and '.join(missing)}: pip install 'genrebase[deep]' "
            "(docs/deep.md says how to take the smaller build without CUDA)."
        )


def _nobody(_epoch: Epoch) -> None:
    """Hear of an epoch and say nothing."""


def _told(validation: Validation, classes: Labels) -> Validation | None:
    """Return the validation tracks of known genres; None without any."""
    frame, labels = validation
    chosen = np.isin(labels, classes)
    return (frame[chosen], labels[chosen]) if chosen.any() else None


def _balanced(codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return weights of genres under which all count the same."""
    counts = np.bincount(codes)
    return (len(codes) / (len(counts) * counts)).astype(np.float32)

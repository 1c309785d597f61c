"""Audio, metadata, analysis and descriptor columns as one numeric matrix with missing values.

Key, mode and meter are categories, in one column of codes each or one-hot.
"""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from classifier.arrays import Floats, Mask
from genrebase.store import tables

Matrix = NDArray[np.float32]

AUDIO: Final = tables.FEATURES
METADATA: Final = ("release_year", "duration_ms", "popularity", "explicit")
HARMONY: Final = (
    *tables.DEGREE_COLUMNS,
    "minor_share",
    "repeated_share",
    "single_share",
    "degrees",
    "degree_changes",
)
TIMBRE: Final = (*tables.TIMBRE_COLUMNS, *tables.PITCH_COLUMNS)
ACOUSTICBRAINZ: Final = "acousticbrainz"
"""The group of AcousticBrainz' numbers, on scales of their own."""
COLUMNS: Final = {
    "audio": AUDIO,
    "metadata": METADATA,
    "harmony": HARMONY,
    "timbre": TIMBRE,
    ACOUSTICBRAINZ: (
        *(f"{ACOUSTICBRAINZ}_{name}" for name in tables.SUBMISSION_NUMBERS),
        f"{ACOUSTICBRAINZ}_fifths_sin",
        f"{ACOUSTICBRAINZ}_fifths_cos",
        f"{ACOUSTICBRAINZ}_mode",
    ),
}
"""Frame columns of each feature group; those of descriptors depend on the data."""

DESCRIPTORS: Final = "descriptors"
"""The group of descriptors: features of a whole audio file, computed elsewhere."""
_DESCRIPTOR_PREFIX: Final = "descriptor:"
"""Of their column names; then come the set's name and the descriptor's."""

FILE_SCALE_FEATURES: Final = tables.INCOMPARABLE_FEATURES
"""Features on another scale in audio files than in catalogues; tempo, key and mode are not."""

CATEGORICAL: Final = tables.CATEGORICAL_FEATURES
"""Key, mode and time signature are categories, not quantities."""

_FIFTH: Final = 7
"""Semitones of a fifth: stepping by it, the 12 keys form a circle of related ones."""
_KEYS: Final = 12
KEY_ANGLE: Final = _FIFTH * 2 * np.pi / _KEYS
"""The angle on that circle per pitch class."""


class NumericFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames with (some of) the views' columns into a float32 matrix; NaN where unknown.

    Absent columns are unknown; groups that are not numeric are ignored. The key is there twice: as
    a category and as a position on the circle of fifths. Whether any provider has features of the
    track is a column of its own; *which* provider is not, for that tells where a track was
    fetched, not what it sounds like. `FILE_SCALE_FEATURES` of audio files have columns of their
    own (`own_energy`), and are unknown to a model that was trained on no file.

    Descriptors are the columns called `descriptor:SET:NAME` (see `descriptor_column`) of the
    training frame; those of another set are ignored.

    `one_hot=False` leaves each category in one column of codes (for trees that split by category,
    see `categorical`); `one_hot=True` gives each its own 0/1 column.
    """

    def __init__(
        self, groups: tuple[str, ...] = ("audio", "metadata"), *, one_hot: bool = False
    ) -> None:
        self.groups = groups
        self.one_hot = one_hot

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's signature
        """Record the categories, the descriptors and whether any row is of an audio file."""
        self.descriptors_ = descriptor_columns(X) if DESCRIPTORS in self.groups else ()
        any_file = "audio" in self.groups and bool(_from_files(X).any())
        self.file_scale_ = FILE_SCALE_FEATURES if any_file else ()
        self.categories_ = {
            name: np.unique(values[np.isfinite(values)])
            for name in CATEGORICAL
            if name in self._inputs()
            for values in [numeric_column(X, name)]
        }
        self.blank_ = np.isnan(self._columns(X)).all(axis=0)
        return self

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return one row of numbers per row of `X`."""
        check_is_fitted(self)
        matrix = self._columns(X)
        if "audio" in self.groups:
            matrix[:, len(self._quantities()) + 2] = self._has_used_audio(X, matrix)
        matrix[:, self.blank_] = 0.0  # all missing in training: nothing was fitted to it
        return matrix

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002 - scikit-learn's signature
        """Return the names of the columns."""
        check_is_fitted(self)
        names = list(self._quantities())
        if "audio" in self.groups:
            names += ["fifths_sin", "fifths_cos", "has_audio"]
        for name, values in self.categories_.items():
            names += [f"{name}_{value:.0f}" for value in values] if self.one_hot else [name]
        names += [f"own_{name}" for name in self.file_scale_] + list(self.descriptors_)
        return np.asarray(names, dtype=object)

    @property
    def categorical(self) -> list[int]:
        """Return the positions of the columns of category codes (none with `one_hot`)."""
        if self.one_hot or "audio" not in self.groups:
            return []
        first = len(self._quantities()) + 3  # after the circle of fifths and has_audio
        return list(range(first, first + len(CATEGORICAL)))

    def _columns(self, X: pd.DataFrame) -> Matrix:
        from_files = _from_files(X)
        columns: list[NDArray[Any]] = []
        for name in self._quantities():
            values = numeric_column(X, name)
            is_file_scale = name in FILE_SCALE_FEATURES
            columns.append(np.where(from_files, np.nan, values) if is_file_scale else values)
        if "audio" in self.groups:
            angle = numeric_column(X, "key") * KEY_ANGLE
            columns += [np.sin(angle), np.cos(angle), _has_audio(X)]
        for name, values in self.categories_.items():
            columns += self._category(X, name, values)
        columns += [
            np.where(from_files, numeric_column(X, name), np.nan) for name in self.file_scale_
        ]
        matrix = np.empty((len(X), len(columns) + len(self.descriptors_)), dtype=np.float32)
        for place, values in enumerate(columns):
            matrix[:, place] = values
        for place, column in enumerate(self.descriptors_, start=len(columns)):
            matrix[:, place] = numeric_column(X, column)
        return matrix

    def _has_used_audio(self, X: pd.DataFrame, matrix: Matrix) -> Mask:
        """Return which rows have an audio feature that a training track had, on the same scale.

        Another one is not used, so that its presence must not count either.
        """
        positions = [at for at, name in enumerate(self._quantities()) if name in AUDIO]
        first_own = matrix.shape[1] - len(self.descriptors_) - len(self.file_scale_)
        positions += range(first_own, first_own + len(self.file_scale_))
        blank = np.asarray(self.blank_)
        used = [at for at in positions if not blank[at]]
        any_value = np.zeros(len(X), dtype=bool)
        for at in used:
            any_value |= np.isfinite(matrix[:, at])
        for name, values in self.categories_.items():
            if len(values) and name in AUDIO:
                any_value |= np.isfinite(numeric_column(X, name))
        return any_value

    def _inputs(self) -> list[str]:
        return [name for group in self.groups for name in COLUMNS.get(group, ())]

    def _quantities(self) -> list[str]:
        return [name for name in self._inputs() if name not in CATEGORICAL]

    def _category(self, frame: pd.DataFrame, name: str, categories: Floats) -> list[NDArray[Any]]:
        values = numeric_column(frame, name)
        if self.one_hot:
            return [values == category for category in categories]
        if len(categories) == 0:
            return [np.full(len(values), np.nan)]
        codes = np.searchsorted(categories, values).clip(max=len(categories) - 1)
        return [np.where(categories[codes] == values, codes, np.nan)]


def numeric_column(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column as numbers; NaN where it is missing, infinite or not a number at all."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):  # booleans are numeric to pandas
        column = pd.to_numeric(column, errors="coerce")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def descriptor_column(schema: str, name: str) -> str:
    """Return the column name of a descriptor of a set."""
    return f"{_DESCRIPTOR_PREFIX}{schema}:{name}"


def descriptor_columns(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the descriptor columns of a frame, in their order."""
    return tuple(str(name) for name in frame.columns if str(name).startswith(_DESCRIPTOR_PREFIX))


def mostly_from_files(frame: pd.DataFrame) -> bool:
    """Return whether more rows have features of audio files than of a catalogue."""
    from_files = _from_files(frame)
    return bool(from_files.sum() > (_has_audio(frame) & ~from_files).sum())


def mask_other_scale(frame: pd.DataFrame, *, from_files: bool) -> pd.DataFrame:
    """Return the rows with features on the other scale set to missing.

    For code that compares the features of tracks directly.
    """
    other = _from_files(frame) != from_files
    present = [name for name in FILE_SCALE_FEATURES if name in frame.columns]
    return frame.assign(**{name: frame[name].mask(other) for name in present})


def on_majority_scale(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on the scale that more of them have."""
    return mask_other_scale(frame, from_files=mostly_from_files(frame))


def _from_files(frame: pd.DataFrame) -> Mask:
    """Return which rows have features of audio files rather than of a catalogue."""
    if "provider" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    is_file = frame["provider"].astype("string") == tables.AUDIO_PROVIDER
    return is_file.to_numpy(dtype=bool, na_value=False)


def _has_audio(frame: pd.DataFrame) -> Mask:
    any_value = np.zeros(len(frame), dtype=bool)
    for name in AUDIO:
        any_value |= np.isfinite(numeric_column(frame, name))
    return any_value

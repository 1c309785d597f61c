"""Sound and metadata as numbers: missing values allowed, categories kept as categories."""

from typing import Any, Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

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
COLUMNS: Final = {"audio": AUDIO, "metadata": METADATA, "harmony": HARMONY, "timbre": TIMBRE}
"""Which columns of the views each feature group reads; those of descriptors are in the data."""

DESCRIPTORS: Final = "descriptors"
"""The group of values that describe a sound on the whole."""
_DESCRIBED: Final = "descriptor:"
"""What the names of its columns begin with; then come the set's name and the value's."""

FILE_SCALE_FEATURES: Final = tables.INCOMPARABLE_FEATURES
"""What is measured otherwise in files; tempo, key and mode are the same everywhere."""

CATEGORICAL: Final = tables.CATEGORICAL_FEATURES
"""Key, mode and time signature are names, not quantities."""

_FIFTH: Final = 7
"""Semitones of a fifth: stepping by it, the 12 keys form a circle of related ones."""
_KEYS: Final = 12


class NumericFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # untyped there
    """Turn frames with (some of) the views' columns into a float32 matrix; NaN where unknown.

    Absent columns count as unknown; groups that are no numbers are passed over. The key stands
    twice: as a category and as a place on the circle of fifths. Whether any provider knew the
    track is a column of its own; *which* provider is not, for that tells where a track was
    fetched, not how it sounds. But what `FILE_SCALE_FEATURES` names is measured in files on other scales
    than in catalogues: there it stands in columns of its own (`own_energy`), and a model that
    learned from no file takes it for unknown.

    Descriptors are the columns called `descriptor:SET:NAME` (see `descriptor_column`) that there are
    in fitting; those of another set are not looked at.

    `one_hot=False` leaves each category in one column of codes (for trees that split by category,
    see `categorical`); `one_hot=True` gives each its own 0/1 column.
    """

    def __init__(
        self, groups: tuple[str, ...] = ("audio", "metadata"), *, one_hot: bool = False
    ) -> None:
        self.groups = groups
        self.one_hot = one_hot

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 - scikit-learn's names
        """Learn which categories, which descriptors and which measures of files there are."""
        self.descriptors_ = descriptor_columns(X) if DESCRIPTORS in self.groups else ()
        own = "audio" in self.groups and bool(_own_scale(X).any())
        self.file_scale_ = FILE_SCALE_FEATURES if own else ()
        known = [name for name in CATEGORICAL if name in self._inputs()]
        self.categories_ = {
            name: np.unique(values[np.isfinite(values)])
            for name in known
            for values in [numeric_column(X, name)]
        }
        self.blank_ = np.isnan(self._columns(X)).all(axis=0)
        return self

    def transform(self, X: pd.DataFrame) -> Matrix:
        """Return one row of numbers per row of `X`."""
        check_is_fitted(self)
        matrix = self._columns(X)
        matrix[:, self.blank_] = 0.0  # nothing was known in training: nothing to go by
        return matrix

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002 - scikit-learn's signature
        """Return the names of the columns."""
        check_is_fitted(self)
        names = list(self._plain())
        if "audio" in self.groups:
            names += ["fifths_sin", "fifths_cos", "has_audio"]
        for name, values in self.categories_.items():
            names += [f"{name}_{value:.0f}" for value in values] if self.one_hot else [name]
        names += [f"own_{name}" for name in self.file_scale_] + list(self.descriptors_)
        return np.asarray(names, dtype=object)

    @property
    def categorical(self) -> list[int]:
        """Return the places of the columns of category codes (none with `one_hot`)."""
        if self.one_hot or "audio" not in self.groups:
            return []
        first = len(self._plain()) + 3  # the circle of fifths and has_audio stand between
        return list(range(first, first + len(CATEGORICAL)))

    def _columns(self, X: pd.DataFrame) -> Matrix:
        own = _own_scale(X)
        columns: list[NDArray[Any]] = [
            np.where(own, np.nan, numeric_column(X, name))
            if name in FILE_SCALE_FEATURES
            else numeric_column(X, name)
            for name in self._plain()
        ]
        if "audio" in self.groups:
            angle = numeric_column(X, "key") * (_FIFTH * 2 * np.pi / _KEYS)
            columns += [np.sin(angle), np.cos(angle), _anything_known(X)]
        for name, values in self.categories_.items():
            columns += self._category(X, name, values)
        columns += [np.where(own, numeric_column(X, name), np.nan) for name in self.file_scale_]
        matrix = np.empty((len(X), len(columns) + len(self.descriptors_)), dtype=np.float32)
        for place, values in enumerate(columns):
            matrix[:, place] = values
        for place, column in enumerate(self.descriptors_, start=len(columns)):
            matrix[:, place] = numeric_column(X, column)
        return matrix

    def _inputs(self) -> list[str]:
        return [name for group in self.groups for name in COLUMNS.get(group, ())]

    def _plain(self) -> list[str]:
        return [name for name in self._inputs() if name not in CATEGORICAL]

    def _category(
        self, frame: pd.DataFrame, name: str, values: NDArray[np.float64]
    ) -> list[NDArray[Any]]:
        found = numeric_column(frame, name)
        if self.one_hot:
            return [found == value for value in values]
        if len(values) == 0:
            return [np.full(len(found), np.nan)]
        codes = np.searchsorted(values, found).clip(max=len(values) - 1)
        return [np.where(values[codes] == found, codes, np.nan)]


def numeric_column(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column as numbers; NaN where it is missing, infinite or no number at all."""
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    column = frame[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):  # booleans are numeric to pandas
        column = pd.to_numeric(column, errors="coerce")
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def descriptor_column(schema: str, name: str) -> str:
    """Return what a value of a set of descriptors is called as a column."""
    return f"{_DESCRIBED}{schema}:{name}"


def descriptor_columns(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns of a frame that are descriptors, in their order."""
    return tuple(str(name) for name in frame.columns if str(name).startswith(_DESCRIBED))


def mostly_from_files(frame: pd.DataFrame) -> bool:
    """Tell whether more rows carry measures of files than those of a catalogue."""
    own = _own_scale(frame)
    return bool(own.sum() > (_anything_known(frame) & ~own).sum())


def mask_other_scale(frame: pd.DataFrame, *, from_files: bool) -> pd.DataFrame:
    """Return the rows with what is measured on another scale unknown.

    For whatever lays tracks beside each other by their bare numbers.
    """
    other = _own_scale(frame) != from_files
    there = [name for name in FILE_SCALE_FEATURES if name in frame.columns]
    return frame.assign(**{name: frame[name].mask(other) for name in there})


def on_majority_scale(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows on the scale that more of them are on."""
    return mask_other_scale(frame, from_files=mostly_from_files(frame))


def _own_scale(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which rows carry measures of files rather than those of a catalogue."""
    if "provider" not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    told = frame["provider"].astype("string") == tables.AUDIO_PROVIDER
    return told.to_numpy(dtype=bool, na_value=False)


def _anything_known(frame: pd.DataFrame) -> NDArray[np.bool_]:
    known = np.zeros(len(frame), dtype=bool)
    for name in AUDIO:
        known |= np.isfinite(numeric_column(frame, name))
    return known

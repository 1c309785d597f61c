"""Which columns of the views each feature group reads."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from classifier.features import audio, sequences

TEXT: Final = ("title", "album", "artists")
HISTORY: Final = ("artists", "album")

AUDIO_ANALYSIS_GROUPS: Final = ("harmony", "timbre", audio.DESCRIPTORS)
"""What is only known of tracks whose sound was analysed: read from the database when asked for."""

MATRICES: Final = "matrices"
"""Figures over time, for networks that convolve; a column of bytes per kind (see `sequences`)."""

NUMERIC_GROUPS: Final = (*audio.COLUMNS, audio.DESCRIPTORS)
"""Groups that are numbers: what every estimator can look at."""

COLUMN_GROUPS: Final = (*NUMERIC_GROUPS, "text", "history")
"""Groups that are columns of the views."""

COLUMNS: Final = {
    **audio.COLUMNS,
    "audio": (*audio.AUDIO, "provider"),
    "text": TEXT,
    "history": HISTORY,
    MATRICES: (),
}
"""The provider tells on which scale the audio features are. Matrices are no columns of a view."""


def numeric_groups(features: Sequence[str]) -> tuple[str, ...]:
    """Return those of the groups that are numbers."""
    return tuple(group for group in features if group in NUMERIC_GROUPS)


def group_columns(group: str, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns that a group reads; those of descriptors are the ones `frame` has."""
    return audio.descriptor_columns(frame) if group == audio.DESCRIPTORS else COLUMNS[group]


def columns(features: Sequence[str], frame: pd.DataFrame) -> list[str]:
    """Return the columns that the groups read, each once."""
    return list(dict.fromkeys(name for group in features for name in group_columns(group, frame)))


def numeric_columns(features: Sequence[str], frame: pd.DataFrame) -> list[str]:
    """Return the columns with numbers that the numeric ones of the groups read."""
    return [name for name in columns(numeric_groups(features), frame) if name != "provider"]


def analysis_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns of a frame that are there because the sound was asked for."""
    names = [*columns(AUDIO_ANALYSIS_GROUPS, frame), *sequences.CHANNELS]
    return [name for name in names if name in frame.columns]

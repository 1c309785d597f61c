"""Feature groups: the view columns behind each of `--features`."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from classifier.features import audio, sequences

TEXT: Final = ("title", "album", "artists")
HISTORY: Final = ("artists", "album")

AUDIO_ANALYSIS_GROUPS: Final = ("harmony", "timbre", audio.ACOUSTICBRAINZ, audio.DESCRIPTORS)
"""Groups that only tracks with analysed audio have: read from the database on request."""

MATRICES: Final = "matrices"
"""Features over time, for convolutions; one column of bytes per kind (see `sequences`)."""

NUMERIC_GROUPS: Final = (*audio.COLUMNS, audio.DESCRIPTORS)
"""Groups of numbers: every estimator can use them."""

COLUMN_GROUPS: Final = (*NUMERIC_GROUPS, "text", "history")
"""Groups that are columns of the views."""

COLUMNS: Final = {
    **audio.COLUMNS,
    "audio": (*audio.AUDIO, "provider"),
    "text": TEXT,
    "history": HISTORY,
    MATRICES: (),
}
"""The provider determines the scale of the audio features. Matrices are no columns of a view."""


def numeric_groups(features: Sequence[str]) -> tuple[str, ...]:
    """Return the numeric ones of the groups."""
    return tuple(group for group in features if group in NUMERIC_GROUPS)


def group_columns(group: str, frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns of a group; those of descriptors are the ones in `frame`."""
    return audio.descriptor_columns(frame) if group == audio.DESCRIPTORS else COLUMNS[group]


def columns(features: Sequence[str], frame: pd.DataFrame) -> list[str]:
    """Return the columns of the groups, each once."""
    return list(dict.fromkeys(name for group in features for name in group_columns(group, frame)))


def numeric_columns(features: Sequence[str], frame: pd.DataFrame) -> list[str]:
    """Return the columns with numbers of the numeric ones of the groups."""
    return [name for name in columns(numeric_groups(features), frame) if name != "provider"]


def analysis_columns(frame: pd.DataFrame) -> list[str]:
    """Return the columns of a frame that were joined from audio analyses."""
    names = [*columns(AUDIO_ANALYSIS_GROUPS, frame), *sequences.CHANNELS]
    return [name for name in names if name in frame.columns]

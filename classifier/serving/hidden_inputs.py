"""Why a prediction: the model's probabilities for a track with groups of its inputs hidden."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from classifier.arrays import Floats
from classifier.data import dataset, rows_to_predict
from classifier.data.dataset import Database
from classifier.features import groups
from classifier.features.audio import METADATA
from classifier.serving.champion import LoadedModel
from classifier.training_config import TrainingConfig
from genrebase.errors import UserError
from genrebase.store.find import UnknownTrack

SOUND: Final = "sound"
"""The group of all numbers from audio: features, harmony, timbre, descriptors, spectrograms."""
ARTISTS: Final = "artists"
INPUT_GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    ARTISTS: ("artists",),
    "title": ("title",),
    "album": ("album",),
    "popularity": ("popularity",),
    "release": tuple(name for name in METADATA if name != "popularity"),
}
"""The columns of each group of inputs; all others that a model uses are `SOUND`."""


PredictRows = Callable[[pd.DataFrame], Floats]
"""Returns the probabilities (rows, genres) of a model."""


@dataclass(frozen=True, slots=True)
class HiddenPrediction:
    """What the model predicts for a track of which it gets some inputs only."""

    kind: str
    """`all`: everything is used; `without` the group, or `only` the group."""
    group: str | None
    """One of `INPUT_GROUPS`, or `SOUND`; None for `all`."""
    probabilities: Mapping[str, float]
    """The probability of each genre."""


def predict_with_hidden_inputs(
    database: Database, loaded: LoadedModel, text: str, predict: PredictRows
) -> list[HiddenPrediction]:
    """Return predictions for the track that `text` names, with groups of its inputs hidden.

    The first has all inputs. Then each group that the track has and the model uses is hidden, and
    at last the artists or the sound alone are used. Hidden values are missing values, for which
    every model has a rule; effects of several groups do not add up. `predict` runs the model.
    Raises `UnknownTrack`, and `UserError` for a training track.
    """
    track = dataset.find_track(database, text)
    if track is None:
        raise UnknownTrack(text)
    if np.isin(track, loaded.artifact.train_ids):
        raise UserError(
            "The champion was trained on this track, so it remembers it: only its stored "
            "prediction is out of fold."
        )
    config = TrainingConfig.from_model(loaded.model)
    frame = rows_to_predict.scoring_rows(database, np.array([track]), config)
    columns = _columns_by_group(frame, loaded.model.feature_schema["columns"])
    variants = list(_variants(columns))
    rows = pd.concat([frame] * len(variants), ignore_index=True)
    for name in {column for group in columns.values() for column in group}:
        is_hidden = [name in hidden for _kind, _group, hidden in variants]
        rows[name] = rows[name].mask(pd.Series(is_hidden))
    probabilities = predict(rows)
    return [
        HiddenPrediction(kind, group, dict(zip(loaded.classes, shares, strict=True)))
        for (kind, group, _hidden), shares in zip(variants, probabilities.tolist(), strict=True)
    ]


def _columns_by_group(frame: pd.DataFrame, used: Sequence[str]) -> dict[str, list[str]]:
    """Return the columns of each group that the model uses and the track has."""
    group_of = {name: group for group, names in INPUT_GROUPS.items() for name in names}
    columns: dict[str, list[str]] = {}
    for name in dict.fromkeys((*used, *groups.analysis_columns(frame))):
        if name in frame.columns and bool(frame[name].notna().any()):
            columns.setdefault(group_of.get(name, SOUND), []).append(name)
    if columns.get(SOUND) == ["provider"]:  # the name of a provider alone is no sound
        del columns[SOUND]
    return columns


def _variants(
    columns: Mapping[str, Sequence[str]],
) -> Iterator[tuple[str, str | None, frozenset[str]]]:
    """Yield the kind, the group and the hidden columns of each prediction."""
    every = frozenset(name for names in columns.values() for name in names)
    yield "all", None, frozenset()
    if len(columns) > 1:
        for group, names in columns.items():
            yield "without", group, frozenset(names)
        for group in (ARTISTS, SOUND):
            if group in columns:
                yield "only", group, every - frozenset(columns[group])

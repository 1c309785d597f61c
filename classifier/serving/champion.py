"""Load the champion for inference."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd

from classifier.arrays import Floats, Ids
from classifier.data import dataset
from classifier.errors import BrokenArtifact
from classifier.estimators.sibling_pooling import SiblingPool
from classifier.model_records import SIBLING_POOL, StoredModel
from classifier.registry import artifacts, stored_models
from genrebase.store import tables

GENRES_PER_TRACK: Final = tables.PREDICTIONS_PER_TRACK


@dataclass(frozen=True)
class LoadedModel:
    """A model that can predict: its row, and its artifact."""

    model: StoredModel
    artifact: artifacts.ModelArtifact

    @property
    def classes(self) -> tuple[str, ...]:
        """Return its genres, in the order of its probabilities."""
        return self.model.classes

    @cached_property
    def sibling_pool(self) -> SiblingPool:
        """Return the weights for siblings."""
        return SiblingPool.from_json(self.model.feature_schema[SIBLING_POOL])

    @cached_property
    def genre_ids(self) -> Ids:
        """Return the ids of its genres, in the same order."""
        return np.array(self.model.feature_schema["genre_ids"], dtype=np.int64)

    def predict_proba(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a probability per row of `frame` (same index) and genre (a column each).

        The columns are those of the views; `model.feature_schema["columns"]` are used, and others
        are ignored. An absent column or NULL counts as missing.
        """
        probabilities = self.artifact.estimator.predict_proba(frame)
        return pd.DataFrame(probabilities, index=frame.index, columns=list(self.classes))


def load(database: dataset.Database, model: StoredModel) -> LoadedModel:
    """Load a model; raise `BrokenArtifact` if it cannot be used."""
    return LoadedModel(
        model, artifacts.load_model(model, stored_models.artifact(database, model.id))
    )


def serving_model(database: dataset.Database, champion: StoredModel) -> LoadedModel:
    """Load the model that predicts music outside the database: the champion's latest refit.

    Without a usable refit it is the champion itself.
    """
    for model in stored_models.models(database, champion.task):
        if model.status == "refit" and model.parent_id == champion.id:
            try:
                return load(database, model)
            except BrokenArtifact:
                continue
    return load(database, champion)


def top_k(probabilities: Floats, genres: Ids) -> tuple[Ids, Floats]:
    """Return per row the ids and probabilities of the five best genres, the best first."""
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :GENRES_PER_TRACK]
    best = np.take_along_axis(probabilities, order, axis=1)
    return genres[order], best.clip(0.0, 1.0)

"""Explain a model by its feature importance, or a genre by its effect sizes; store both."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from classifier.config_options import check_value
from classifier.data import dataset, regimes
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.features import audio, groups
from classifier.findings import effect_sizes, held_out, store
from classifier.findings.effect_sizes import EffectSize
from classifier.findings.importance import Importance, PermutationImportance
from classifier.training_config import TrainingConfig
from genrebase.progress import ProgressCallback, no_progress
from genrebase.runtime.clock import Clock

EXPLAINED_SIDES: Final = ("validation", "test")


@dataclass(frozen=True, slots=True)
class ModelExplanation:
    """The feature importance of a model; the fields are the keys of `explain --json`."""

    model: int
    task: str
    origin: str | None
    side: str
    repeats: int
    found: tuple[Importance, ...]

    def overall(self, kind: str, regime: str) -> list[Importance]:
        """Return the rows of one kind over all genres, the most important first.

        Single groups keep their order: everything first, then audio.
        """
        rows = [
            one for one in self.found if (one.kind, one.genre, one.regime) == (kind, None, regime)
        ]
        if kind == "alone":
            return rows
        return sorted(rows, key=lambda one: (-one.importance, one.feature))


def explain_model(
    database: Database,
    number: int | None,
    *,
    task: str = "main",
    side: str = "validation",
    repeats: int = 3,
    sample: int = 2_000,
    seed: int = 0,
    progress: ProgressCallback = no_progress,
) -> ModelExplanation:
    """Compute and store the feature importance of a model (None: the champion).

    It uses at most `sample` tracks of each regime, and permutes every column `repeats` times.
    """
    check_value("side", side, EXPLAINED_SIDES)
    held_out_model = held_out.load_held_out(database, number, task, side)
    tracks, model = held_out_model.tracks.sample(sample, seed=seed), held_out_model.model
    columns = {
        group: groups.group_columns(group, tracks.frame)
        for group in TrainingConfig.from_model(model).features
    }
    estimator = held_out_model.loaded_model.artifact.estimator
    importance = PermutationImportance(estimator, tracks, columns, repeats=repeats, seed=seed)
    rows = (*importance.baseline(), *importance.expert_ablation(), *importance.compute(progress))
    store.store_importances(database, model.id, side, rows, held_out_model.genre_ids)
    return ModelExplanation(model.id, model.task, model.origin, side, repeats, rows)


@dataclass(frozen=True, slots=True)
class GenreComparison:
    """How the features of a genre differ from those of another."""

    genre: str
    against: str | None
    """None: all others."""
    tracks: int
    other_tracks: int
    origin: str | None
    effects: Sequence[EffectSize]

    @property
    def others_name(self) -> str:
        """Return the name of the other group."""
        return self.against or "the others"

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `explain --genre`."""
        fields = {name: value for name, value in asdict(self).items() if name != "effects"}
        return {
            **fields,
            "effect": "Cliff's delta",
            "features": [{**asdict(one), "size": one.size} for one in self.effects],
            "sentences": effect_sizes.describe_effects(self.effects, self.genre, self.others_name),
        }


def explain_genre(
    database: Database, name: str, against: str | None, clock: Clock, *, seed: int = 0
) -> GenreComparison:
    """Compute and store the effect size of each feature between a genre and another.

    None: all others. Raise `BadTrainingConfig` for a genre without a track.
    """
    raw = dataset.load_dataset(database)
    labels = raw.tracks["label"].to_numpy(dtype=str)
    for genre in (name, against):
        if genre is not None and not (labels == genre).any():
            labelled = ", ".join(np.unique(labels)) or "none"
            raise BadTrainingConfig(
                f"No labelled track has the genre {genre!r}. There are: {labelled}."
            )
    if name == against:
        raise BadTrainingConfig(f"{name!r} cannot be compared with itself: name two genres.")
    rows = np.isin(labels, np.unique(labels) if against is None else [name, against])
    tracks, group = audio.on_majority_scale(raw.tracks[rows]), labels[rows] == name
    if group.all():
        raise TooFewTracks(f"There is no other genre than {name!r} to compare it with.")
    artists = regimes.primary_artists(regimes.ids_of(tracks), raw.credits)
    effects = effect_sizes.compare_groups(tracks, artists, group, seed=seed)
    other = None if against is None else raw.genre_ids[against]
    store.store_traits(database, raw.genre_ids[name], other, effects, clock.now())
    n = int(group.sum())
    return GenreComparison(name, against, n, len(group) - n, raw.origin, effects)

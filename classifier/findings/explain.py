"""What a model's answers hang on, and what sets a genre apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from classifier import threads
from classifier.data import dataset, regimes
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.features import audio, groups
from classifier.findings import effect_sizes, held_out
from classifier.findings import store as findings
from classifier.findings.effect_sizes import EffectSize
from classifier.findings.importance import Importance, PermutationImportance
from classifier.training_config import TrainingConfig
from genrebase.progress import ProgressCallback, no_progress
from genrebase.runtime.clock import Clock

SIDES: Final = ("validation", "test")


@dataclass(frozen=True, slots=True)
class ModelExplanation:
    """What a model's answers hang on."""

    model: int
    task: str
    origin: str | None
    side: str
    repeats: int
    importances: tuple[Importance, ...]

    def overall(self, kind: str, regime: str) -> list[Importance]:
        """Return the rows over all genres of one kind.

        The most important first; of what is known alone everything first, then the sound.
        """
        rows = [
            one
            for one in self.importances
            if (one.kind, one.genre, one.regime) == (kind, None, regime)
        ]
        if kind == "alone":
            return rows
        return sorted(rows, key=lambda one: (-one.importance, one.feature))

    def as_json(self) -> dict[str, Any]:
        """Return what `explain --json` shows."""
        return {
            "model": self.model,
            "task": self.task,
            "origin": self.origin,
            "side": self.side,
            "repeats": self.repeats,
            "found": [
                {
                    "regime": one.regime,
                    "genre": one.genre,
                    "kind": one.kind,
                    "feature": one.feature,
                    "importance": one.importance,
                    "interval": None
                    if one.interval is None
                    else [one.interval.low, one.interval.high],
                    "loss": one.loss,
                    "n": one.n,
                }
                for one in self.importances
            ],
        }


def explain_model(
    database: Database,
    number: int | None,
    *,
    task: str = "main",
    side: str = "validation",
    repeats: int = 3,
    sample: int = 2_000,
    seed: int = 0,
    cores: int | None = None,
    progress: ProgressCallback = no_progress,
) -> ModelExplanation:
    """Find out, and store, what the answers of a model (None: the champion) hang on.

    On at most `sample` tracks of each regime; every column is dealt out anew `repeats` times.
    """
    if side not in SIDES:
        raise BadTrainingConfig(f"There is no side {side!r}. Known: {', '.join(SIDES)}.")
    examined = held_out.load_held_out(database, number, task, side)
    asked = examined.tracks.sample(sample, seed=seed)
    estimator, row = examined.champion.artifact.estimator, examined.model
    looked_at = {
        name: groups.group_columns(name, asked.frame)
        for name in TrainingConfig.from_model(row).features
    }
    with threads.limit_threads(cores or threads.idle_cores()):
        asking = PermutationImportance(estimator, asked, looked_at, repeats=repeats, seed=seed)
        found = [*asking.baseline(), *asking.expert_ablation(), *asking.compute(progress)]
    findings.store_importances(database, row.id, side, found, examined.genre_ids)
    return ModelExplanation(row.id, row.task, row.origin, side, repeats, tuple(found))


@dataclass(frozen=True, slots=True)
class GenreComparison:
    """What sets a genre apart."""

    genre: str
    against: str | None
    """None: all others."""
    tracks: int
    other_tracks: int
    origin: str | None
    effects: Sequence[EffectSize]

    @property
    def others_name(self) -> str:
        """Return what people call the other side."""
        return self.against or "the others"

    def as_json(self) -> dict[str, Any]:
        """Return what `explain --genre --json` shows."""
        return {
            "genre": self.genre,
            "against": self.against,
            "tracks": self.tracks,
            "other_tracks": self.other_tracks,
            "origin": self.origin,
            "effect": "Cliff's delta",
            "features": [
                {
                    "feature": one.feature,
                    "delta": one.delta,
                    "interval": None
                    if one.interval is None
                    else [one.interval.low, one.interval.high],
                    "size": one.size,
                    "value": one.value,
                    "other_value": one.other_value,
                    "n": one.n,
                    "other_n": one.other_n,
                }
                for one in self.effects
            ],
            "sentences": effect_sizes.describe_effects(self.effects, self.genre, self.others_name),
        }


def explain_genre(
    database: Database, name: str, against: str | None, clock: Clock, *, seed: int = 0
) -> GenreComparison:
    """Find out, and store, what sets the tracks of a genre apart from those of another.

    Against all others where none is named. Raise `BadTrainingConfig` for a genre that has no track.
    """
    found = dataset.load_dataset(database)
    labels = found.tracks["label"].to_numpy(dtype=str)
    for one in (name, against):
        if one is not None and not (labels == one).any():
            known = ", ".join(np.unique(labels)) or "none"
            raise BadTrainingConfig(
                f"No labelled track has the genre {one!r}. There are: {known}."
            )
    if name == against:
        raise BadTrainingConfig(f"{name!r} against itself: name two genres.")
    sides = np.unique(labels) if against is None else [name, against]
    chosen = np.isin(labels, sides)
    tracks = audio.on_majority_scale(found.tracks[chosen])
    group = labels[chosen] == name
    if group.all():
        raise TooFewTracks(f"There is no other genre than {name!r} to compare it with.")
    artists = regimes.primary_artists(
        tracks["track_id"].to_numpy(dtype=np.int64),
        found.credits["track_id"].to_numpy(dtype=np.int64),
        found.credits["artist_id"].to_numpy(dtype=np.int64),
        found.credits["position"].to_numpy(dtype=np.int64),
    )
    apart = effect_sizes.compare_groups(tracks, artists, group, seed=seed)
    other = None if against is None else found.genre_ids[against]
    findings.store_traits(database, found.genre_ids[name], other, apart, clock.now())
    ours = int(group.sum())
    return GenreComparison(name, against, ours, len(group) - ours, found.origin, apart)

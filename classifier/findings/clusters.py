"""Clusters of the sound, held against the genres: ask for some, score them, store them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from classifier.data import audio_joins, dataset
from classifier.data import training_data as selecting
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.features import audio
from classifier.features.groups import AUDIO_ANALYSIS_GROUPS
from classifier.findings import clustering
from classifier.findings import store as findings
from classifier.findings.clustering import ClusterScores, Method
from classifier.findings.effect_sizes import CONTINUOUS_FEATURES
from classifier.training_config import TrainingConfig
from genrebase.runtime.clock import Clock

DEFAULT_NAME: Final = "last"
"""The name of a clustering that was given none: the next one takes its place."""
CLUSTERING_GROUPS: Final = {
    "audio": CONTINUOUS_FEATURES,
    "metadata": audio.METADATA,
    "harmony": audio.HARMONY,
    "timbre": audio.TIMBRE,
    audio.DESCRIPTORS: (audio.DESCRIPTORS,),
}
"""What the names of groups stand for here: quantities, between which there are distances."""
DESCRIPTOR_VARIANCE: Final = 0.97
"""Of hundreds of descriptors many say the same: so much of their variance is kept."""
_COLUMNS: Final = (*audio.AUDIO, *audio.METADATA, *audio.HARMONY, *audio.TIMBRE)


@dataclass(frozen=True, slots=True)
class ClusteringResult:
    """A clustering, and how it lies to the genres."""

    name: str
    method: Method
    params: dict[str, Any]
    features: tuple[str, ...]
    genres: tuple[str, ...]
    tracks: int
    eligible: int
    """Tracks there were; more than `tracks` where a sample was clustered."""
    scores: ClusterScores
    crosstab: pd.DataFrame
    """Tracks per cluster (rows) and genre (columns)."""
    origin: str | None

    def as_json(self) -> dict[str, Any]:
        """Return what `clusters --json` shows."""
        return {
            "name": self.name,
            "method": self.method,
            "params": self.params,
            "features": list(self.features),
            "genres": list(self.genres),
            "tracks": self.tracks,
            "chosen": self.eligible,
            "clusters": self.scores.clusters,
            "noise": self.scores.noise,
            "ari": self.scores.ari,
            "nmi": self.scores.nmi,
            "purity": self.scores.purity,
            "silhouette": self.scores.silhouette,
            "crosstab": [
                {
                    "cluster": int(number),
                    "genres": {genre: int(n) for genre, n in row.items() if n},
                }
                for number, row in zip(
                    self.crosstab.index, self.crosstab.to_dict("records"), strict=True
                )
            ],
            "origin": self.origin,
        }


def resolve_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that feature groups and features stand for; raise `BadTrainingConfig`.

    `descriptors` stays: which these are, the database knows.
    """
    found: list[str] = []
    for name in names:
        if name not in CLUSTERING_GROUPS and name not in _COLUMNS:
            known = ", ".join((*CLUSTERING_GROUPS, *audio.AUDIO, *audio.METADATA))
            raise BadTrainingConfig(f"There is no feature {name!r} to cluster by. Known: {known}.")
        found += CLUSTERING_GROUPS.get(name, (name,))
    return tuple(dict.fromkeys(found))


def run(
    database: Database,
    choice: TrainingConfig,
    clock: Clock,
    *,
    method: Method = "kmeans",
    features: Sequence[str] = CONTINUOUS_FEATURES,
    clusters: int | None = None,
    eps: float | None = None,
    sample: int | None = None,
    name: str = DEFAULT_NAME,
) -> ClusteringResult:
    """Cluster the labelled tracks that `choice` asks for, by columns; store and return it.

    As many `clusters` as genres unless told; at most `sample` tracks (default: what the method
    can take, see `clustering.MAX_TRACKS`). Tracks of which nothing is known are left out. Where the
    choice asks for principal components these are clustered; descriptors always are so.
    """
    if method not in clustering.METHODS:
        known = ", ".join(clustering.METHODS)
        raise BadTrainingConfig(f"There is no method {method!r}. Known: {known}.")
    choice = audio_joins.resolve_features(database, _heard(choice, features))
    found = dataset.load_dataset(database, choice)
    try:
        selection = selecting.split_dataset(found, choice)
    except TooFewTracks as error:
        raise TooFewTracks(str(error).replace(" to train:", " to cluster:")) from None
    tracks = audio.on_majority_scale(selection.tracks)
    looked_at = _looked_at(features, tracks)
    known_of = np.column_stack(
        [np.isfinite(audio.numeric_column(tracks, column)) for column in looked_at]
    ).any(axis=1)
    rows = np.flatnonzero(selection.in_task & known_of)
    if len(rows) < 2:
        raise TooFewTracks("No two tracks have any of these features: run `collector enrich`.")
    most = clustering.MAX_TRACKS[method] if sample is None else sample
    chosen = rows
    if len(rows) > most:
        chosen = np.sort(np.random.default_rng(choice.seed).choice(rows, most, replace=False))
    labels = selection.labels[chosen]
    points = clustering.feature_matrix(tracks.iloc[chosen], looked_at)
    components = choice.preprocessing.components
    if components is None and audio.DESCRIPTORS in features:
        components = DESCRIPTOR_VARIANCE
    if components is not None:
        points = clustering.principal_components(points, components)
    wanted = len(np.unique(labels)) if clusters is None else clusters
    codes, params = clustering.cluster(points, method, clusters=wanted, eps=eps, seed=choice.seed)
    if components is not None:
        params = {**params, "components": points.shape[1]}
    done = ClusteringResult(
        name=name,
        method=method,
        params=params,
        features=tuple(features),
        genres=selection.classes,
        tracks=len(chosen),
        eligible=len(rows),
        scores=clustering.agreement_scores(points, codes, labels, seed=choice.seed),
        crosstab=clustering.crosstab(codes, labels),
        origin=found.origin,
    )
    members = [
        (int(track), int(code), found.genre_ids[label])
        for track, code, label in zip(selection.ids[chosen], codes, labels, strict=True)
        if label in found.genre_ids
    ]
    findings.store_clustering(database, _stored(done, clock), members)
    return done


def _heard(choice: TrainingConfig, features: Sequence[str]) -> TrainingConfig:
    """Return a choice that looks at what has to be heard of these columns, and nothing else."""
    groups = tuple(
        group for group in AUDIO_ANALYSIS_GROUPS if set(CLUSTERING_GROUPS[group]) & set(features)
    )
    return replace(choice, features=groups, auto_features=False)


def _looked_at(features: Sequence[str], tracks: pd.DataFrame) -> list[str]:
    described = audio.descriptor_columns(tracks)
    return [
        column
        for name in features
        for column in (described if name == audio.DESCRIPTORS else (name,))
    ]


def _stored(done: ClusteringResult, clock: Clock) -> dict[str, Any]:
    values = done.as_json()
    return {
        **{name: values[name] for name in values if name not in {"crosstab", "origin"}},
        "created_at": clock.now(),
    }

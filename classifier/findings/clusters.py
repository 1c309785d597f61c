"""Cluster the labelled tracks by their features, compare with the genres, and store the result."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import numpy as np

from classifier.arrays import Floats
from classifier.config_options import check_value
from classifier.data import audio_joins, dataset, training_data
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.features import audio
from classifier.features.groups import AUDIO_ANALYSIS_GROUPS
from classifier.findings import clustering, store
from classifier.findings.clustering import ClusterScores, Method
from classifier.findings.effect_sizes import CONTINUOUS_FEATURES
from classifier.training_config import TrainingConfig
from genrebase.counts import agree, counted
from genrebase.runtime.clock import Clock

DEFAULT_NAME: Final = "last"
"""The name of a clustering without one; the next one replaces it."""
CLUSTERING_GROUPS: Final = {
    "audio": CONTINUOUS_FEATURES,
    "metadata": audio.METADATA,
    "harmony": audio.HARMONY,
    "timbre": audio.TIMBRE,
    audio.ACOUSTICBRAINZ: audio.COLUMNS[audio.ACOUSTICBRAINZ],
    audio.DESCRIPTORS: (audio.DESCRIPTORS,),
}
"""Columns of each group: continuous features only, because clustering needs distances."""
DESCRIPTOR_VARIANCE: Final = 0.97
"""Share of variance kept: hundreds of descriptors are redundant."""
MAX_CLUSTERS: Final = 1_000
"""Maximum of --clusters: 114,000 tracks to so many centres are a gigabyte of distances."""

_COLUMNS: Final = tuple(name for names in audio.COLUMNS.values() for name in names)


@dataclass(frozen=True, slots=True)
class ClusteringSettings:
    """The options of a clustering."""

    features: Sequence[str] = CONTINUOUS_FEATURES
    method: Method = "kmeans"
    clusters: int | None = None
    """None: the number of genres."""
    eps: float | None = None
    sample: int | None = None
    """Maximum number of tracks; None: what the method can take (`clustering.MAX_TRACKS`)."""
    name: str = DEFAULT_NAME


@dataclass(frozen=True, slots=True)
class ClusteringResult:
    """A clustering and its agreement with the genres."""

    name: str
    method: Method
    params: dict[str, Any]
    features: tuple[str, ...]
    genres: tuple[str, ...]
    tracks: int
    chosen: int
    """Tracks available; more than `tracks` if a sample was clustered."""
    scores: ClusterScores
    crosstab: list[dict[str, Any]]
    """Each `cluster` with its `genres` and their numbers of tracks."""
    origin: str | None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `clusters`: the fields, and the scores as such."""
        fields = asdict(self)
        scores = fields.pop("scores")
        return {**fields, **scores}


def resolve_columns(names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of feature groups and features; raise `BadTrainingConfig`.

    `descriptors` is resolved later, from the database.
    """
    columns: list[str] = []
    for name in names:
        if name not in CLUSTERING_GROUPS and name not in _COLUMNS:
            allowed = ", ".join((*CLUSTERING_GROUPS, *audio.AUDIO, *audio.METADATA))
            raise BadTrainingConfig(
                f"There is no feature {name!r} to cluster by. Known: {allowed}."
            )
        columns += CLUSTERING_GROUPS.get(name, (name,))
    return tuple(dict.fromkeys(columns))


def _check_options(settings: ClusteringSettings, config: TrainingConfig) -> None:
    """Raise `BadTrainingConfig` for an unknown method, or an option that it does not use."""
    method = settings.method
    check_value("method", method, clustering.METHODS)
    if settings.eps is not None and method != "dbscan":
        raise BadTrainingConfig(f"--eps applies to --method dbscan only, not to {method}.")
    if settings.clusters is not None and method not in clustering.FIXED_COUNT_METHODS:
        methods = " and ".join(clustering.FIXED_COUNT_METHODS)
        raise BadTrainingConfig(
            f"--clusters applies to the methods {methods} only: {method} determines the number."
        )
    if config.descriptors is not None and audio.DESCRIPTORS not in settings.features:
        raise BadTrainingConfig("--descriptors applies to --features descriptors only: add that.")
    if settings.clusters is not None and settings.clusters > MAX_CLUSTERS:
        raise BadTrainingConfig(
            f"--clusters is at most {MAX_CLUSTERS:,}, not {settings.clusters:,}: nobody reads "
            "more, and the distances to their centres would fill the memory."
        )


def _check_cluster_count(clusters: int | None, points: Floats) -> None:
    if clusters is not None and clusters > (distinct := len(np.unique(points, axis=0))):
        raise BadTrainingConfig(
            f"{counted(clusters, 'cluster')} {agree(clusters, 'was', 'were')} requested, and "
            f"{counted(len(points), 'track')} have {distinct:,} different values of these "
            "features: lower --clusters."
        )


def run(
    database: Database,
    config: TrainingConfig,
    clock: Clock,
    settings: ClusteringSettings = ClusteringSettings(),
) -> ClusteringResult:
    """Cluster the labelled tracks of `config` by their features, and store the result.

    Tracks without any of the features are left out. Principal components are clustered if the
    config has them; always for descriptors.
    """
    method, features, sample = settings.method, settings.features, settings.sample
    _check_options(settings, config)
    groups = tuple(
        group for group in AUDIO_ANALYSIS_GROUPS if set(CLUSTERING_GROUPS[group]) & set(features)
    )
    config = replace(config, features=groups, auto_features=False)
    config = audio_joins.resolve_features(database, config)
    raw = dataset.load_dataset(database, config)
    try:
        split = training_data.split_dataset(raw, config)
    except TooFewTracks as error:
        raise TooFewTracks(str(error).replace(" to train:", " to cluster:")) from None
    tracks = audio.on_majority_scale(split.tracks)
    names = [
        column
        for name in features
        for column in (audio.descriptor_columns(tracks) if name == audio.DESCRIPTORS else (name,))
    ]
    values = np.column_stack([audio.numeric_column(tracks, column) for column in names])
    rows = np.flatnonzero(split.in_task & np.isfinite(values).any(axis=1))
    if len(rows) < 2:
        raise TooFewTracks("No two tracks have any of these features: run `collector enrich`.")
    chosen, maximum = len(rows), clustering.MAX_TRACKS[method] if sample is None else sample
    if chosen > maximum:
        rows = np.sort(np.random.default_rng(config.seed).choice(rows, maximum, replace=False))
    labels = split.labels[rows]
    points = clustering.feature_matrix(tracks.iloc[rows], names)
    components = config.preprocessing.components
    if components is None and audio.DESCRIPTORS in features:
        components = DESCRIPTOR_VARIANCE
    if components is not None:
        points = clustering.principal_components(points, components)
    _check_cluster_count(settings.clusters, points)
    codes, params = clustering.cluster(
        points,
        method,
        clusters=settings.clusters or len(np.unique(labels)),
        eps=settings.eps,
        seed=config.seed,
    )
    if components is not None:
        params = {**params, "components": points.shape[1]}
    result = ClusteringResult(
        name=settings.name,
        method=method,
        params=params,
        features=tuple(features),
        genres=split.classes,
        tracks=len(rows),
        chosen=chosen,
        scores=clustering.agreement_scores(points, codes, labels, seed=config.seed),
        crosstab=[
            {"cluster": number, "genres": {genre: n for genre, n in row.items() if n}}
            for number, row in clustering.crosstab(codes, labels).to_dict("index").items()
        ],
        origin=raw.origin,
    )
    members = [
        (int(track), int(code), raw.genre_ids[label])
        for track, code, label in zip(split.ids[rows], codes, labels, strict=True)
        if label in raw.genre_ids
    ]
    columns = {
        column: value
        for column, value in result.as_json().items()
        if column not in {"crosstab", "origin"}
    }
    store.store_clustering(database, {**columns, "created_at": clock.now()}, members)
    return result

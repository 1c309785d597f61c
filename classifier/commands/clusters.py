"""The command `classifier clusters`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from classifier import threads
from classifier.commands.training_options import with_training_options
from classifier.config_options import parse_list
from classifier.settings import ClassifierSettings
from classifier.training_config import TrainingConfig
from genrebase.counts import counted
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.clusters import ClusteringResult

_MAX_GENRES = 3
_MIN_SHARE: Final = 0.005
"""Smaller shares would be rounded to 0%."""
_MAX_CLUSTERS = 30


_UNUSED = (
    *("task", "estimator", "features", "per_genre", "params"),
    *("scaling", "outliers", "balance"),
)
"""Options of training only."""


@with_training_options(without=_UNUSED)
def clusters(
    config: TrainingConfig,
    method: Annotated[
        str, typer.Option(help="kmeans, agglomerative (Ward), dbscan or hdbscan.")
    ] = "kmeans",
    count: Annotated[
        int | None,
        typer.Option(
            "--clusters",
            min=2,
            help="Number of clusters for kmeans, agglomerative (default: number of genres).",
        ),
    ] = None,
    eps: Annotated[
        float | None,
        typer.Option(min=0.0, help="Radius of DBSCAN (default: estimated from the data)."),
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            help="Features: audio, metadata, harmony, timbre, acousticbrainz, descriptors, or "
            "columns such as energy,tempo."
        ),
    ] = "audio",
    sample: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Maximum number of tracks (default: kmeans 200,000; agglomerative 5,000; "
            "dbscan and hdbscan 20,000).",
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            help="Name of the stored clustering; an earlier one of this name is replaced."
        ),
    ] = "last",
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Cluster tracks by their features, without labels, and compare the clusters with the genres.

    Results: views `cluster_genres` (crosstab), `cluster_tracks`.

    Examples:
      classifier clusters --method kmeans --clusters 5
    """
    threads.configure_openmp()
    from classifier.commands import interrupts, model_tables
    from classifier.findings import clusters as clustering
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    columns = clustering.resolve_columns(parse_list(features))
    cores = ClassifierSettings.load().threads or threads.idle_cores()
    with output.on_interrupt(lambda: interrupts.NOTHING_STORED), threads.limit_threads(cores):
        result = clustering.run(
            connect(),
            config,
            SystemClock(),
            clustering.ClusteringSettings(
                columns, cast("Any", method), count, eps or None, sample, name
            ),
        )
    _print_result(output, result)
    model_tables.print_origin(output, result.origin)
    output.write_json(result.as_json())


def _print_result(output: Output, result: "ClusteringResult") -> None:
    params = ", ".join(
        f"{name}={value:.4g}" for name, value in result.params.items() if name != "linkage"
    )
    output.print(
        f"{result.method} ({params}) on {counted(result.tracks, 'track')} by "
        f"{', '.join(result.features)}."
    )
    if result.tracks < result.chosen:
        output.print(f"A sample: there are {counted(result.chosen, 'track')}.")
    scores = result.scores
    output.table(
        "Clusters and genres",
        ("measure", "value"),
        (
            ("clusters", scores.clusters),
            ("tracks in no cluster", scores.noise),
            ("adjusted Rand index", scores.ari),
            ("normalised mutual information", scores.nmi),
            ("purity", scores.purity),
            ("silhouette", scores.silhouette),
        ),
    )
    output.table("Genres of the clusters", ("cluster", "tracks", "genres"), _crosstab(result))
    output.print(f"Stored as {result.name!r}: see the views cluster_genres and cluster_tracks.")


def _crosstab(result: "ClusteringResult") -> Iterator[tuple[object, ...]]:
    for row in result.crosstab[:_MAX_CLUSTERS]:
        cluster, tracks = row["cluster"], row["genres"]
        ordered = sorted(tracks.items(), key=lambda item: (-item[1], item[0]))
        total = sum(tracks.values())
        genres = [f"{genre} {_share(count / total)}" for genre, count in ordered[:_MAX_GENRES]]
        yield ("none" if cluster < 0 else cluster, total, ", ".join(genres))


def _share(share: float) -> str:
    """Return a share above 0 in percent."""
    return f"{share:.0%}" if share >= _MIN_SHARE else "<1%"

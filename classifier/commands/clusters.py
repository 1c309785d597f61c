"""The command `classifier clusters`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from classifier import threads
from classifier.commands.training_options import with_training_options
from classifier.settings import ClassifierSettings
from classifier.training_config import TrainingConfig, parse_list
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.clusters import ClusteringResult

_GENRES_SHOWN = 3
_CLUSTERS_SHOWN = 30


_UNUSED = (
    *("task", "estimator", "features", "per_genre", "params"),
    *("scaling", "outliers", "balance"),
)
"""Nothing is learned here: what only a training looks at."""


@with_training_options(without=_UNUSED)
def clusters(
    choice: TrainingConfig,
    method: Annotated[
        str, typer.Option(help="kmeans, agglomerative (Ward), dbscan or hdbscan.")
    ] = "kmeans",
    count: Annotated[
        int | None,
        typer.Option(
            "--k", min=2, help="How many clusters (k-means, agglomerative) [the genres]."
        ),
    ] = None,
    eps: Annotated[
        float | None, typer.Option(min=0.0, help="How near is near (DBSCAN) [from the data].")
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            help="By what: audio, metadata, harmony, timbre, descriptors, or columns such as "
            "energy,tempo."
        ),
    ] = "audio",
    sample: Annotated[
        int | None,
        typer.Option(
            min=2, help="At most so many tracks [agglomerative 5,000, DBSCAN and HDBSCAN 20,000]."
        ),
    ] = None,
    name: Annotated[
        str, typer.Option(help="Store it under this name, in the place of one that has it.")
    ] = "last",
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Cluster tracks by how they sound, without their labels, and hold the clusters against these.

    Stored as views `cluster_genres` (the crosstab) and `cluster_tracks`.
    """
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.findings import clusters as clustering
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    columns = clustering.resolve_columns(parse_list(features))
    cores = ClassifierSettings.load().threads or threads.idle_cores()
    with output.on_interrupt(lambda: interrupts.NOTHING_STORED), threads.limit_threads(cores):
        done = clustering.run(
            connect(),
            choice,
            SystemClock(),
            method=cast("Any", method),
            features=columns,
            clusters=count,
            eps=eps or None,
            sample=sample,
            name=name,
        )
    _show(output, done)
    tables.print_origin(output, done.origin)
    output.write_json(done.as_json())


def _show(output: Output, done: "ClusteringResult") -> None:
    told = ", ".join(
        f"{name}={value:.4g}" for name, value in done.params.items() if name != "linkage"
    )
    output.print(
        f"{done.method} ({told}) on {done.tracks:,} tracks by {', '.join(done.features)}."
    )
    if done.tracks < done.eligible:
        output.print(f"A sample: there are {done.eligible:,} tracks.")
    scores = done.scores
    output.table(
        "Clusters and genres",
        ("", ""),
        (
            ("clusters", scores.clusters),
            ("tracks in none", scores.noise),
            ("adjusted Rand index", scores.ari),
            ("normalised mutual information", scores.nmi),
            ("purity", scores.purity),
            ("silhouette", scores.silhouette),
        ),
    )
    output.table("", ("cluster", "tracks", "genres"), _crosstab(done))
    output.print(f"Stored as {done.name!r}: see the views cluster_genres and cluster_tracks.")


def _crosstab(done: "ClusteringResult") -> Iterator[tuple[object, ...]]:
    shown = done.crosstab.iloc[:_CLUSTERS_SHOWN]
    for number, row in zip(shown.index, shown.to_dict("records"), strict=True):
        ordered = sorted(row.items(), key=lambda item: (-item[1], str(item[0])))
        total = sum(row.values())
        most = [
            f"{genre} {count / total:.0%}" for genre, count in ordered[:_GENRES_SHOWN] if count
        ]
        yield ("none" if number < 0 else int(number), int(total), ", ".join(most))

"""The command `classifier clusters`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from classifier import bootstrap, threads
from classifier.commands.options import with_choice
from classifier.records import Choice
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.clusters import Clustered

_GENRES_SHOWN = 3
_CLUSTERS_SHOWN = 30


_UNUSED = (
    *("task", "estimator", "features", "per_genre", "params"),
    *("scaling", "outliers", "balance"),
)
"""Nothing is learned here: what only a training looks at."""


@with_choice(without=_UNUSED)
def clusters(
    choice: Choice,
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
    threads.settle()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.commands import interrupts, tables
    from classifier.findings import clusters as clustering
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output = Output(as_json=as_json)
    columns = clustering.columns(bootstrap.listed(features))
    cores = bootstrap.load_settings().threads or threads.unused()
    with output.if_stopped(lambda: interrupts.AS_IT_WAS), threads.capped(cores):
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
    tables.show_origin(output, done.origin)
    output.document(done.as_json())


def _show(output: Output, done: "Clustered") -> None:
    told = ", ".join(
        f"{name}={value:.4g}" for name, value in done.params.items() if name != "linkage"
    )
    output.say(f"{done.method} ({told}) on {done.tracks:,} tracks by {', '.join(done.features)}.")
    if done.tracks < done.chosen:
        output.say(f"A sample: there are {done.chosen:,} tracks.")
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
    output.say(f"Stored as {done.name!r}: see the views cluster_genres and cluster_tracks.")


def _crosstab(done: "Clustered") -> Iterator[tuple[object, ...]]:
    shown = done.table.iloc[:_CLUSTERS_SHOWN]
    for number, row in zip(shown.index, shown.to_dict("records"), strict=True):
        ordered = sorted(row.items(), key=lambda item: (-item[1], str(item[0])))
        total = sum(row.values())
        most = [
            f"{genre} {count / total:.0%}" for genre, count in ordered[:_GENRES_SHOWN] if count
        ]
        yield ("none" if number < 0 else int(number), int(total), ", ".join(most))

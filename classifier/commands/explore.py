"""The command `classifier explore`."""

from typing import TYPE_CHECKING, Annotated

import typer

from classifier import threads
from classifier.settings import ClassifierSettings
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.explore import DataReport


def explore(
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Report on the quality of the data: missing values, ranges, outliers, conflicts, duplicates.

    Missing values overall and in the worst genre, ranges and spikes, outliers by audio features
    (DBSCAN), tracks of several genres, recordings of one name with different labels, and tracks
    with identical audio features.

    Examples:
      classifier explore
    """
    settings = ClassifierSettings.load()
    threads.configure_openmp()
    from classifier.findings import explore as exploring
    from genrebase.store import connect

    output = Output(as_json=as_json)
    with threads.limit_threads(settings.threads or threads.idle_cores()):
        report = exploring.run(connect(), seed=settings.seed)
    _print_report(output, report)
    output.write_json(report.as_json())


def _print_report(output: Output, report: "DataReport") -> None:
    for sentence in report.sentences():
        output.print(sentence)
    output.table(
        "Missing values",
        ("column", "tracks", "share", "worst genre", "share there"),
        (
            (gap.column, gap.missing, gap.share, gap.worst_genre, gap.worst_share)
            for gap in report.gaps
            if gap.missing
        ),
    )
    output.table(
        "Ranges",
        ("column", "tracks", "minimum", "1%", "median", "99%", "maximum"),
        (
            (
                one.column,
                one.n,
                *(f"{value:.4g}" for value in (one.low, one.p01, one.median, one.p99, one.high)),
            )
            for one in report.ranges
        ),
    )
    if report.odd:
        output.table(
            "Farthest outliers",
            ("track", "title", "artists", "label", "distance"),
            (
                (str(one.track), one.title, one.artists, one.label, one.distance)
                for one in report.odd
            ),
        )
    if report.overlaps:
        output.table(
            "Tracks of two genres",
            ("genre", "other genre", "tracks", "share", "other share"),
            (tuple(pair.values()) for pair in report.overlaps),
        )
    if report.same_name:
        output.table(
            "One name, different labels",
            ("title", "artists", "labels", "tracks"),
            (
                (one["title"], one["artists"], ", ".join(one["labels"]), _join_ids(one["tracks"]))
                for one in report.same_name
            ),
        )
    if report.same_sound:
        output.table(
            "Identical audio features",
            ("titles", "artists", "tracks"),
            (
                (" / ".join(one["titles"]), " / ".join(one["artists"]), _join_ids(one["tracks"]))
                for one in report.same_sound
            ),
        )


def _join_ids(tracks: list[int]) -> str:
    return ", ".join(str(track) for track in tracks)

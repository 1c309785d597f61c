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
    """Look at the data before anything is learned from it.

    What is missing and where most, ranges and spikes, tracks that lie alone by their sound,
    tracks under several genres, recordings of one name with different labels, and tracks that
    sound exactly alike.
    """
    settings = ClassifierSettings.load()
    threads.configure_openmp()
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.findings import explore as exploring
    from genrebase.store import connect

    output = Output(as_json=as_json)
    with threads.limit_threads(settings.threads or threads.idle_cores()):
        found = exploring.run(connect(), seed=settings.seed)
    _show(output, found)
    output.write_json(found.as_json())


def _show(output: Output, found: "DataReport") -> None:
    for sentence in found.sentences():
        output.print(sentence)
    output.table(
        "Missing",
        ("column", "tracks", "share", "most in", "share there"),
        (
            (gap.column, gap.missing, gap.share, gap.worst_genre, gap.worst_share)
            for gap in found.gaps
            if gap.missing
        ),
    )
    output.table(
        "Ranges",
        ("column", "tracks", "least", "1%", "median", "99%", "most"),
        (
            (
                one.column,
                one.n,
                *(f"{value:.4g}" for value in (one.low, one.p01, one.median, one.p99, one.high)),
            )
            for one in found.ranges
        ),
    )
    if found.odd:
        output.table(
            "Farthest off",
            ("track", "title", "artists", "label", "distance"),
            (
                (str(one.track), one.title, one.artists, one.label, one.distance)
                for one in found.odd
            ),
        )
    if found.overlaps:
        output.table(
            "Tracks seen under two genres",
            ("genre", "other genre", "tracks", "share", "other share"),
            (tuple(pair.values()) for pair in found.overlaps),
        )
    if found.same_name:
        output.table(
            "One name, different labels",
            ("title", "artists", "labels", "tracks"),
            (
                (one["title"], one["artists"], ", ".join(one["labels"]), _numbers(one["tracks"]))
                for one in found.same_name
            ),
        )
    if found.same_sound:
        output.table(
            "Exactly the same sound",
            ("titles", "artists", "tracks"),
            (
                (" / ".join(one["titles"]), " / ".join(one["artists"]), _numbers(one["tracks"]))
                for one in found.same_sound
            ),
        )


def _numbers(tracks: list[int]) -> str:
    return ", ".join(str(track) for track in tracks)

"""The command `classifier match`."""

from typing import Annotated, Any, cast

import typer

from classifier import threads
from classifier.errors import BadTrainingConfig
from genrebase.runtime.console import Output

_COLUMNS = ("track", "title", "artists", "distance", "percentile", "best fit")


def match(
    track: Annotated[
        str | None,
        typer.Argument(metavar="TRACK", help="A source's id, a Spotify address, or its number."),
    ] = None,
    genre: Annotated[
        str | None, typer.Option(help="Its most and least typical tracks instead.")
    ] = None,
    every: Annotated[
        bool,
        typer.Option("--all", help="Store it for every labelled track (view `track_matches`)."),
    ] = False,
    distance: Annotated[
        str, typer.Option(help="standardised, or mahalanobis (correlations taken out).")
    ] = "standardised",
    limit: Annotated[int, typer.Option(min=1, help="Genres or tracks to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Hold a track against every genre's profile, or a genre's tracks against its own.

    The distance is the root mean square of how many standard deviations of the genre's tracks
    each quantity of the sound lies from their mean: about 1 is ordinary. The percentile says how
    many of the genre's own tracks are nearer. Genres come in the order in which they fit: a genre
    of all kinds is near to everything, and fits little.
    """
    if [track is not None, genre is not None, every].count(True) != 1:
        raise BadTrainingConfig("Say one of: a track, --genre NAME, or --all.")
    threads.configure_openmp()
    output = Output(as_json=as_json)
    if track is not None:
        _track(output, track, distance, limit)
    elif genre is not None:
        _genre(output, genre, distance, limit)
    else:
        _everything(output, distance)


def _track(output: Output, track: str, distance: str, limit: int) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.findings import match as matching
    from genrebase.store import connect

    found = matching.match_track(connect(), track, cast("Any", distance))
    labelled = "" if found.label is None else f", labelled {found.label}"
    output.print(f"{found.title} - {found.artists} (track {found.track}{labelled})")
    output.table(
        f"Best fits ({found.method} distance)",
        ("genre", "distance", "percentile"),
        ((near.genre, near.distance, near.percentile) for near in found.genres[:limit]),
    )
    output.write_json(found.as_json())


def _genre(output: Output, genre: str, distance: str, limit: int) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.findings import match as matching
    from genrebase.store import connect

    found = matching.match_genre(connect(), genre, cast("Any", distance), limit=limit)
    for title, tracks in (
        ("Most typical", found.most_typical),
        ("Least typical", found.least_typical),
    ):
        output.table(
            f"{title} of {found.genre} ({found.method} distance)",
            _COLUMNS,
            (
                (str(one.track), one.title, one.artists, one.distance, one.percentile, one.nearest)
                for one in tracks
            ),
        )
    output.print(
        f"Another genre's profile fits {found.fit_another_better:.1%} of its {found.tracks:,} tracks "
        "better."
    )
    output.write_json(found.as_json())


def _everything(output: Output, distance: str) -> None:
    # these bring scikit-learn and SQLAlchemy: --help need not wait
    from classifier.findings import match as matching
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    stored = matching.store_all_matches(connect(), SystemClock(), cast("Any", distance))
    output.print(f"{stored:,} tracks matched against their genres: see the view track_matches.")
    output.write_json({"stored": stored, "distance": distance})

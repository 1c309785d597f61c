"""The command `classifier match`."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from classifier import threads
from classifier.errors import BadTrainingConfig
from genrebase.counts import counted
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from classifier.findings.match import GenreTypicality

_COLUMNS = ("track", "title", "artists", "distance", "percentile", "nearest genre")


def match(
    track: Annotated[
        str | None,
        typer.Argument(
            metavar="TRACK", help="A track: source ID, Spotify URL or URI, or `track_id`."
        ),
    ] = None,
    genre: Annotated[
        str | None,
        typer.Option(help="Show the most and least typical tracks of this genre instead."),
    ] = None,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Store the distance of every labelled track (view `track_matches`)."
        ),
    ] = False,
    distance: Annotated[
        str, typer.Option(help="standardised, or mahalanobis (corrected for correlations).")
    ] = "standardised",
    limit: Annotated[int, typer.Option(min=1, help="Genres or tracks to print.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Compare a track with every genre's profile, or a genre's tracks with its own profile.

    The distance is the root mean square of the z-scores of a track's audio features within the
    genre: about 1 is ordinary. The percentile is the percentage of the genre's own tracks that are
    nearer. Genres are sorted by log-density, not by distance: a broad genre is near every track.

    Examples:
      classifier match --genre jazz --limit 10
    """
    if [track is not None, genre is not None, every].count(True) != 1:
        raise BadTrainingConfig("Give one of: a track, --genre NAME, or --all.")
    threads.configure_openmp()
    from classifier.findings import match as matching
    from genrebase.runtime.clock import SystemClock
    from genrebase.store import connect

    output, database, method = Output(as_json=as_json), connect(), cast("Any", distance)
    if track is not None:
        match = matching.match_track(database, track, method)
        label = "" if match.label is None else f", labelled {match.label}"
        output.print(f"{match.title} - {match.artists} (track {match.track}{label})")
        output.table(
            f"Nearest genres ({match.distance} distance)",
            ("genre", "distance", "percentile"),
            ((one.genre, one.distance, one.percentile) for one in match.genres[:limit]),
        )
        output.write_json(asdict(match))
    elif genre is not None:
        typicality = matching.match_genre(database, genre, method, limit=limit)
        _print_genre(output, typicality)
        output.write_json(asdict(typicality))
    else:
        stored = matching.store_all_matches(database, SystemClock(), method)
        output.print(
            f"{counted(stored, 'track')} matched with their genres: see the view track_matches."
        )
        output.write_json({"stored": stored, "distance": distance})


def _print_genre(output: Output, result: "GenreTypicality") -> None:
    for title, tracks in (
        ("Most typical", result.most_typical),
        ("Least typical", result.least_typical),
    ):
        output.table(
            f"{title} of {result.genre} ({result.distance} distance)",
            _COLUMNS,
            (
                (str(one.track), one.title, one.artists, one.distance, one.percentile, one.nearest)
                for one in tracks
            ),
        )
    output.print(
        f"Another genre's profile fits {result.fit_another_better:.1%} of its "
        f"{counted(result.tracks, 'track')} better."
    )

"""The command `collector sandbox`."""

import gc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from collector.rate_limits import parse_rate
from genrebase.counts import counted
from genrebase.errors import as_clause
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import StopSignal, stop_on_signals
from sandbox import HOST
from sandbox.api.tokens import TOKEN_LIFETIME_SECONDS
from sandbox.errors import ServerStopped, UnusableOption
from sandbox.middleware.faults import SLOW_SECONDS, parse_faults

# The server and the catalogue are imported where they are used: they are slow to import, and
# every other command of the collector imports this module.
if TYPE_CHECKING:
    from sandbox.application import SandboxOptions
    from sandbox.tracks.catalogue_file import CatalogueTable

PORT: Final = 8765
RATE: Final = "90/30s"
"""The community's estimate of Spotify's limit."""
MUSICBRAINZ_RATE: Final = "1/1s"
ACOUSTICBRAINZ_RATE: Final = "10/10s"
DISCOGS_RATE: Final = "15/360s"
_POLL_SECONDS: Final = 1.0
"""Interval of the checks whether the server is alive."""

T = TypeVar("T")


def sandbox(
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any free one.")] = PORT,
    catalogue: Annotated[
        Path | None,
        typer.Option(
            help="File to serve: one table (CSV, Parquet, JSON) as `collector import` reads it; "
            "without it, a synthetic catalogue."
        ),
    ] = None,
    genre: Annotated[
        str | None, typer.Option(help="Genre of the file's rows that have none.")
    ] = None,
    mode: Annotated[
        str,
        typer.Option(
            help="development (10 items a page, many endpoints closed) or extended (50 items a "
            "page, all endpoints open)."
        ),
    ] = "development",
    rate: Annotated[
        str,
        typer.Option(
            help="Rate limit of Spotify's Web API, of Internet Archive and of Jamendo: requests "
            "per window, as N/30s."
        ),
    ] = RATE,
    reccobeats_rate: Annotated[
        str | None, typer.Option(help="Rate limit of ReccoBeats; without it, that of --rate.")
    ] = None,
    musicbrainz_rate: Annotated[
        str, typer.Option(help="Rate limit of MusicBrainz, refused requests included.")
    ] = MUSICBRAINZ_RATE,
    musicbrainz_ties: Annotated[
        int,
        typer.Option(
            min=0,
            help="On every page, results of equal score move by up to this many places, as at "
            "MusicBrainz. 0: a fixed order, so pages neither overlap nor have gaps.",
        ),
    ] = 25,
    acousticbrainz: Annotated[
        str,
        typer.Option(help="up, or down: AcousticBrainz' API returns 500 or no response."),
    ] = "up",
    acousticbrainz_rate: Annotated[
        str, typer.Option(help="Rate limit of AcousticBrainz' API, in fixed windows.")
    ] = ACOUSTICBRAINZ_RATE,
    discogs_rate: Annotated[
        str,
        typer.Option(help="Rate limit of the host of Discogs' dumps; a ban lasts an hour."),
    ] = DISCOGS_RATE,
    discogs_breaks: Annotated[
        int,
        typer.Option(
            min=0,
            help="The first N downloads of a Discogs dump break off half-way.",
        ),
    ] = 0,
    retry_after: Annotated[
        float | None,
        typer.Option(
            help="Seconds a ban lasts; without it, until the rate limit allows the next request."
        ),
    ] = None,
    quota: Annotated[
        int | None,
        typer.Option(min=0, help="Number of successful Web API requests before a permanent ban."),
    ] = None,
    token_seconds: Annotated[
        float, typer.Option(help="Seconds an access token is valid.")
    ] = TOKEN_LIFETIME_SECONDS,
    faults: Annotated[
        str | None,
        typer.Option(
            help="Share of broken responses (0.1), or shares by kind: 500=0.05,short=0.1. Kinds: "
            "500, 503, truncated, dropped, slow, short, total, next, repeated."
        ),
    ] = None,
    slow_seconds: Annotated[
        float, typer.Option(min=0, help="Delay of a slow response in seconds.")
    ] = SLOW_SECONDS,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the synthetic catalogue and the faults.")
    ] = 1,
    write: Annotated[
        Path | None, typer.Option(help="Save the catalogue as a CSV file and exit.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on: loopback only.")] = HOST,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Simulate Spotify, MusicBrainz and the other services on this computer, with one catalogue.

    Examples:
      collector sandbox --port 8765
      collector sandbox --write catalogue.csv
    """
    output = Output(as_json=as_json)
    if host not in {HOST, "localhost"}:
        raise UnusableOption(f"The sandbox listens on {HOST} only: leave --host out.")
    from sandbox.api.acousticbrainz_api import AVAILABILITIES
    from sandbox.api.spotify_api import MODES
    from sandbox.application import SandboxOptions

    no_mode = f"There is no mode {mode!r}: --mode is {' or '.join(MODES)}."
    no_availability = f"--acousticbrainz {acousticbrainz!r} cannot be: give up or down."
    parsed_rate = _parse("--rate", parse_rate, rate)
    options = SandboxOptions(
        mode=_one_of(MODES, mode, no_mode),
        rate=parsed_rate,
        archive_rate=parsed_rate,
        jamendo_rate=parsed_rate,
        reccobeats_rate=_parse("--reccobeats-rate", parse_rate, reccobeats_rate or rate),
        musicbrainz_rate=_parse("--musicbrainz-rate", parse_rate, musicbrainz_rate),
        musicbrainz_ties=musicbrainz_ties,
        acousticbrainz=_one_of(AVAILABILITIES, acousticbrainz, no_availability),
        acousticbrainz_rate=_parse("--acousticbrainz-rate", parse_rate, acousticbrainz_rate),
        discogs_rate=_parse("--discogs-rate", parse_rate, discogs_rate),
        discogs_breaks=discogs_breaks,
        retry_after=_positive("--retry-after", retry_after),
        quota=quota,
        token_seconds=_positive("--token-seconds", token_seconds) or TOKEN_LIFETIME_SECONDS,
        faults=None
        if faults is None
        else _parse("--faults", lambda text: parse_faults(text, seed, slow_seconds), faults),
    )
    if write is not None:
        _write(_table(catalogue, seed, genre), write, output)
        return
    with stop_on_signals() as stop:
        _serve(_table(catalogue, seed, genre), options, port, output, stop)


def _write(table: "CatalogueTable", path: Path, output: Output) -> None:
    from sandbox.tracks.catalogue_file import write_table

    write_table(table, path)
    output.print(f"Wrote {counted(len(table.rows), 'row')} to {path}.")
    output.write_json({"file": str(path), "rows": len(table.rows), "sha256": table.sha256})


def _serve(
    table: "CatalogueTable", options: "SandboxOptions", port: int, output: Output, stop: StopSignal
) -> None:
    from sandbox.server import serve_in_thread
    from sandbox.tracks.catalogue import SandboxCatalogue

    if table.left_out:
        output.warn(
            f"{counted(table.left_out, 'row')} of {table.name} have another number of cells than "
            "columns: they are left out."
        )
    catalogue = SandboxCatalogue(table)
    gc.freeze()  # the catalogue lives as long as the process: keep the collector off it
    genres = catalogue.genres
    with serve_in_thread(catalogue, options, port=port) as running:
        output.print(
            f"Sandbox at {running.url}: {table.name}, {len(genres)} genres, "
            f"{options.mode} mode. Ctrl-C ends it."
        )
        for name, address in running.addresses.items():
            output.print(f"  {name}: {address}")
        output.write_json(
            {
                "url": running.url,
                "port": running.port,
                "mode": options.mode,
                "catalogue": {"kind": table.kind, "detail": table.name},
                "genres": len(genres),
                "services": dict(running.addresses),
            }
        )
        while not stop.wait(_POLL_SECONDS):
            if not running.is_alive:
                raise ServerStopped("The sandbox stopped by itself: its log says why.")


def _table(catalogue: Path | None, seed: int, genre: str | None) -> "CatalogueTable":
    from sandbox.synthetic.catalogue import generate_catalogue
    from sandbox.tracks.catalogue_file import read_table

    return generate_catalogue(seed) if catalogue is None else read_table(catalogue, genre)


def _one_of(names: Iterable[T], text: str, message: str) -> T:
    """Return the name that is `text`; raise `UnusableOption` with `message` if there is none."""
    for name in names:
        if name == text:
            return name
    raise UnusableOption(message)


def _parse(option: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise UnusableOption(f"{option}: {as_clause(error)}.") from error


def _positive(option: str, value: float | None) -> float | None:
    if value is not None and not value > 0:
        raise UnusableOption(f"{option} {value:g} cannot be: give a number above 0.")
    return value

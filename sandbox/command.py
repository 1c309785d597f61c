"""The command `collector sandbox`."""

import gc
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from collector import rate as rates
from collector.rate import Rate
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import StopSignal, stop_on_signals
from sandbox.errors import ServerStopped, UnusableOption

if TYPE_CHECKING:
    from sandbox.application import SandboxOptions
    from sandbox.catalogue_file import CatalogueTable
    from sandbox.faults import FaultPlan

# The server and the catalogue are imported where they are used: they take their time to load, and
# every other command of the collector starts with this module.

HOST: Final = "127.0.0.1"
TOKEN_SECONDS: Final = 3600
SLOW_SECONDS: Final = 2.0
PORT: Final = 8765
RATE: Final = "90/30s"
"""What the community found Spotify to bear."""
_LOOK_SECONDS: Final = 1.0
"""How often we look whether the server still lives."""


def sandbox(
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes any free one.")] = PORT,
    catalogue: Annotated[
        Path | None,
        typer.Option(help="CSV (also .gz) or Parquet file to serve; without it, invented music."),
    ] = None,
    mode: Annotated[
        str, typer.Option(help="development (10 a page, much closed) or extended (50, all open).")
    ] = "development",
    rate: Annotated[
        str, typer.Option(help="Requests the Web API answers in any window, as N/30s.")
    ] = RATE,
    reccobeats_rate: Annotated[
        str | None, typer.Option(help="The same for ReccoBeats; without it, as --rate.")
    ] = None,
    retry_after: Annotated[
        float | None,
        typer.Option(help="Seconds a ban lasts; without it, until the next request fits."),
    ] = None,
    quota: Annotated[
        int | None,
        typer.Option(
            min=0, help="Requests the Web API answers in all, before a ban without an end."
        ),
    ] = None,
    token_seconds: Annotated[
        float, typer.Option(help="Seconds an access token is taken.")
    ] = TOKEN_SECONDS,
    faults: Annotated[
        str | None,
        typer.Option(
            help="Share of broken answers (0.1), or shares by kind: 500=0.05,short=0.1. Kinds: "
            "500, 503, truncated, dropped, slow, short, total, next, repeated."
        ),
    ] = None,
    slow_seconds: Annotated[
        float, typer.Option(min=0, help="How much later a slow answer comes.")
    ] = SLOW_SECONDS,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the invented music and faults.")] = 1,
    write: Annotated[
        Path | None, typer.Option(help="Save the music as a CSV file, and end.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on: loopback only.")] = HOST,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Serve a Spotify-shaped API on this computer, over a file or over invented music."""
    output = Output(as_json=as_json)
    if host not in {HOST, "localhost"}:
        raise UnusableOption(f"The sandbox listens on {HOST} only: leave --host out.")
    behaviour = replace(
        _behaviour(mode, rate, reccobeats_rate, retry_after, quota, token_seconds),
        faults=None if faults is None else _faults(faults, seed, slow_seconds),
    )
    if write is not None:
        _write(_music(catalogue, seed), write, output)
        return
    with stop_on_signals() as stop:
        _serve(_music(catalogue, seed), behaviour, port, output, stop)


def _write(music: "CatalogueTable", to: Path, output: Output) -> None:
    from sandbox import catalogue_file

    catalogue_file.write_table(music, to)
    output.print(f"Wrote {len(music.rows):,} rows to {to}.")
    output.write_json({"file": str(to), "rows": len(music.rows), "sha256": music.sha256})


def _serve(
    music: "CatalogueTable",
    behaviour: "SandboxOptions",
    port: int,
    output: Output,
    stop: StopSignal,
) -> None:
    from sandbox.catalogue import SandboxCatalogue
    from sandbox.server import serve_in_thread

    catalogue = SandboxCatalogue(music)
    gc.freeze()  # the catalogue lives as long as we do: no use in walking it again and again
    origin, genres = catalogue.origin, catalogue.genres
    with serve_in_thread(catalogue, behaviour, port=port) as running:
        output.print(
            f"Sandbox at {running.url}: {origin.detail}, {len(genres)} genres, "
            f"{behaviour.mode} mode. Ctrl-C ends it."
        )
        output.write_json(
            {
                "url": running.url,
                "port": running.port,
                "mode": behaviour.mode,
                "catalogue": {"kind": origin.kind, "detail": origin.detail},
                "genres": len(genres),
            }
        )
        while not stop.wait(_LOOK_SECONDS):
            if not running.is_alive:
                raise ServerStopped("The sandbox stopped by itself: its log says why.")


def _music(catalogue: Path | None, seed: int) -> "CatalogueTable":
    from sandbox import catalogue_file, synthetic_catalogue

    return (
        synthetic_catalogue.generate_catalogue(seed)
        if catalogue is None
        else catalogue_file.read_table(catalogue)
    )


def _behaviour(
    mode: str,
    rate: str,
    reccobeats_rate: str | None,
    retry_after: float | None,
    quota: int | None,
    token_seconds: float,
) -> "SandboxOptions":
    from sandbox.application import SandboxOptions
    from sandbox.spotify_api import MODES

    known = next((name for name in MODES if name == mode), None)
    if known is None:
        raise UnusableOption(f"There is no mode {mode!r}: --mode is {' or '.join(MODES)}.")
    return SandboxOptions(
        mode=known,
        rate=_rate("--rate", rate),
        reccobeats_rate=_rate("--reccobeats-rate", reccobeats_rate or rate),
        retry_after=_positive("--retry-after", retry_after),
        quota=quota,
        token_seconds=_positive("--token-seconds", token_seconds) or TOKEN_SECONDS,
    )


def _rate(option: str, text: str) -> Rate:
    try:
        return rates.parse_rate(text)
    except ValueError as error:
        raise UnusableOption(f"{option}: {error}.") from error


def _faults(text: str, seed: int, slow_seconds: float) -> "FaultPlan":
    from sandbox import faults

    try:
        return faults.parse_faults(text, seed, slow_seconds)
    except ValueError as error:
        raise UnusableOption(f"--faults: {error}.") from error


def _positive(option: str, value: float | None) -> float | None:
    if value is not None and not value > 0:
        raise UnusableOption(f"{option} {value:g} cannot be: give a number above 0.")
    return value

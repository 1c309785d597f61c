"""The command `collector sandbox`."""

from pathlib import Path
from typing import Annotated, Final

import typer

from collector import rates
from collector.rates import Rate
from collector.sandbox import table
from collector.sandbox.application import Behaviour
from collector.sandbox.catalogue import Catalogue
from collector.sandbox.errors import UnusableOption
from collector.sandbox.server import HOST, serve_in_thread
from collector.sandbox.table import Table
from collector.sandbox.tokens import LIFETIME
from collector.sandbox.webapi import MODES, ModeName
from genrebase.runtime.output import Output
from genrebase.runtime.stopping import stop_on_signals

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
        typer.Option(help="Requests the Web API answers in all, before a ban without an end."),
    ] = None,
    token_seconds: Annotated[
        float, typer.Option(help="Seconds an access token is taken.")
    ] = LIFETIME,
    seed: Annotated[int, typer.Option(help="Seed of the invented music.")] = 1,
    write: Annotated[
        Path | None, typer.Option(help="Save the music as a CSV file, and end.")
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on: loopback only.")] = HOST,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Serve a Spotify-shaped API on this computer, over a file or over invented music."""
    output = Output(as_json=as_json)
    behaviour = Behaviour(
        mode=_mode(mode),
        rate=_rate("--rate", rate),
        reccobeats_rate=_rate("--reccobeats-rate", reccobeats_rate or rate),
        retry_after=_positive("--retry-after", retry_after),
        quota=None if quota is None else int(_positive("--quota", quota) or 0),
        token_seconds=_positive("--token-seconds", token_seconds) or LIFETIME,
    )
    if host not in {HOST, "localhost"}:
        raise UnusableOption(f"The sandbox listens on {HOST} only: leave --host out.")
    music = _music(catalogue, seed)
    if write is not None:
        table.write(music, write)
        output.say(f"Wrote {len(music.rows):,} rows to {write}.")
        output.document({"file": str(write), "rows": len(music.rows), "sha256": music.sha256})
        return
    _serve(Catalogue(music), behaviour, port, output)


def _serve(catalogue: Catalogue, behaviour: Behaviour, port: int, output: Output) -> None:
    origin, genres = catalogue.origin, catalogue.genres
    with stop_on_signals() as stop, serve_in_thread(catalogue, behaviour, port=port) as running:
        output.say(
            f"Sandbox at {running.url}: {origin.detail}, {len(genres)} genres, "
            f"{behaviour.mode} mode. Ctrl-C ends it."
        )
        output.document(
            {
                "url": running.url,
                "port": running.port,
                "mode": behaviour.mode,
                "catalogue": {"kind": origin.kind, "detail": origin.detail},
                "genres": len(genres),
            }
        )
        while running.alive and not stop.wait(_LOOK_SECONDS):
            pass


def _music(catalogue: Path | None, seed: int) -> Table:
    if catalogue is not None:
        return table.read(catalogue)
    from collector.sandbox import synthetic  # numpy takes its time to load

    return synthetic.make(seed)


def _mode(text: str) -> ModeName:
    for name in MODES:
        if name == text:
            return name
    raise UnusableOption(f"There is no mode {text!r}: --mode is {' or '.join(MODES)}.")


def _rate(option: str, text: str) -> Rate:
    try:
        return rates.parse(text)
    except ValueError as error:
        raise UnusableOption(f"{option}: {error}.") from error


def _positive(option: str, value: float | None) -> float | None:
    if value is not None and not value > 0:
        raise UnusableOption(f"{option} {value:g} cannot be: give a number above 0.")
    return value

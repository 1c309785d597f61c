"""The command `genrebase serve`."""

from typing import Annotated

import typer

from genrebase.runtime.console import Output


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on. [default: SERVE_HOST, 127.0.0.1]")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, help="Port; 0: any free one. [default: SERVE_PORT, 8400]"),
    ] = None,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the overview in the browser.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write the address as one JSON document.")
    ] = False,
) -> None:
    """Serve web pages about the database at `STORE_URL` until Ctrl-C or SIGTERM.

    The pages show the harvest, the genres, tracks, models and jobs. Each has a JSON and a CSV
    version with the same rows. Programs use the API at `/api/v1`. By default only this computer
    reaches the server. Other addresses require a token (`SERVE_TOKEN`).

    Examples:
      genrebase serve --port 0
    """
    # imports Starlette, Jinja2 and SQLAlchemy, which --help does not need
    from web.server import run
    from web.settings import ServeSettings

    settings = ServeSettings.load()
    run(
        settings,
        Output(as_json=as_json),
        host=host or settings.host,
        port=settings.port if port is None else port,
        open_browser=open_browser,
    )

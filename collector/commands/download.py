"""Download dumps of open data."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from collector.settings import CollectorSettings
from genrebase.errors import CommandInterrupted, UserError
from genrebase.runtime.command_line import CommandLine
from genrebase.runtime.console import Output

if TYPE_CHECKING:
    from genrebase.progress import ProgressCallback

_MEGABYTE: Final = 1_000_000
app = CommandLine("download", __doc__)


@app.callback()
def download() -> None:
    """Keep `discogs` a command of its own although it is the only one."""


@app.command()
def discogs(
    into: Annotated[Path, typer.Option(help="The folder of the file.")] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Download the newest complete dump of Discogs' releases (10 GB) and check its SHA-256.

    If the folder already has a file with the dump's name, nothing is downloaded. An interrupted
    download starts again, because the host does not support Range requests. A ban ends the command
    with exit code 4.

    Examples:
      collector download discogs
    """
    # these bring SQLAlchemy: --help need not wait
    from collector.errors import StopRequested
    from collector.http.rate_limiter import RequestBudget
    from collector.http.session import end_running_request
    from collector.sources.discogs_download import DiscogsDownloader, discogs_account
    from genrebase import new_file
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    output, clock, settings = Output(as_json=as_json), SystemClock(), CollectorSettings.load()
    if not into.is_dir():
        raise UserError(f"There is no folder {into}: create it first.")
    engine = connect()
    with stop_on_signals(clock.interrupt, end_running_request) as stop:
        budget = RequestBudget.open(engine, discogs_account(settings))
        downloader = DiscogsDownloader(settings, budget, clock, lambda: stop.requested)
        try:
            newest = downloader.find_newest(clock.now().date())
            path = into / newest.name
            is_new = not path.exists()
            if is_new:
                with (
                    new_file.create_atomically(path) as temporary,
                    output.progress(f"Downloading {newest.name}") as bar,
                ):
                    downloader.download(
                        newest, temporary, lambda size: _report_megabytes(bar, size)
                    )
        except StopRequested:
            raise CommandInterrupted("Stopped; nothing is kept of a part of a file.") from None
    output.write_json({"file": str(path), "new": is_new, "requests": downloader.limit.used})
    output.print(f"{path} is complete." if is_new else f"{path} is there already.")


def _report_megabytes(bar: "ProgressCallback", size: int) -> None:
    """Report whole megabytes; nothing for the first, which takes no time."""
    if size >= _MEGABYTE:
        bar(size // _MEGABYTE, note="MB received")

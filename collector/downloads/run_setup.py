"""Create a run of downloads from the settings: folder, limits, sources with their budgets."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from collector.catalogue import audio_items
from collector.downloads.downloader import Downloader
from collector.downloads.folder import DownloadFolder, folder_for
from collector.downloads.queue import DownloadQueue
from collector.downloads.run import DownloadRun
from collector.downloads.session import DownloadBounds, FundedSource
from collector.http.client import error_with_503_as_limit
from collector.http.file_download import FileClient
from collector.http.rate_limiter import RequestBudget
from collector.ports import AudioSource
from collector.settings import AUDIO_SOURCES_GROUP, CollectorSettings
from genrebase.runtime import plugins
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine, read_transaction

_MEGABYTE: Final = 1e6


def names_with_work(engine: Engine, settings: CollectorSettings) -> list[str]:
    """Return the sources of audio files that are configured, or have waiting items."""
    installed = plugins.registered_names(AUDIO_SOURCES_GROUP)
    with read_transaction(engine) as connection:
        return [
            name
            for name in installed
            if name in settings.source_names
            or audio_items.allowed_licences(connection, name, settings.licence)
        ]


def open_run(
    engine: Engine,
    settings: CollectorSettings,
    clock: Clock,
    sources: Sequence[AudioSource],
    stop_requested: Callable[[], bool],
) -> DownloadRun:
    """Return the run of these sources; raise `UserError` if the folder cannot be made."""
    in_folder = int(settings.downloads_mb * _MEGABYTE)
    folder = DownloadFolder(folder_for(settings.downloads, _database_name(engine)), in_folder)
    funded = [
        FundedSource(
            DownloadQueue(engine, clock, source, settings.licence),
            Downloader(
                source,
                RequestBudget.open(engine, source.account),
                FileClient(
                    source.domain,
                    source.user_agent,
                    error_with_503_as_limit,
                    any_port=source.base_url is not None,
                ),
                folder,
                clock,
                settings.timeout,
                stop_requested,
            ),
        )
        for source in sources
    ]
    bounds = DownloadBounds(
        file=min(int(settings.file_mb * _MEGABYTE), in_folder),
        daily=int(settings.daily_mb * _MEGABYTE),
    )
    return DownloadRun(engine, clock, funded, folder, bounds, stop_requested)


def _database_name(engine: Engine) -> str:
    """Return what distinguishes a database from others on this computer, without a password."""
    url = engine.url
    if url.get_backend_name() == "sqlite" and url.database:
        return str(Path(url.database).absolute())
    return url.render_as_string(hide_password=True)

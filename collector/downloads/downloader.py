"""Download one file: within budget and limits, following redirects, checked when complete."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from collector.catalogue.audio_downloads import DownloadKey
from collector.downloads.folder import DownloadFolder, FileTooLong, PartialFile
from collector.errors import CollectorError
from collector.http.file_download import MAX_REDIRECTS, FileClient, follow_redirects
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, call_with_retries
from collector.ports import AudioSource
from collector.records import RemoteFile
from genrebase.runtime.clock import Clock

MIN_BYTES_PER_SECOND: Final = 50_000
"""A slower download is ended: the rest is requested later."""
WRONG_SIZE: Final = "another size than its source says"
WRONG_CHECKSUM: Final = "another checksum than its source says"
TOO_LONG: Final = "longer than its source says"
EMPTY: Final = "empty"


class DamagedDownload(CollectorError):
    """A file arrived, but is not what its source describes; its message is the reason."""


@dataclass(frozen=True, slots=True)
class DownloadedFile:
    """A complete file."""

    path: Path
    size: int
    """Bytes."""
    received: int
    """Bytes that came for it, those of interrupted attempts included."""


@contextmanager
def _counting_dropped(
    receiver: PartialFile, file: RemoteFile, count_dropped: Callable[[int], None]
) -> Iterator[None]:
    """Run a block that downloads; after an error, delete what cannot be continued, and count it.

    Without a checksum the next part might be of another version.
    """
    try:
        yield
    except Exception:
        if file.md5 is None or not receiver.size:
            receiver.remove()
        if receiver.received > receiver.size:
            count_dropped(receiver.received - receiver.size)
        raise


@dataclass(frozen=True)
class Downloader:
    """Downloads the files of one source into the folder."""

    source: AudioSource
    budget: RequestBudget
    client: FileClient
    folder: DownloadFolder
    clock: Clock
    timeout: float
    """Seconds of a response, besides the time that its bytes may take."""
    stop_requested: Callable[[], bool]

    def download(
        self,
        key: DownloadKey,
        file: RemoteFile,
        max_bytes: int,
        limit: RequestLimit,
        max_received: int | None = None,
        count_dropped: Callable[[int], None] = lambda _: None,
    ) -> DownloadedFile:
        """Return a file of at most `max_bytes`; a file that is complete is not requested.

        All its attempts together receive at most `max_received` bytes: a host that ignores `Range`
        sends the file from its beginning after each break.

        Raises `DamagedDownload` for a file that is not as described, `DiskFull`, `TooManyBytes`,
        and the errors of `call_with_retries`. What was received of a file with a checksum stays,
        to be continued; `count_dropped` gets the number of bytes that came and were dropped before
        an error.
        """
        receiver = self.folder.file(*key)
        if receiver.path.exists():
            size = receiver.path.stat().st_size
            return DownloadedFile(receiver.path, size, size)
        if file.md5 is None:
            receiver.remove()  # of a run that was killed
        receiver.max_size = max_bytes if file.size is None else min(file.size, max_bytes)
        receiver.max_received = max_received
        receiver.stop_requested = self.stop_requested
        with receiver, _counting_dropped(receiver, file, count_dropped):
            try:
                if receiver.size != file.size or not file.size:
                    self._request(key, file, receiver, limit)
                self._check(file, receiver)
            except FileTooLong as error:
                receiver.remove()
                raise DamagedDownload(TOO_LONG) from error
            receiver.complete()
            return DownloadedFile(receiver.path, receiver.size, receiver.received)

    def _request(
        self, key: DownloadKey, file: RemoteFile, receiver: PartialFile, limit: RequestLimit
    ) -> None:
        timeout = self.timeout + receiver.max_size / MIN_BYTES_PER_SECOND

        def request(address: str) -> str | None:
            fetch = partial(
                self.client.fetch, address, receiver, timeout=timeout, now=self.clock.now()
            )
            return call_with_retries(self.budget, self.clock, fetch, limit)

        if not follow_redirects(request, self.source.address_of(key.item_id, file)):
            receiver.remove()
            raise DamagedDownload(f"redirected more than {MAX_REDIRECTS} times")

    def _check(self, file: RemoteFile, receiver: PartialFile) -> None:
        reason = None
        if file.size is not None and receiver.size != file.size:
            reason = WRONG_SIZE
        elif not receiver.size:
            reason = EMPTY
        elif file.md5 is not None and receiver.digest() != file.md5:
            reason = WRONG_CHECKSUM
        if reason is not None:
            receiver.remove()
            raise DamagedDownload(reason)

"""Download Discogs' monthly dump of releases: the newest complete month, checked by its SHA-256.

The list of checksums is written last: a month without one is not complete. The host accepts no
Range, so a download that breaks off starts again, and it bans for an hour after some 15 requests.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

from collector.errors import (
    AccessDenied,
    InvalidResponse,
    NotFound,
    StopRequested,
    UnusableResponse,
)
from collector.http.client import fingerprint
from collector.http.file_download import (
    FileClient,
    FileReceiver,
    domain_of,
    follow_redirects,
)
from collector.http.rate_limiter import RequestBudget
from collector.http.retry import RequestLimit, call_with_retries
from collector.rate_limits import Account
from collector.service_settings import DISCOGS_DATA_URL
from collector.settings import CollectorSettings
from genrebase.runtime.clock import Clock

NAME: Final = "discogs"
DEADLINE_SECONDS: Final = 12 * 3_600.0
"""For the whole file of some 10 GB."""
_MONTHS_BACK: Final = 3
_MAX_CHECKSUMS: Final = 1 << 16
"""Bytes of the list of checksums; it has four lines."""
_LINE: Final = re.compile(r"([0-9a-f]{64})\s+\*?(\S+_releases\.xml\.gz)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ReleasesDump:
    """A complete month's dump of releases."""

    name: str
    """Of the file, such as `discogs_20260801_releases.xml.gz`."""
    path: str
    """Of the file on the host, without the name."""
    sha256: str


def discogs_account(settings: CollectorSettings) -> Account:
    """Return the account of the host of the dumps."""
    return Account(NAME, fingerprint(settings.discogs_data_url), settings.discogs_rate)


class DiscogsDownloader:
    """Finds and downloads dumps, within a request budget."""

    def __init__(
        self,
        settings: CollectorSettings,
        budget: RequestBudget,
        clock: Clock,
        stop_requested: Callable[[], bool] = lambda: False,
    ) -> None:
        """Send requests to the host in the settings."""
        self._base_url = settings.discogs_data_url
        self._timeout = settings.timeout
        self._client = FileClient(
            domain_of(self._base_url),
            settings.user_agent,
            any_port=self._base_url != DISCOGS_DATA_URL,
        )
        self._budget, self._clock = budget, clock
        self._stop_requested = stop_requested
        self.limit = RequestLimit()

    def find_newest(self, today: date) -> ReleasesDump:
        """Return the newest complete month; raise `NotFound` if there is none lately."""
        refusal = ""
        for month in _months_before(today):
            path = f"data/{month:%Y}/discogs_{month:%Y%m%d}_"
            checksums = BytesIO()
            receiver = _HashedFile(checksums, _check_length, lambda: False)
            try:
                self._fetch(f"{path}CHECKSUM.txt", receiver, self._timeout)
            except NotFound:
                continue
            except AccessDenied as error:  # some hosts refuse what they do not have
                refusal = f" ({error})"
                continue
            for line in checksums.getvalue().decode("utf-8", "replace").splitlines():
                match = _LINE.fullmatch(line.strip())
                if match:
                    return ReleasesDump(match[2], path.rpartition("/")[0], match[1].lower())
        raise NotFound(
            f"{self._base_url} has no complete dump of the last {_MONTHS_BACK} months{refusal}: "
            "try later."
        )

    def download(self, dump: ReleasesDump, target: Path, advance: Callable[[int], None]) -> None:
        """Write a dump to the new file `target`; `advance` gets the number of bytes so far.

        Raises `UnusableResponse` for a file with another checksum, `StopRequested`.
        """
        with target.open("xb") as file:
            receiver = _HashedFile(file, advance, self._stop_requested)
            self._fetch(f"{dump.path}/{dump.name}", receiver, DEADLINE_SECONDS)
        if receiver.digest.hexdigest() != dump.sha256:
            raise UnusableResponse(
                f"{dump.name} has another SHA-256 than the list of checksums says: it was "
                "damaged on the way, or is just being replaced. Try again in a day."
            )

    def _fetch(self, path: str, receiver: FileReceiver, timeout: float) -> None:
        def request(address: str) -> str | None:
            fetch = partial(self._fetch_once, address, receiver, timeout)
            return call_with_retries(self._budget, self._clock, fetch, self.limit)

        address = f"{self._base_url}/?download={quote(path, safe='')}"
        if not follow_redirects(request, address, most=1):
            raise UnusableResponse(f"{self._base_url} redirects twice: check the address.")

    def _fetch_once(self, address: str, receiver: FileReceiver, timeout: float) -> str | None:
        receiver.restart()  # the host accepts no Range
        return self._client.fetch(address, receiver, timeout=timeout, now=self._clock.now())


class _HashedFile:
    """Writes a file and computes its SHA-256."""

    def __init__(
        self, file: IO[bytes], advance: Callable[[int], None], stop_requested: Callable[[], bool]
    ) -> None:
        self._file, self._advance, self._stop_requested = file, advance, stop_requested
        self.size = 0
        self.digest = hashlib.sha256()

    def restart(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self.size, self.digest = 0, hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        if self._stop_requested():
            raise StopRequested
        self._file.write(chunk)
        self.digest.update(chunk)
        self.size += len(chunk)
        self._advance(self.size)


def _check_length(size: int) -> None:
    if size > _MAX_CHECKSUMS:
        raise InvalidResponse("The list of checksums is too long.")


def _months_before(today: date) -> Iterator[date]:
    """Yield the first days of this month and of those before it."""
    year, month = today.year, today.month
    for _ in range(_MONTHS_BACK):
        yield date(year, month, 1)
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)

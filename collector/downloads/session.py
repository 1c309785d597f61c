"""One run of downloads: the next file, files in progress, consequences of failures."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from collector.catalogue import audio_downloads, audio_items, shards, vocabulary
from collector.catalogue import genres as stored_genres
from collector.catalogue.audio_items import StoredItem
from collector.downloads.downloader import TOO_LONG, DamagedDownload, DownloadedFile, Downloader
from collector.downloads.folder import DiskFull, TooManyBytes
from collector.downloads.outcome import DownloadOutcome
from collector.downloads.queue import DownloadQueue, QueuedFile
from collector.downloads.recorder import DownloadRecorder, FinishedFile
from collector.errors import (
    AccessDenied,
    BadCredentials,
    BadRequest,
    Blocked,
    CollectorError,
    RequestLimitReached,
    SourceUnavailable,
    StopRequested,
    TransientError,
)
from collector.http.retry import RequestLimit, call_with_retries
from collector.records import ItemFiles
from collector.sources.archive_files import TOO_LARGE
from collector.sources.item_fields import GONE, RejectReason
from collector.sources.subject_genres import match_subjects, spelling_key
from genrebase.audio.scan import AudioFile
from genrebase.audio.workers import AnalysisFuture, SubmitFile
from genrebase.store import bulk
from genrebase.store.engine import Connection, Engine, read_transaction

MAX_FAILURES: Final = 5
"""Consecutive failures of requests after which a source is left alone."""
RETRY_AFTER: Final = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""After an item's first, second, … failure; the last one repeats."""
_MAX_PASSING: Final = audio_items.MAX_ATTEMPTS - 2
"""Attempts that failures which pass count for, at most: two refusals have to follow."""
_MAX_DOWNLOADS: Final = 2
"""Downloads of a file that is not as described, after which it is given up."""

_log = structlog.get_logger(__name__)


class ByteLimitReached(RequestLimitReached):
    """The bytes allowed for this run, or for 24 hours, are used up."""


@dataclass(frozen=True, slots=True)
class FundedSource:
    """A source of audio files with its queue and its downloader."""

    queue: DownloadQueue
    downloader: Downloader

    @property
    def name(self) -> str:
        return self.queue.source.name


@dataclass
class DownloadSession:
    """One run: files in progress, and bytes received."""

    engine: Engine
    recorder: DownloadRecorder
    sources: Sequence[FundedSource]
    max_file: int
    """Bytes of one file, at most."""
    stop_requested: Callable[[], bool]
    outcome: DownloadOutcome
    limit: RequestLimit
    submit: SubmitFile
    advance: Callable[[DownloadOutcome], None]
    max_bytes: int
    """That may be received."""
    max_pending: int
    """Files that are downloaded and not recorded, at most."""
    _pending: deque[tuple[FundedSource, QueuedFile, DownloadedFile, AnalysisFuture]] = field(
        default_factory=deque
    )
    _failures: dict[str, int] = field(default_factory=dict)
    """Consecutive failures of requests, per source."""
    _left: set[str] = field(default_factory=set)
    """Sources that are not requested any more in this run."""
    _bans: list[Blocked] = field(default_factory=list)
    _vocabulary: frozenset[str] | None = None
    """The names of all vocabularies, as spelled for comparison; None before they are needed."""

    def __post_init__(self) -> None:
        self._turns = list(self.sources)
        self._needed = self._count_needed()
        """Tracks that are needed at the begin."""

    def download_all(self) -> None:
        """Download until nothing is needed; record files as their analyses end."""
        while True:
            if self.stop_requested():
                raise StopRequested
            chosen = self._next_file()
            if chosen is not None:
                self._download(*chosen)
            elif self._pending:
                self._record_oldest()
            else:
                break
            while self._pending and (
                len(self._pending) >= self.max_pending or self._pending[0][-1].done()
            ):
                self._record_oldest()
        if self._bans:
            raise min(self._bans, key=lambda ban: ban.until)

    def record_all(self) -> None:
        """Record what is in progress; files whose analysis did not begin wait for the next run."""
        try:
            while self._pending:
                try:
                    self._record_oldest()
                except DiskFull as error:  # of the folder for files that are kept
                    self.note_full_disk(error)
        finally:
            for source in self.sources:  # also those that could not be recorded
                source.queue.end_all()

    def note_full_disk(self, error: DiskFull) -> None:
        """End the run because of a full disk."""
        self.outcome.disk_full, self.outcome.stopped = error, "disk"

    def _next_file(self) -> tuple[FundedSource, QueuedFile] | None:
        """Return the next file, after listing the files of items that wait for that.

        The sources take turns, file by file.
        """
        for source in tuple(self._turns):
            while source.name not in self._left:
                items = source.queue.next_items()
                if not items:
                    break
                if items[0].status == "waiting":
                    self._list_files(source, items)
                    continue
                queued = source.queue.next_file(items[0])
                if queued is not None:
                    self._turns.remove(source)
                    self._turns.append(source)
                    return source, queued
        return None

    def _list_files(self, source: FundedSource, items: Sequence[StoredItem]) -> None:
        """Request the files of items, and store them."""
        catalogue, downloader = source.queue.source, source.downloader
        ids = [item.item_id for item in items]
        try:
            files = call_with_retries(
                downloader.budget,
                self.recorder.clock,
                partial(catalogue.fetch_files, ids),
                self.limit,
            )
        except (RequestLimitReached, StopRequested):
            raise
        except CollectorError as error:
            self._postpone(source, items, error)
            return
        self._failures[source.name] = 0
        now = self.recorder.clock.now()
        with bulk.exclusive_transaction(self.engine) as connection:
            collected = stored_genres.ids_by_name(connection)
            for item in items:
                found = files.get(item.item_id, GONE)
                if isinstance(found, ItemFiles) and not catalogue.items_are_tracks:
                    matched = match_subjects(found.item.subjects, collected)
                    self._set_aside(connection, matched.others)
                    found = found if matched.genres else RejectReason.OTHER_GENRE.value
                if isinstance(found, str):
                    audio_items.leave_out(connection, item.source, item.item_id, found, now)
                    self.outcome.items_left_out[found] += 1
                elif audio_items.open_item(connection, item.source, item.item_id, found, now):
                    self.outcome.items += 1
                    self.outcome.failed.update(found.passed_over)
                else:
                    self.outcome.items_left_out["no file to use"] += 1

    def _set_aside(self, connection: Connection, subjects: Sequence[str]) -> None:
        """Count subjects that are not genres of the database, and those in a vocabulary."""
        if self._vocabulary is None:
            self._vocabulary = frozenset(map(spelling_key, vocabulary.names(connection)))
        self.outcome.subjects_set_aside.update(subjects)
        self.outcome.genres_not_collected.update(
            subject for subject in subjects if spelling_key(subject) in self._vocabulary
        )

    def _download(self, source: FundedSource, queued: QueuedFile) -> None:
        """Download a file and pass it to the workers; record a failure of the download."""
        size = queued.file.size
        if size is not None and size > self.max_file:
            self._fail(queued, TOO_LARGE)
            return
        self._make_room(source, queued, self.max_file if size is None else size)
        left = self.max_bytes - self.outcome.received
        if left <= 0 or (size is not None and size > left):
            raise ByteLimitReached
        max_bytes = min(self.max_file, left)
        try:
            downloaded = source.downloader.download(
                queued.key,
                queued.file,
                max_bytes,
                self.limit,
                left,
                partial(self._count_dropped, queued),
            )
        except TooManyBytes as error:
            reason = SourceUnavailable("The host broke off, and sent the file from its beginning.")
            self._postpone(source, [queued.item], reason)
            raise ByteLimitReached from error
        except (RequestLimitReached, StopRequested, DiskFull):
            raise
        except DamagedDownload as error:
            if str(error) == TOO_LONG and size is None and max_bytes == left:
                self._retry(queued, TOO_LONG)
                raise ByteLimitReached from error
            self._damaged(queued, error)
        except CollectorError as error:
            self._postpone_file(source, queued, error)
        else:
            self._failures[source.name] = 0
            self.outcome.received += downloaded.received
            path = downloaded.path
            file = AudioFile(path, path.name, downloaded.size, path.stat().st_mtime_ns)
            source.queue.begin(queued, self._genres_of(queued))
            self._pending.append((source, queued, downloaded, self.submit(file)))
        self._report()

    def _genres_of(self, queued: QueuedFile) -> frozenset[int]:
        with read_transaction(self.engine) as connection:
            collected = stored_genres.ids_by_name(connection)
        genres = match_subjects(queued.item.listed.subjects, collected).genres
        return frozenset(collected[name] for name in genres)

    def _make_room(self, source: FundedSource, queued: QueuedFile, size: int) -> None:
        """Record files in progress until another one of this size fits into the folder."""
        folder = source.downloader.folder
        missing = folder.file(*queued.key).missing(size)
        while folder.used() + missing > folder.max_bytes and self._pending:
            self._record_oldest()
        if folder.used() + missing > folder.max_bytes:
            # parts of files that could not be completed
            folder.delete_others([queued.key])

    def _record_oldest(self) -> None:
        source, queued, downloaded, future = self._pending.popleft()
        analysis = future.result()
        if analysis is not None:  # else a stop was requested: it is complete for the next run
            is_track = source.queue.source.items_are_tracks
            finished = FinishedFile(queued, downloaded, analysis, is_track)
            self.recorder.record(finished, self.outcome)
        source.queue.end(queued.key)
        self._report()

    def _damaged(self, queued: QueuedFile, error: DamagedDownload) -> None:
        """Retry a file that is not as described once; then give it up."""
        if queued.attempts + 1 < _MAX_DOWNLOADS:
            self._retry(queued, str(error))
        else:
            self._fail(queued, str(error))

    def _fail(self, queued: QueuedFile, reason: str) -> None:
        now = self.recorder.clock.now()
        with bulk.exclusive_transaction(self.engine) as connection:
            audio_downloads.record_failed(connection, queued.key, reason, 0, now)
        self.outcome.failed[reason] += 1

    def _retry(self, queued: QueuedFile, reason: str) -> None:
        with bulk.exclusive_transaction(self.engine) as connection:
            audio_downloads.record_attempt(connection, queued.key, reason)

    def _count_dropped(self, queued: QueuedFile, received: int) -> None:
        """Count bytes that came for a file and were dropped: they are among the day's, too."""
        self.outcome.received += received
        now = self.recorder.clock.now()
        with bulk.exclusive_transaction(self.engine) as connection:
            audio_downloads.add_received(connection, queued.key, received, now)

    def _postpone_file(
        self, source: FundedSource, queued: QueuedFile, error: CollectorError
    ) -> None:
        """Give up a file that does not exist; postpone its item after any other failure."""
        if isinstance(error, BadRequest):
            self._fail(queued, GONE)
            return
        if isinstance(error, AccessDenied) and not isinstance(error, BadCredentials):
            self._damaged(queued, DamagedDownload("not public, or redirected elsewhere"))
            self._count_failure(source, error)
            return
        self._postpone(source, [queued.item], error)

    def _postpone(
        self, source: FundedSource, items: Sequence[StoredItem], error: CollectorError
    ) -> None:
        """Postpone items after a failed request; leave the source after a ban, or too many."""
        now, reason = self.recorder.clock.now(), _reason(error)
        with bulk.exclusive_transaction(self.engine) as connection:
            for item in items:
                wait = RETRY_AFTER[min(item.attempts, len(RETRY_AFTER) - 1)]
                if isinstance(error, BadRequest):
                    audio_items.leave_out(connection, item.source, item.item_id, reason, now)
                elif not isinstance(error, BadCredentials):
                    attempts = _attempts_after(item.attempts, error)
                    audio_items.postpone(connection, item, attempts, reason, now + wait, now)
        if isinstance(error, BadRequest):
            self.outcome.items_left_out[reason] += len(items)
            return
        self.outcome.items_postponed[reason] += len(items)
        _log.info("items postponed", source=source.name, items=len(items), why=str(error))
        if isinstance(error, Blocked):
            self._bans.append(error)
            self._left.add(source.name)
        else:
            self._count_failure(source, error)

    def _count_failure(self, source: FundedSource, error: CollectorError) -> None:
        failures = self._failures.get(source.name, 0) + 1
        self._failures[source.name] = failures
        if failures >= MAX_FAILURES or isinstance(error, BadCredentials):
            self._left.add(source.name)
            self.outcome.problems.append(f"{source.name}: {error}")

    def _report(self) -> None:
        self.outcome.requests = self.limit.used
        self.outcome.done_share = self._done_share()
        self.advance(self.outcome)

    def _done_share(self) -> float:
        """Estimate the done share of the run, which ends at whichever limit comes first: 0..1."""
        shares = [self.outcome.received / self.max_bytes] if self.max_bytes > 0 else [1.0]
        if self.limit.max_requests:
            shares.append(self.limit.used / self.limit.max_requests)
        if self._needed:
            shares.append(1 - self._count_needed() / self._needed)
        return min(1.0, max(0.0, *shares))

    def _count_needed(self) -> int:
        """Return how many tracks the genres lack, and how many tracks wait for their own files."""
        queues = [source.queue for source in self.sources]
        waiting = sum(one.count_waiting() for one in queues if one.source.items_are_tracks)
        if all(one.source.items_are_tracks for one in queues):
            return waiting
        with read_transaction(self.engine) as connection:
            progress = shards.genre_progress(connection)
        return waiting + sum(max(0, one.target - one.tracks) for one in progress.values())


def _attempts_after(attempts: int, error: CollectorError) -> int:
    """Return the failed attempts of an item after an error.

    Failures of the source pass: they postpone an item, and never make it be left out, however long
    they last. A ban says nothing about the item.
    """
    if isinstance(error, Blocked):
        return attempts
    if isinstance(error, TransientError):
        return max(attempts, min(attempts + 1, _MAX_PASSING))
    return attempts + 1


def _reason(error: CollectorError) -> str:
    """Return a short reason, the same for all failures of a kind."""
    if isinstance(error, Blocked):
        return "the source limits requests"
    if isinstance(error, TransientError):
        return "the source fails"
    return GONE if isinstance(error, BadRequest) else "the source refuses it"

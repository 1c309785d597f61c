"""Record analysed files: the track with its features, or why there is none; delete the file."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

import structlog

from collector.catalogue import audio_downloads
from collector.catalogue import genres as stored_genres
from collector.catalogue.audio_downloads import TRACK_REMOVED
from collector.downloads.downloader import DownloadedFile
from collector.downloads.folder import DiskFull
from collector.downloads.outcome import DownloadOutcome
from collector.downloads.queue import QueuedFile
from collector.downloads.track_metadata import to_track
from collector.records import Level, SourceTrack, TrackObservation
from collector.sources.item_fields import RejectReason
from collector.sources.subject_genres import match_subjects
from genrebase.audio import descriptors
from genrebase.audio.records import AudioAnalysis, UnreadableFile
from genrebase.errors import UserError
from genrebase.new_file import DISK_FULL
from genrebase.runtime.clock import Clock
from genrebase.store import bulk
from genrebase.store.engine import Connection, Engine

UNREADABLE: Final = "not readable as audio"
FFMPEG_MISSING: Final = "of a kind that needs ffmpeg, which is not installed"
_MAX_NAME_BYTES: Final = 200
_MAX_SUFFIX: Final = 16
_HASH_LENGTH: Final = 8

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FinishedFile:
    """A downloaded file with its analysis."""

    queued: QueuedFile
    downloaded: DownloadedFile
    analysis: AudioAnalysis | UnreadableFile
    is_track: bool
    """Whether its item is a track that is stored already."""


@dataclass(frozen=True, slots=True)
class DownloadRecorder:
    """Records files one by one, each in a transaction of its own."""

    engine: Engine
    clock: Clock
    keep: Path | None
    """A folder for the files that were analysed; None: they are deleted."""

    def record(self, finished: FinishedFile, outcome: DownloadOutcome) -> None:
        """Record a file and delete it; raise `DiskFull` if there is no space to keep it."""
        queued, analysis = finished.queued, finished.analysis
        if isinstance(analysis, UnreadableFile):
            kind = FFMPEG_MISSING if analysis.needs_ffmpeg else UNREADABLE
            self._fail(finished, analysis.reason, kind, outcome)
            return
        track = None
        if not finished.is_track:
            source, listed = queued.key.source, queued.item.listed
            named = to_track(source, listed, queued.file, analysis, self.clock.now().year + 1)
            if isinstance(named, RejectReason):
                self._fail(finished, named.value, named.value, outcome)
                return
            track = named
        kept = None if self.keep is None else self._keep(finished, self.keep)
        with bulk.exclusive_transaction(self.engine) as connection:
            recorded = audio_downloads.record_analysed(
                connection,
                queued.key,
                analysis,
                () if track is None else self._observe(connection, queued, track),
                self.clock.now(),
                received=finished.downloaded.received,
                licence=queued.item.listed.licence,
                schema=descriptors.SCHEMA_NAME,
            )
        finished.downloaded.path.unlink(missing_ok=True)
        if recorded is None:
            outcome.failed[TRACK_REMOVED] += 1
            if kept is not None:
                kept.unlink(missing_ok=True)
            return
        outcome.analysed += 1
        outcome.tracks_new += recorded.tracks_new
        outcome.kept += kept is not None
        _log.info("file recorded", item=queued.key.item_id, file=queued.key.name)

    def _observe(
        self, connection: Connection, queued: QueuedFile, track: SourceTrack
    ) -> list[TrackObservation]:
        """Return a track under each genre among its item's subjects: one vote, of the release."""
        collected = stored_genres.ids_by_name(connection)
        genres = match_subjects(queued.item.listed.subjects, collected).genres
        if not genres:
            return [TrackObservation(track, None, 0)]
        return [
            TrackObservation(track, genre, 0, votes=1, level=Level.RELEASE) for genre in genres
        ]

    def _fail(
        self, finished: FinishedFile, reason: str, kind: str, outcome: DownloadOutcome
    ) -> None:
        with bulk.exclusive_transaction(self.engine) as connection:
            audio_downloads.record_failed(
                connection,
                finished.queued.key,
                reason,
                finished.downloaded.received,
                self.clock.now(),
            )
        outcome.failed[kind] += 1
        finished.downloaded.path.unlink(missing_ok=True)
        _log.info("file failed", item=finished.queued.key.item_id, why=reason)

    def _keep(self, finished: FinishedFile, folder: Path) -> Path:
        """Put the file into the folder, below its source and item, before it is recorded."""
        key = finished.queued.key
        target = folder / key.source / key.item_id / kept_name(key.name)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            _link_or_copy(finished.downloaded.path, target)
        except OSError as error:
            if error.errno in DISK_FULL:
                target.unlink(missing_ok=True)
                raise DiskFull(folder, error.strerror or "no space left") from error
            raise UserError(f"{target} cannot be written: {error.strerror}.") from error
        return target


def kept_name(name: str) -> str:
    """Return a file's name without folders, safe on every file system, and short enough.

    A name that had to be changed ends with a hash of what it was: two files of an item never have
    the same one.
    """
    flat = name.replace("/", " - ")
    plain = "".join("_" if one in '<>:"\\|?*' or not one.isprintable() else one for one in flat)
    plain = plain.strip(" .") or "file"
    suffix = PurePosixPath(plain).suffix
    suffix = suffix if suffix[1:].isalnum() and len(suffix) <= _MAX_SUFFIX else ""
    stem = plain[: len(plain) - len(suffix)]
    if plain != name or len(plain.encode()) > _MAX_NAME_BYTES:
        digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
        suffix = f" {digest}{suffix}"
    cut = stem.encode()[: _MAX_NAME_BYTES - len(suffix.encode())]
    return f"{cut.decode(errors='ignore')}{suffix}"


def _link_or_copy(path: Path, target: Path) -> None:
    """Make `target` the same file: a hard link, or a copy on another disk."""
    try:
        os.link(path, target)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise
        shutil.copyfile(path, target)

"""Download audio files of listed items, analyse them in worker processes, record their tracks.

One file is downloaded while others are analysed. A file is recorded in one transaction with its
track and features, then deleted; a run that is killed anywhere downloads no file twice.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collector.catalogue import audio_downloads, audio_files, audio_items
from collector.downloads.folder import DiskFull, DownloadFolder
from collector.downloads.outcome import DownloadOutcome
from collector.downloads.recorder import DownloadRecorder
from collector.downloads.session import DownloadSession, FundedSource
from collector.http.retry import RequestLimit
from genrebase.audio import descriptors, scan
from genrebase.audio.model_manifest import AudioModel
from genrebase.audio.records import ExtractionPlan
from genrebase.audio.workers import SubmitFile, analysis_pool
from genrebase.runtime.clock import Clock
from genrebase.store import bulk
from genrebase.store.engine import Engine, read_transaction

JOB: Final = "listen"

AnalysisPool = Callable[
    [int, ExtractionPlan, Callable[[], bool]], AbstractContextManager[SubmitFile]
]
"""The signature of `analysis_pool`."""


@dataclass(frozen=True)
class DownloadRun:
    """Downloads and analyses what the sources have listed for genres that lack tracks."""

    engine: Engine
    clock: Clock
    sources: Sequence[FundedSource]
    folder: DownloadFolder
    max_file: int
    """Bytes of one file, at most."""
    daily: int
    """Bytes in any 24 hours, at most."""
    stop_requested: Callable[[], bool] = lambda: False
    keep: Path | None = None
    """A folder for the files that were analysed."""
    workers: int = 1
    models: Sequence[AudioModel] = ()
    """Pre-trained networks that analyse each file, too."""
    problems: Sequence[str] = ()
    """Why other sources with waiting items are not used."""
    pool: AnalysisPool = analysis_pool

    def has_work(self) -> bool:
        """Return whether a file may be downloaded now, also one of the greatest size."""
        now = self.clock.now()
        with read_transaction(self.engine) as connection:
            left = self.daily - audio_downloads.received_lately(connection, now)
        if left < min(self.max_file, self.daily):
            return False
        self._add_tracks()
        return any(
            not one.downloader.budget.state().is_blocked(now.timestamp())
            and one.queue.next_items()
            for one in self.sources
        )

    def run(
        self,
        *,
        max_requests: int | None = None,
        max_bytes: int | None = None,
        advance: Callable[[DownloadOutcome], None] = lambda _: None,
    ) -> DownloadOutcome:
        """Download, analyse and record files until nothing is needed, or a limit is reached.

        `max_requests` and `max_bytes` limit this run. What was downloaded when the run ends, for
        whatever reason, is analysed and recorded first.
        """
        scan.require_libraries()
        outcome, limit = DownloadOutcome(problems=list(self.problems)), RequestLimit(max_requests)
        self._add_tracks()
        with bulk.exclusive_transaction(self.engine) as connection:
            audio_files.register_schema(connection, descriptors.SCHEMA_NAME, descriptors.COLUMNS)
            for model in self.models:
                audio_files.register_schema(
                    connection, model.manifest.set, model.manifest.descriptor_names
                )
            begun = audio_items.files_begun(connection)
            received = audio_downloads.received_lately(connection, self.clock.now())
        self.folder.delete_others(begun)
        allowed = self.daily - received
        plan = ExtractionPlan(models=tuple((model, frozenset()) for model in self.models))
        with (
            outcome.until_stopped(limit),
            self.pool(self.workers, plan, self.stop_requested) as submit,
        ):
            session = DownloadSession(
                self.engine,
                DownloadRecorder(self.engine, self.clock, self.keep),
                self.sources,
                self.max_file,
                self.stop_requested,
                outcome,
                limit,
                submit,
                advance,
                max_bytes=allowed if max_bytes is None else min(allowed, max_bytes),
                max_pending=2 * self.workers,
            )
            try:
                session.download_all()
            except DiskFull as error:
                session.note_full_disk(error)
            finally:
                session.record_all()
        outcome.waiting = sum(one.queue.count_waiting() for one in self.sources)
        return outcome

    def _add_tracks(self) -> None:
        """Queue the tracks of sources whose items are tracks."""
        sources = [one.name for one in self.sources if one.queue.source.items_are_tracks]
        if sources:
            with bulk.exclusive_transaction(self.engine) as connection:
                for name in sources:
                    audio_items.add_tracks_without_features(connection, name, self.clock.now())

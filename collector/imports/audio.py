"""Import sound files: listen to them side by side, record them some at a time, in their order.

Nothing is decoded inside a transaction. A file that was heard is not heard again, as long as path,
size and time are the same; killed at any moment and started again, it ends in the same database.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import structlog

from collector.audio import genre_source, metadata
from collector.audio.genre_source import GenreSource
from collector.catalogue import audio_files
from collector.catalogue.audio_files import AudioFileRecord, StoredAudioFile
from collector.datasets import fma
from collector.imports.pipeline import refuse_synthetic_catalogue
from genrebase.audio import descriptors, scan
from genrebase.audio import workers as ears
from genrebase.audio.records import AudioAnalysis, UnreadableFile
from genrebase.audio.scan import AudioFile
from genrebase.audio.workers import AnalyseFiles
from genrebase.progress import ProgressCallback
from genrebase.runtime import new_file
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import job_run
from genrebase.store.engine import Engine, read_transaction, transaction

JOB: Final = "import-audio"
BATCH_FILES: Final = 16
"""Files of one transaction, at most."""
BATCH_SECONDS: Final = 5.0
"""After which what was heard is recorded, however little it is."""
_LABELLED_AT_ONCE: Final = 1_000

_Item = TypeVar("_Item")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AudioImportRequest:
    """What is to be imported, and how."""

    path: Path
    """A folder or a file."""
    genre_source: GenreSource = genre_source.no_genres
    fma_tracks: fma.FmaTracks | None = None
    """FMA's own table, which names the tracks by their files."""
    workers: int = 1
    rejects_path: Path | None = None
    """A new file that gets a line for every file that could not be heard."""


@dataclass(slots=True)
class AudioImportResult:
    """What became of the files: each was known, is heard now, or could not be."""

    files: int = 0
    """Found in the folder."""
    unchanged: int = 0
    """Heard at an earlier time, and unchanged."""
    analysed: int = 0
    tracks_new: int = 0
    duplicates: int = 0
    """Files heard now whose track was there already."""
    unlabelled: int = 0
    """Files heard now that tell no genre."""
    relabelled: int = 0
    """Files heard earlier whose genre or published name is new."""
    unreadable: list[UnreadableFile] = field(default_factory=list)
    seconds: float = 0.0
    stopped: Literal["done", "interrupted"] = "done"

    @property
    def files_per_second(self) -> float:
        """Files looked at in a second, those that were known left out."""
        return (
            round((self.analysed + len(self.unreadable)) / self.seconds, 2)
            if self.seconds
            else 0.0
        )

    def as_json(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {
            "files": self.files,
            "known": self.unchanged,
            "heard": self.analysed,
            "tracks_new": self.tracks_new,
            "duplicates": self.duplicates,
            "unlabelled": self.unlabelled,
            "relabelled": self.relabelled,
            "unreadable": [{"path": one.path, "reason": one.reason} for one in self.unreadable],
            "seconds": round(self.seconds, 3),
            "files_per_second": self.files_per_second,
            "stopped": self.stopped,
        }


def import_audio(
    engine: Engine,
    clock: Clock,
    asked: AudioImportRequest,
    advance: ProgressCallback,
    stop_requested: Callable[[], bool] = lambda: False,
    listen: AnalyseFiles = ears.analyse_files,
) -> AudioImportResult:
    """Import the sound files of a folder, or one file.

    Raises `Refused` where there is no such folder or `rejects_path` exists, `NothingToDo` where there
    is no sound, `OtherCatalogue` for a database of invented tracks: before anything is written.
    Asked to stop, it records the files in hand and ends.
    """
    refuse_synthetic_catalogue(engine)
    files, problems = scan.find_audio_files(asked.path)
    with (
        new_file.create_csv(asked.rejects_path, ("path", "reason")) as note,
        job_run(engine, clock, JOB) as run,
    ):
        importing = _Importing(engine, clock, asked, note, advance, listen)
        importing.run(files, problems, stop_requested)
        found = importing.found
        if found.stopped == "interrupted":
            run.set_outcome("interrupted")
        run.set_facts(
            folder=scan.display_path(asked.path.absolute()), unreadable=len(found.unreadable)
        )
        run.count(files=found.files, heard=found.analysed, tracks_new=found.tracks_new)
    return found


class _Importing:
    """One import under way."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        asked: AudioImportRequest,
        note: Any,
        advance: ProgressCallback,
        listen: AnalyseFiles,
    ) -> None:
        self._engine, self._clock, self._asked = engine, clock, asked
        self._note, self._advance, self._hear = note, advance, listen
        self.found = AudioImportResult()
        self._not_heard = 0
        self._began = clock.monotonic()

    def run(
        self,
        files: Sequence[AudioFile],
        problems: Iterable[UnreadableFile],
        stop: Callable[[], bool],
    ) -> None:
        """Hear and record all files that need it."""
        self.found.files = len(files)
        for problem in problems:
            self._reject(problem)
        with read_transaction(self._engine) as connection:
            done = audio_files.stored_files(connection, descriptors.SCHEMA_NAME)
        same = {file.key: file for file in files if _is_done(done.get(file.key), file)}
        missing = [file for file in files if file.key not in same]
        self.found.unchanged = len(same)
        self._tell()
        self._relabel({done[key]: file for key, file in same.items()})
        if missing:
            with transaction(self._engine) as connection:
                audio_files.register_schema(
                    connection, descriptors.SCHEMA_NAME, descriptors.COLUMNS
                )
            known = frozenset(one.digest for one in done.values())
            self._listen(self._hear(missing, self._asked.workers, known, stop))
        self.found.seconds = self._clock.monotonic() - self._began
        reached = self.found.unchanged + self.found.analysed + self._not_heard
        if reached < len(files):
            self.found.stopped = "interrupted"

    def _listen(self, answers: Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]) -> None:
        batch: list[AudioFileRecord] = []
        recorded_at = self._clock.monotonic()
        for file, answer in answers:
            if isinstance(answer, UnreadableFile):
                self._not_heard += 1
                self._reject(answer)
            else:
                batch.append(self._as_track(file, answer))
            late = self._clock.monotonic() - recorded_at >= BATCH_SECONDS
            if len(batch) >= BATCH_FILES or late:
                self._record(batch)
                batch, recorded_at = [], self._clock.monotonic()
            self._tell(len(batch))
        self._record(batch)
        self._tell()

    def _record(self, batch: Sequence[AudioFileRecord]) -> None:
        if not batch:
            return
        with transaction(self._engine) as connection:
            recorded = audio_files.record_files(
                connection, batch, descriptors.SCHEMA_NAME, self._clock.now()
            )
        _log.info("files recorded", files=len(batch))
        self.found.analysed += len(batch)
        self.found.tracks_new += recorded.tracks_new
        self.found.duplicates += len(batch) - recorded.tracks_new
        self.found.unlabelled += sum(not one.genres for one in batch)

    def _as_track(self, file: AudioFile, heard: AudioAnalysis) -> AudioFileRecord:
        published = self._published(file)
        if published is not None:
            return AudioFileRecord(
                file, heard.digest, published.track, published.genres, heard.features
            )
        track = metadata.to_track(file.path.stem, heard, self._clock.now().year + 1)
        genres = self._asked.genre_source(file, heard.tags)
        return AudioFileRecord(file, heard.digest, track, genres, heard.features)

    def _published(self, file: AudioFile) -> fma.FmaTrack | None:
        if self._asked.fma_tracks is None:
            return None
        return self._asked.fma_tracks.get(genre_source.file_number(file.path.stem))

    def _relabel(self, heard: Mapping[StoredAudioFile, AudioFile]) -> None:
        """Record what is told now of files that were heard before: a genre, a published name."""
        published = {
            done: one for done, file in heard.items() if (one := self._published(file)) is not None
        }
        told = {
            done: genres
            for done, file in heard.items()
            if done not in published and (genres := self._asked.genre_source(file, None))
        }
        with read_transaction(self._engine) as connection:
            stored = audio_files.genres_of(connection, [done.track_id for done in told])
            own = [one.track.source_id for one in published.values()]
            ids = audio_files.track_ids(connection, fma.SOURCE, own)
        new = {
            done: genres
            for done, genres in told.items()
            if not stored.get(done.track_id, set()).issuperset(genres)
        }
        named = [
            AudioFileRecord(heard[done], done.digest, one.track, one.genres, None)
            for done, one in published.items()
            if ids.get(one.track.source_id) != done.track_id
        ]
        for some in _parts(list(new.items())):
            with transaction(self._engine) as connection:
                audio_files.add_genres(connection, dict(some), self._clock.now())
        for files in _parts(named):
            with transaction(self._engine) as connection:
                audio_files.record_files(
                    connection, files, descriptors.SCHEMA_NAME, self._clock.now()
                )
        self.found.relabelled = len(new) + len(named)

    def _reject(self, problem: UnreadableFile) -> None:
        self.found.unreadable.append(problem)
        self._note.writerow((problem.path, problem.reason))

    def _tell(self, in_hand: int = 0) -> None:
        found = self.found
        seconds = self._clock.monotonic() - self._began
        looked_at = found.analysed + self._not_heard + in_hand
        rate = looked_at / seconds if seconds > 0 else 0.0
        self._advance(found.unchanged + looked_at, total=found.files, note=f"{rate:.2f} files/s")


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    for first in range(0, len(items), _LABELLED_AT_ONCE):
        yield items[first : first + _LABELLED_AT_ONCE]


def _is_done(done: StoredAudioFile | None, file: AudioFile) -> bool:
    return done is not None and done.is_unchanged(file)

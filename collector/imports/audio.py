"""Import audio files: analyse them in worker processes, record the results in batches.

Nothing is decoded inside a transaction. A file is skipped while its path, size and time are
unchanged. The import is idempotent: started again after a kill, it ends in the same database.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import structlog

from collector.audio import genre_source, genre_table, metadata
from collector.audio.genre_source import GenreSource
from collector.catalogue import audio_files, audio_names
from collector.catalogue.aliases import tracks_of_aliases
from collector.catalogue.audio_files import StoredAudioFile
from collector.catalogue.audio_names import AudioFileRecord
from collector.datasets import fma, segment_names
from collector.datasets.rows import ParsedRow
from collector.imports.pipeline import batches, refuse_synthetic_catalogue
from collector.imports.records import ImportContext
from genrebase import new_file
from genrebase.audio import descriptors, scan, tags, workers
from genrebase.audio.model_manifest import AudioModel
from genrebase.audio.records import AudioAnalysis, ExtractionPlan, UnreadableFile
from genrebase.audio.scan import AudioFile
from genrebase.audio.workers import AnalyseFiles
from genrebase.runtime.jobs import job_run
from genrebase.store import bulk
from genrebase.store.engine import read_transaction, transaction

JOB: Final = "import-audio"
BATCH_FILES: Final = 16
"""Files of one transaction, at most."""
BATCH_SECONDS: Final = 5.0
"""Maximum seconds until a batch is recorded, whatever its size."""
_RELABEL_BATCH: Final = 1_000
_REJECTS_COLUMNS: Final = ("path", "reason", "outcome")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AudioImportRequest:
    """What to import, and how."""

    path: Path
    """A folder or a file."""
    genre_source: GenreSource = genre_source.no_genres
    fma_tracks: fma.FmaTracks | None = None
    """FMA's table, which identifies tracks by their file names."""
    workers: int = 1
    licence: str | None = None
    """The licence of files that FMA's table does not name, as in `genrebase.licences`."""
    models: tuple[AudioModel, ...] = ()
    """Pre-trained networks that analyse each file, too."""


@dataclass(frozen=True, slots=True)
class AudioRemark:
    """A fault of an analysed file: what was lost or corrected."""

    path: str
    remark: str


@dataclass(slots=True)
class AudioImportResult:
    """The outcome of an import: every file is unchanged, analysed now, or unreadable."""

    files: int = 0
    """Audio files in the folder."""
    unchanged: int = 0
    """Imported earlier, and unchanged."""
    analysed: int = 0
    tracks_new: int = 0
    duplicates: int = 0
    """Files analysed now whose track was in the database."""
    unlabelled: int = 0
    """Files analysed now that have no genre."""
    relabelled: int = 0
    """Files imported earlier whose genre or FMA track is new."""
    renamed: int = 0
    """Tracks of earlier imports whose name was replaced by one from tags."""
    unreadable: list[UnreadableFile] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """Sentences on the folder as a whole, such as pieces of one recording."""
    remarks: list[AudioRemark] = field(default_factory=list)
    """What was lost or corrected in files that were analysed now."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """Of the unreadable files those that need ffmpeg, per suffix."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Files of other kinds, per suffix."""
    links_followed: int = 0
    """Linked folders that were scanned."""
    links_repeated: int = 0
    """Linked folders that lead to an already scanned folder."""
    seconds: float = 0.0
    stopped: Literal["done", "interrupted"] = "done"

    @property
    def files_per_second(self) -> float:
        """Files processed per second, without those that were unchanged."""
        processed = self.analysed + len(self.unreadable)
        return round(processed / self.seconds, 2) if self.seconds else 0.0

    def as_json(self) -> dict[str, Any]:
        return {
            "files": self.files,
            "known": self.unchanged,
            "heard": self.analysed,
            "tracks_new": self.tracks_new,
            "duplicates": self.duplicates,
            "unlabelled": self.unlabelled,
            "relabelled": self.relabelled,
            "renamed": self.renamed,
            "unreadable": [{"path": file.path, "reason": file.reason} for file in self.unreadable],
            "warnings": self.warnings,
            "remarks": [{"path": one.path, "remark": one.remark} for one in self.remarks],
            "passed_over": dict(self.passed_over.most_common()),
            "ignored": dict(self.ignored.most_common()),
            "links": {"followed": self.links_followed, "repeated": self.links_repeated},
            "seconds": round(self.seconds, 3),
            "files_per_second": self.files_per_second,
            "stopped": self.stopped,
        }


def import_audio(
    context: ImportContext,
    request: AudioImportRequest,
    analyse_files: AnalyseFiles = workers.analyse_files,
) -> AudioImportResult:
    """Import the audio files of a folder, or one file.

    The file of rejected rows gets a line for every file that could not be analysed, and every
    remark. Raises `UserError` if it exists or the path does not, `NothingToDo` if there are no
    audio files, `CatalogueMismatch` for a synthetic catalogue: before anything is written. After a
    stop request it records the files in progress and ends.
    """
    refuse_synthetic_catalogue(context.engine)
    audio = scan.find_audio_files(request.path)
    with (
        new_file.create_csv(
            context.rejected, _REJECTS_COLUMNS, for_spreadsheets=context.for_spreadsheets
        ) as rejects,
        job_run(context.engine, context.clock, JOB) as run,
    ):
        importer = _Importer(context, request, rejects)
        importer.run(audio, analyse_files)
        result = importer.result
        if result.stopped == "interrupted":
            run.set_outcome("interrupted")
        folder = scan.display_path(request.path.absolute())
        run.set_facts(
            folder=folder,
            unreadable=len(result.unreadable),
            remarks=len(result.remarks),
            licence=request.licence,
        )
        run.count(files=result.files, heard=result.analysed, tracks_new=result.tracks_new)
    return result


class _Importer:
    def __init__(self, context: ImportContext, request: AudioImportRequest, rejects: Any) -> None:
        self._engine, self._clock = context.engine, context.clock
        self._context, self._request, self._rejects = context, request, rejects
        self.result = AudioImportResult()
        self._failed = 0
        """Files that could not be analysed; `result.unreadable` holds folders, too."""
        self._recording_of: Mapping[str, str] = {}
        """The recording of each file that is a piece of one: paths without the suffix."""
        self._started = self._clock.monotonic()

    def run(self, audio: scan.AudioScan, analyse_files: AnalyseFiles) -> None:
        result, files = self.result, audio.files
        result.files, result.ignored = len(files), audio.ignored
        result.links_followed, result.links_repeated = audio.links_followed, audio.links_repeated
        self._find_pieces(files)
        result.warnings += self._request.genre_source.survey(files)
        for file in audio.unreadable:
            self._reject(file)
        with read_transaction(self._engine) as connection:
            stored = audio_files.stored_files(connection, descriptors.SCHEMA_NAME)
            models = tuple(
                (model, audio_files.digests_with_set(connection, model.manifest.set))
                for model in self._request.models
            )
        plan = ExtractionPlan(frozenset(entry.digest for entry in stored.values()), models)
        unchanged: dict[StoredAudioFile, AudioFile] = {}
        pending: list[AudioFile] = []
        for audio_file in files:
            entry = stored.get(audio_file.key)
            is_complete = entry is not None and all(entry.digest in have for _, have in models)
            if entry is not None and is_complete and entry.is_unchanged(audio_file):
                unchanged[entry] = audio_file
            else:
                pending.append(audio_file)
        result.unchanged = len(unchanged)
        self._report()
        self._relabel(unchanged)
        if pending:
            with bulk.exclusive_transaction(self._engine) as connection:
                audio_files.register_schema(
                    connection, descriptors.SCHEMA_NAME, descriptors.COLUMNS
                )
                for model in self._request.models:
                    audio_files.register_schema(
                        connection, model.manifest.set, model.manifest.descriptor_names
                    )
            stop_requested = self._context.stop_requested
            self._record_all(analyse_files(pending, self._request.workers, plan, stop_requested))
        result.seconds = self._clock.monotonic() - self._started
        if result.unchanged + result.analysed + self._failed < len(files):
            result.stopped = "interrupted"

    def _find_pieces(self, files: Sequence[AudioFile]) -> None:
        """Find pieces of one recording by the names of all files; folders count as genres."""
        paths = [_without_suffix(file) for file in files]
        folders = [PurePosixPath(path).parent.name for path in paths]
        found = segment_names.find_segments(paths, folders)
        self._recording_of = found.recording_of
        if found.warning is not None:
            self.result.warnings.append(found.warning)

    def _record_all(
        self, analyses: Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]
    ) -> None:
        batch: list[AudioFileRecord] = []
        recorded_at = self._clock.monotonic()
        for file, analysis in analyses:
            if isinstance(analysis, UnreadableFile):
                self._failed += 1
                self._reject(analysis)
            else:
                self._add_remarks(file, analysis)
                batch.append(self._as_record(file, analysis))
            is_due = self._clock.monotonic() - recorded_at >= BATCH_SECONDS
            if len(batch) >= BATCH_FILES or is_due:
                self._record(batch)
                batch, recorded_at = [], self._clock.monotonic()
            self._report(len(batch))
        self._record(batch)
        self._report()

    def _record(self, batch: Sequence[AudioFileRecord]) -> None:
        if not batch:
            return
        with transaction(self._engine) as connection:
            recorded = audio_files.record_files(
                connection, batch, descriptors.SCHEMA_NAME, self._clock.now()
            )
        _log.info("files recorded", files=len(batch))
        for record in batch:
            if (name := recorded.other_names.get(record.file.key)) is not None:
                self._add_remark(record.file, f"the same audio is stored under the name {name}")
        self.result.analysed += len(batch)
        self.result.tracks_new += recorded.tracks_new
        self.result.duplicates += len(batch) - recorded.tracks_new
        self.result.renamed += recorded.renamed
        self.result.relabelled += recorded.relabelled
        self.result.unlabelled += sum(not record.genres for record in batch)

    def _as_record(self, file: AudioFile, analysis: AudioAnalysis) -> AudioFileRecord:
        published = self._fma_track(file)
        if published is not None:
            track, genres = published.track, published.genres
        else:
            recording = self._recording_of.get(_without_suffix(file))
            track = metadata.to_track(
                scan.name_text(file.path.stem),
                analysis,
                self._clock.now().year + 1,
                None if recording is None else scan.name_text(PurePosixPath(recording).name),
            )
            track = track._replace(licence=self._request.licence)
            genres = tuple(self._request.genre_source.genres(file, analysis.tags))
        is_tagged = published is None and metadata.is_tagged(analysis.tags)
        return AudioFileRecord(
            file,
            analysis.digest,
            track,
            genres,
            analysis.features,
            is_tagged,
            analysis.vectors,
        )

    def _fma_track(self, file: AudioFile) -> ParsedRow | None:
        tracks = self._request.fma_tracks or {}
        return tracks.get(genre_table.file_number(file.path.stem))

    def _relabel(self, unchanged: Mapping[StoredAudioFile, AudioFile]) -> None:
        """Record new genres, or FMA tracks, of files that were imported earlier."""
        published: dict[StoredAudioFile, ParsedRow] = {}
        genres: dict[StoredAudioFile, Sequence[str]] = {}
        for entry, file in unchanged.items():
            if (track := self._fma_track(file)) is not None:
                published[entry] = track
            elif names := self._genres_of_unchanged(file):
                genres[entry] = names
        with read_transaction(self._engine) as connection:
            stored = audio_names.genres_of(connection, [entry.track_id for entry in genres])
            keys = {entry.track_id: entry.key for entry in genres}
            own = audio_names.own_tracks(connection, keys)
            fma_ids = [track.track.source_id for track in published.values()]
            track_ids = tracks_of_aliases(connection, fma.SOURCE, fma_ids)
        labelled = [
            (entry, names)
            for entry, names in genres.items()
            if self._is_relabelled(stored.get(entry.track_id, {}), names, entry.track_id in own)
        ]
        renamed = [
            AudioFileRecord(unchanged[entry], entry.digest, track.track, track.genres, None)
            for entry, track in published.items()
            if track_ids.get(track.track.source_id) != entry.track_id
        ]
        for batch in batches(labelled, _RELABEL_BATCH):
            with transaction(self._engine) as connection:
                audio_files.add_genres(connection, dict(batch), self._clock.now())
        for records in batches(renamed, _RELABEL_BATCH):
            with transaction(self._engine) as connection:
                audio_files.record_files(
                    connection, records, descriptors.SCHEMA_NAME, self._clock.now()
                )
        if self._request.licence is not None:
            licensed = [entry.track_id for entry in unchanged if entry not in published]
            with bulk.exclusive_transaction(self._engine) as connection:
                audio_files.set_licence(connection, licensed, self._request.licence)
        self.result.relabelled += len(labelled) + len(renamed)

    def _genres_of_unchanged(self, file: AudioFile) -> Sequence[str]:
        source = self._request.genre_source
        return source.genres(file, tags.read_tags(file.path) if source.reads_tags else None)

    @staticmethod
    def _is_relabelled(stored: Mapping[str, int], names: Sequence[str], is_own: bool) -> bool:
        """Return whether genres of an unchanged file are to be recorded."""
        if is_own:
            return dict(stored) != audio_names.ranks_of(names)
        return not stored.keys() >= set(names)

    def _reject(self, file: UnreadableFile) -> None:
        self.result.unreadable.append(file)
        if file.needs_ffmpeg:
            self.result.passed_over[Path(file.path).suffix.lower()] += 1
        self._rejects.writerow((file.path, file.reason, "not imported"))

    def _add_remarks(self, file: AudioFile, analysis: AudioAnalysis) -> None:
        for remark in analysis.remarks:
            self._add_remark(file, remark)
        if (name := scan.name_text(file.path.name)) != file.path.name:
            self._add_remark(file, f"its name is not UTF-8: read as {name}")

    def _add_remark(self, file: AudioFile, remark: str) -> None:
        path = scan.display_path(file.path)
        self.result.remarks.append(AudioRemark(path, remark))
        self._rejects.writerow((path, remark, "imported"))

    def _report(self, unrecorded: int = 0) -> None:
        result = self.result
        seconds = self._clock.monotonic() - self._started
        processed = result.analysed + self._failed + unrecorded
        note = f"{processed / seconds:.2f} files/s" if processed and seconds > 0 else None
        self._context.progress(result.unchanged + processed, result.files, note=note)


def _without_suffix(file: AudioFile) -> str:
    return PurePosixPath(file.relative_path).with_suffix("").as_posix()

"""Preview an import: read the whole table as an import would, and write nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from collector.catalogue import identity, tracks
from collector.catalogue.dataset_origin import DatasetOrigin
from collector.catalogue.identity import DurationRange
from collector.datasets.parsing import genre_cells
from collector.datasets.rows import ParsedRow
from collector.imports.records import ImportResult, ImportSource, ReadRow
from collector.records import SourceTrack
from genrebase.progress import ProgressCallback
from genrebase.store.engine import Engine, read_transaction
from genrebase.store.source_ids import NAME_ONLY


@dataclass(slots=True)
class _NewRecording:
    """A track that the import would create."""

    id: int
    durations: DurationRange
    isrc: None = None
    ordinal: int = 0


class ImportPreview:
    """Counts what an import of a source would do."""

    def __init__(self, engine: Engine, source: ImportSource, chosen: DatasetOrigin) -> None:
        self._engine, self._source, self._chosen = engine, source, chosen
        self._rows = self._new = self._unlabelled = 0
        self._reasons: Counter[str] = Counter()
        self._genres: set[str] = set()
        self._recordings: dict[int, list[_NewRecording]] = {}
        """The tracks that are not stored, by the hash of their names' key."""
        self._ids: set[int] = set()
        """Hashes of the ids and ISRCs that rows gave their tracks."""

    def read(
        self,
        batches: Iterable[Sequence[ReadRow]],
        progress: ProgressCallback,
        stop_requested: Callable[[], bool],
    ) -> Literal["done", "interrupted"]:
        """Read the rows, until the end or a stop request."""
        source = self._source
        for rows in batches:
            if stop_requested():
                return "interrupted"
            self._count(rows)
            total = source.estimate_rows(self._rows)
            progress(self._rows, total=total, estimated=not source.has_exact_count)
        progress(self._rows, total=self._rows)
        return "done"

    def _count(self, rows: Sequence[ReadRow]) -> None:
        self._rows += len(rows)
        parsed = [row for row in rows if isinstance(row, ParsedRow)]
        self._reasons.update(str(row) for row in rows if not isinstance(row, ParsedRow))
        self._unlabelled += sum(not row.genres for row in parsed)
        self._genres.update(genre for row in parsed for genre in row.genres)
        with read_transaction(self._engine) as connection:
            are_stored = tracks.are_stored(
                connection, [row.track for row in parsed], self._chosen.versions
            )
        for row, is_stored in zip(parsed, are_stored, strict=True):
            if not self._source.compares_rows:
                self._new += not is_stored
                continue
            if not is_stored and not self._is_repeated(row.track):
                self._add(row.track)
            self._ids.update(map(hash, _ids_of(row.track)))

    def _is_repeated(self, track: SourceTrack) -> bool:
        """Return whether an earlier row is the same track, by the rules of an import."""
        if any(hash(one) in self._ids for one in _identifying(track)):
            return True
        candidates = self._recordings.get(hash(track.name_key), ())
        same = identity.match_recording(candidates, track.duration_ms, None)
        if same is None or not track.match_by_name:
            return False
        same.durations.extend(track.duration_ms)
        return True

    def _add(self, track: SourceTrack) -> None:
        self._new += 1
        recording = _NewRecording(self._new, DurationRange(track.duration_ms, track.duration_ms))
        self._recordings.setdefault(hash(track.name_key), []).append(recording)

    def result(self, seconds: float, stopped: Literal["done", "interrupted"]) -> ImportResult:
        """Return the counts."""
        source, rejected = self._source, self._reasons.total()
        return ImportResult(
            rows=self._rows,
            tracks_new=self._new,
            duplicates=self._rows - rejected - self._new,
            rejected=rejected,
            reasons=dict(sorted(self._reasons.items())),
            unlabelled=self._unlabelled,
            genres=len(self._genres),
            seconds=round(seconds, 3),
            rows_per_second=round(self._rows / seconds, 1) if seconds > 0 else 0.0,
            unreadable=source.unreadable(),
            out_of_range=source.out_of_range(),
            without_beat=source.without_beat(),
            similar_genres=genre_cells.group_similar(self._genres),
            stopped=stopped,
            warnings=tuple(source.warnings()),
            columns=dict(source.columns),
            ignored_columns=tuple(source.ignored_columns),
            corrects=list(self._chosen.versions),
            other_tables=list(self._chosen.others),
            conflicts=source.conflicts(),
            stored_only=source.stored_only,
            dry_run=True,
        )


def _ids_of(track: SourceTrack) -> Iterator[tuple[str, str]]:
    """Yield the row's own id and, where its name does not identify it, name and ISRC."""
    if track.source != NAME_ONLY:
        yield track.source, track.source_id
    if track.isrc is not None and not track.match_by_name:
        yield track.name_key, track.isrc


def _identifying(track: SourceTrack) -> Iterator[tuple[str, str]]:
    """Yield what identifies a track by itself: a file's own id needs an equal name, too."""
    needs_name = track.needs_name
    return (one for one in _ids_of(track) if not needs_name or one[0] != track.source)

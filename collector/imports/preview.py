"""Preview an import: read the whole table as an import would, and write nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from collector.catalogue import identity, tracks
from collector.catalogue.dataset_origin import DatasetOrigin
from collector.catalogue.identity import DurationRange
from collector.datasets.parsing import genre_names
from collector.datasets.rows import ParsedRow
from collector.imports.records import ImportResult, ImportSource, ReadRow
from collector.records import SourceTrack
from genrebase.progress import ProgressCallback
from genrebase.store.engine import Engine, read_transaction
from genrebase.store.source_ids import NAME_ONLY


@dataclass(slots=True, eq=False)
class _NewRecording:
    """A track that the import would create."""

    id: int
    name: int
    """The hash of its name's key."""
    durations: DurationRange
    isrc: None = None
    merged_into: "_NewRecording | None" = None

    @property
    def current(self) -> "_NewRecording":
        """What it was merged into, or itself."""
        return self if self.merged_into is None else self.merged_into.current


class ImportPreview:
    """Counts what an import of a source would do."""

    def __init__(self, engine: Engine, source: ImportSource, chosen: DatasetOrigin) -> None:
        self._engine, self._source, self._chosen = engine, source, chosen
        self._rows = self._new = self._unlabelled = self._last_id = 0
        self._reasons: Counter[str] = Counter()
        self._genres: set[str] = set()
        self._recordings: dict[int, list[_NewRecording]] = {}
        """The tracks that are not stored, by the hash of their names' key."""
        self._ids: dict[int, _NewRecording | None] = {}
        """The tracks of ids and ISRCs that rows gave, by hash; None: a stored one."""

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
            recording = None if is_stored else self._resolve(row.track)
            for one in _ids_of(row.track):
                self._ids.setdefault(hash(one), recording)

    def _resolve(self, track: SourceTrack) -> _NewRecording | None:
        """Return the track of a row by the rules of an import, a new one if no earlier row has it.

        None: one that is stored.
        """
        known = next((one for one in map(hash, _identifying(track)) if one in self._ids), None)
        if known is not None:
            recording = self._ids[known]
            return None if recording is None else self._repeat(recording.current, track)
        same = self._same(track)
        if same:
            return self._merge(same, track)
        return self._add(track)

    def _repeat(self, recording: _NewRecording, track: SourceTrack) -> _NewRecording:
        """Include the duration of a row that has the id of a recording, where it is near."""
        duration, known = track.duration_ms, recording.durations
        if known.shortest is None:
            known.extend(duration)
            return recording
        is_same_name = recording.name == hash(track.name_key)
        if duration is None or not is_same_name or not known.is_near(duration):
            return recording
        return self._merge([recording, *self._same(track)], track)

    def _same(self, track: SourceTrack) -> list[_NewRecording]:
        """Return the recordings of the same name and duration."""
        if not track.match_by_name:
            return []
        candidates = self._recordings.get(hash(track.name_key), ())
        return identity.match_recordings(candidates, track.duration_ms, None)

    def _merge(self, same: Sequence[_NewRecording], track: SourceTrack) -> _NewRecording:
        """Make one recording of those that a row joins."""
        oldest, *others = sorted({one.id: one for one in same}.values(), key=lambda one: one.id)
        for other in others:
            oldest.durations.extend(other.durations.shortest)
            oldest.durations.extend(other.durations.longest)
            other.merged_into = oldest
            self._recordings[other.name].remove(other)
            self._new -= 1
        oldest.durations.extend(track.duration_ms)
        return oldest

    def _add(self, track: SourceTrack) -> _NewRecording:
        self._new += 1
        self._last_id += 1
        durations = DurationRange(track.duration_ms, track.duration_ms)
        recording = _NewRecording(self._last_id, hash(track.name_key), durations)
        self._recordings.setdefault(recording.name, []).append(recording)
        return recording

    def result(self, seconds: float, stopped: Literal["done", "interrupted"]) -> ImportResult:
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
            similar_genres=genre_names.group_similar(self._genres),
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
        yield track.address
    if track.isrc is not None and not track.match_by_name:
        yield track.name_key, track.isrc


def _identifying(track: SourceTrack) -> Iterator[tuple[str, str]]:
    """Yield what identifies a track by itself: a file's own id needs an equal name, too."""
    needs_name = track.needs_name
    return (one for one in _ids_of(track) if not needs_name or one[0] != track.source)

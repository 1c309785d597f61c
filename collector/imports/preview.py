"""Preview an import: read the whole table as an import would, and write nothing."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from collector.catalogue import tracks
from collector.catalogue.dataset_origin import DatasetOrigin
from collector.datasets.rows import ParsedRow
from collector.imports.records import ImportResult, ImportSource, ReadRow
from collector.records import SourceTrack
from genrebase.progress import ProgressCallback
from genrebase.store.engine import Engine, read_transaction
from genrebase.store.source_ids import NAME_ONLY


class ImportPreview:
    """Counts what an import of a source would do."""

    def __init__(self, engine: Engine, source: ImportSource, chosen: DatasetOrigin) -> None:
        self._engine, self._source, self._chosen = engine, source, chosen
        self._rows = self._stored = self._unlabelled = 0
        self._reasons: Counter[str] = Counter()
        self._genres: set[str] = set()
        self._new: set[int] = set()
        """Hashes of what identifies the tracks that are not stored."""

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
            are_stored = tracks.are_stored(connection, [row.track for row in parsed])
        for row, is_stored in zip(parsed, are_stored, strict=True):
            self._stored += is_stored
            if not is_stored:
                self._new.add(hash(_identity(row.track)))

    def result(self, seconds: float, stopped: Literal["done", "interrupted"]) -> ImportResult:
        """Return the counts; a new track that occurs twice without an id may count as one."""
        source, rejected = self._source, self._reasons.total()
        return ImportResult(
            rows=self._rows,
            tracks_new=len(self._new),
            duplicates=self._rows - rejected - len(self._new),
            rejected=rejected,
            reasons=dict(sorted(self._reasons.items())),
            unlabelled=self._unlabelled,
            genres=len(self._genres),
            seconds=round(seconds, 3),
            rows_per_second=round(self._rows / seconds, 1) if seconds > 0 else 0.0,
            unreadable=source.unreadable(),
            out_of_range=source.out_of_range(),
            without_beat=source.without_beat(),
            claims_moved=0,
            similar_genres=[],
            stopped=stopped,
            warnings=tuple(source.warnings()),
            columns=dict(source.columns),
            ignored_columns=tuple(source.ignored_columns),
            corrects=list(self._chosen.versions),
            other_tables=list(self._chosen.others),
            dry_run=True,
        )


def _identity(track: SourceTrack) -> tuple[str, str]:
    if track.source == NAME_ONLY:
        return NAME_ONLY, track.name_key
    return track.source, track.source_id

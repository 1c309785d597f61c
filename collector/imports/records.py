"""The source and the result of an import."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from collector.datasets.formats.table import BrokenRow
from collector.datasets.rows import ParsedRow, RowRejection
from collector.records import Provenance
from collector.sources.item_fields import RejectReason
from genrebase.progress import ProgressCallback
from genrebase.runtime.clock import Clock
from genrebase.store.engine import Engine

ReadRow = ParsedRow | RowRejection | BrokenRow | RejectReason
"""A parsed row of a table, or the reason for its rejection."""


Reject = Callable[[int, str], object]
"""Takes the number of a rejected row, and the reason."""


@dataclass(frozen=True, slots=True)
class ImportContext:
    """What every import is given beside its files."""

    engine: Engine
    clock: Clock
    progress: ProgressCallback
    rejected: Path | None = None
    """A new file that gets a line for every rejected row; `UserError` if it exists."""
    for_spreadsheets: bool = False
    """Whether texts in that file that a spreadsheet would execute are changed."""
    stop_requested: Callable[[], bool] = lambda: False
    """After a stop request, an import ends with the batch in progress; the next one continues."""
    dry_run: bool = False
    """Whether all rows are read, and nothing is written."""


@dataclass(frozen=True, slots=True)
class DescriptorSchema:
    """The schema of a table's descriptors."""

    name: str
    columns: Sequence[str]
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """An open table: its rows, and the properties of their import."""

    name: str
    """The file's name, as `imported_file` records it."""
    folder: str | None = None
    """Its folder, where the job's run shows that instead."""
    sha256: str
    """Identifies this import of the file; see `reader.fingerprint`."""
    rows: Iterator[ReadRow]
    batch_rows: int
    """Rows of one transaction."""
    provenance: Provenance
    """Its origin is also the source of the rows' own ids. That of a file gets a number where other
    tables of its name were imported (`dataset_origin`)."""
    mapping: str
    """The genre mapping that subgenres are added to."""
    broad_genres: Mapping[str, str] = field(default_factory=dict)
    """Genres of the mapping, whether a row has them or not."""
    is_ranked: bool = True
    """Whether a track's rank is the number of earlier rows of its genre; otherwise it is the
    position in the track's list of genres."""
    sandbox: str | None = None
    """The checksum of the sandbox's catalogue that it was made from; None: real music."""
    schema: DescriptorSchema | None = None
    descriptors: Iterable[tuple[str, Sequence[float]]] = ()
    """Values of tracks by id, from a separate table; imported after the rows."""
    pass_over: Callable[[int], int] = lambda _counted: 0
    """Takes the number of rows that the import has counted, before the first row is
    taken; returns how many rows the source leaves out, because they are stored."""
    on_commit: Callable[[int], object] = lambda _rows: None
    """Receives the number of rows that are stored, after each batch."""
    compares_rows: bool = True
    """Whether a preview compares the rows with each other, for which it remembers their names."""
    estimate_rows: Callable[[int], float | None] = lambda _done: None
    """Estimates the total number of rows from the number of rows read."""
    stored_only: bool = False
    """Whether rows of tracks that are not stored are rejected."""
    has_exact_count: bool = False
    unreadable: Callable[[], dict[str, int]] = dict
    """Per column, non-empty cells that could not be parsed so far."""
    out_of_range: Callable[[], dict[str, int]] = dict
    """Per column, numbers and dates out of range so far."""
    without_beat: Callable[[], dict[str, int]] = dict
    """Per column, numbers not taken because the row's tempo is 0, so far."""
    conflicts: Callable[[], int] = int
    """Rows so far whose Spotify id an earlier row has with another title."""
    warnings: Callable[[], Sequence[str]] = tuple
    """Sentences on the table as a whole, after its last row."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The options of the import, as `imported_file` records them."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The names of the taken columns, by field."""
    ignored_columns: Sequence[str] = ()
    licence: str | None = None
    """The licence of its labels and features, where the user or the format names one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """The outcome of an import: every row is a new track, a duplicate or rejected."""

    rows: int
    tracks_new: int = 0
    duplicates: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    """Rejected rows per reason."""
    unlabelled: int = 0
    """Accepted rows without a genre."""
    genres: int = 0
    """Different genres of the rows."""
    seconds: float = 0.0
    rows_per_second: float = 0.0
    unreadable: dict[str, int] = field(default_factory=dict)
    """Per column, non-empty cells that could not be parsed; they are stored as missing."""
    claims_moved: int = 0
    """Tracks that were in the database, and count for another genre now; 0 in a dry run."""
    similar_genres: list[list[str]] = field(default_factory=list)
    """Genres of the rows that differ only by case, blanks, hyphens or form."""
    stopped: Literal["done", "interrupted"]
    claims_by: Literal["rank", "votes"] | None = None
    """What decides between genres of a track: their ranks in tables, or the votes of a source."""
    stored_only: bool = False
    """Whether only tracks were labelled that were stored before."""
    tracks_labelled: int | None = None
    """Tracks that got a genre; None where that was not counted, as in a dry run."""
    described: int = 0
    """Rows whose descriptors were stored."""
    warnings: tuple[str, ...] = ()
    """Sentences on the table as a whole, such as pieces of one recording."""
    import_id: int | None = None
    """The id for `imports undo`; None: nothing was written."""
    corrected: int = 0
    """Tracks of an earlier version of the file that were filled or corrected."""
    conflicts: int = 0
    """Rows whose id belongs to a track of another name, or to a row with another title; they were
    matched by name."""
    features_not_taken: int = 0
    """Tracks whose features differ from those that another source delivered, which stay."""
    corrects: list[int] = field(default_factory=list)
    """Earlier imports of which the file is a new version."""
    other_tables: list[int] = field(default_factory=list)
    """Earlier imports of the same file name with other rows."""
    is_unchanged: bool = False
    """Whether the same file was imported completely before, and nothing was changed."""
    kept_file: str | None = None
    """The staging file of a dump's import that was stopped: the same command continues from it."""
    dry_run: bool = False
    """Whether nothing was written: the counts are those of a preview."""
    only_earlier: int = 0
    """Tracks of those earlier versions that the file no longer has; they are kept."""
    columns: dict[str, str] = field(default_factory=dict)
    """The names of the taken columns, by field."""
    ignored_columns: tuple[str, ...] = ()
    out_of_range: dict[str, int] = field(default_factory=dict)
    """Per column, numbers and dates out of range; they are stored as missing."""
    without_beat: dict[str, int] = field(default_factory=dict)
    """Per column, numbers stored as missing because the row's tempo is 0."""
    tables: dict[str, dict[str, int | None]] = field(default_factory=dict)
    """Counts of each table of a file of several."""
    passed_over: dict[str, str] = field(default_factory=dict)
    """The reason why a table of the file was not imported, by its name."""

"""Export a view to CSV, Parquet or NPZ, with the frozen folds, for work in other tools."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import parquet

from classifier.config_options import check_value
from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.data_sources import SourceCount
from classifier.errors import BadTrainingConfig
from genrebase import export_mark, new_file, spreadsheet_cells
from genrebase.progress import ProgressCallback, no_progress
from genrebase.store import tables, views

FORMATS: Final = ("csv", "parquet", "npz")
FOLD_COLUMNS: Final = ("track_fold", "side")
"""Columns with the fold and side of a track in every evaluation."""
PREDICTED_BY: Final = "model_id"
"""The column of a view whose genres a model predicted."""
_OF_ROW: Final = ("source", "licence")
"""Of a label in views of genres; in others, of an item that is none."""
SOURCES: Final = {
    "labels": (("label_source", "label_licence"), _OF_ROW),
    "features": (("provider", "features_licence"), ("provider", "licence")),
}
"""What a view shows to the columns that have its source and licence."""
SOURCES_METADATA: Final = b"genrebase.sources"
"""The key of the sources and licences, as JSON, in the metadata of a Parquet file."""
MISSING_SUFFIX: Final = "__missing"
"""Suffix of the array that marks missing texts."""

Chunks = Iterator[pd.DataFrame]
Sources = Callable[[], str]
"""Returns sources and licences of the chunks as JSON, once they were all read."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """A file that was written."""

    file: Path
    view: str
    format: str
    rows: int
    columns: tuple[str, ...]
    bytes: int
    labels: tuple[SourceCount, ...] = ()
    """Rows per source of a label, with its licence."""
    features: tuple[SourceCount, ...] = ()
    """Rows per provider of features, with their licence."""


def format_of(file: Path, given: str | None) -> str:
    """Return the given format, else that of the suffix; raise `BadTrainingConfig`."""
    name = file.suffix.removeprefix(".").lower() if given is None else given
    check_value("format", name, FORMATS, " to export")
    return name


def run(
    database: Database,
    view: str,
    file: Path,
    *,
    as_format: str | None = None,
    columns: Sequence[str] | None = None,
    folds: bool = True,
    for_spreadsheets: bool = False,
    progress: ProgressCallback = no_progress,
) -> ExportResult:
    """Write a view into a new file, 50,000 rows in memory at a time.

    With `folds` they are appended to a view of tracks without them; labels and features always
    have the columns of their source and licence, and a CSV file of predicted genres always has the
    column model_id, so that it is not imported as data. `for_spreadsheets` keeps
    the texts of a CSV file from being executed as formulas. An NPZ has an array per
    column and is made in memory. Raise `BadTrainingConfig` for a view, column or
    format that does not exist and for `for_spreadsheets` with another format than CSV, `UserError`
    if the file exists.
    """
    made = format_of(file, as_format)
    if for_spreadsheets and made != "csv":
        raise BadTrainingConfig(f"--for-spreadsheets is for CSV files, and {file} is {made}.")
    new_file.refuse_existing(file)
    if columns is not None:
        columns = _with_sources(view, columns)
    if made == "csv" and columns is not None:
        columns = _with_mark(view, columns)
    tally = _SourceTally(view)
    parts = _counted(_parts(database, view, columns, folds=folds), progress, tally)
    if for_spreadsheets:
        parts = map(_without_formulas, parts)
    with new_file.create_atomically(file) as place:
        rows, names = WRITERS[made](parts, place, tally.as_json)
    counts = (tally.counts("labels"), tally.counts("features"))
    return ExportResult(file, view, made, rows, names, file.stat().st_size, *counts)


class _SourceTally:
    """Counts the rows per source and licence of labels and features, part by part."""

    def __init__(self, view: str) -> None:
        has_labels = view in views.ALL and "genre" in views.ALL[view].columns
        self._pairs = {
            what: [pair for pair in pairs if pair != _OF_ROW or has_labels]
            for what, pairs in SOURCES.items()
        }
        self._rows: dict[str, Counter[tuple[str, str]]] = {what: Counter() for what in SOURCES}

    def add(self, part: pd.DataFrame) -> None:
        for what, pairs in self._pairs.items():
            for source, licence in pairs:
                if {source, licence} <= set(part.columns):
                    named = part[[source, licence]].dropna().astype(str)
                    self._rows[what].update(zip(named[source], named[licence], strict=True))

    def counts(self, what: str) -> tuple[SourceCount, ...]:
        """Return the counts of `labels` or `features`, the largest first."""
        return tuple(SourceCount(*pair, count) for pair, count in self._rows[what].most_common())

    def as_json(self) -> str:
        """Return the counts as JSON."""
        named = {what: [one.as_json("rows") for one in self.counts(what)] for what in SOURCES}
        return json.dumps(named, ensure_ascii=False)


def _with_sources(view: str, columns: Sequence[str]) -> Sequence[str]:
    """Return the columns with the source and licence of each label and feature among them."""
    known = views.ALL[view].columns if view in views.ALL else {}
    requested = {
        "label_licence": {"label", "claim", "verdict"} & set(columns),
        "features_licence": set(tables.FEATURES) & set(columns),
        "licence": set(columns) - {"track_id"},
    }
    added = [
        name
        for pairs in SOURCES.values()
        for pair in pairs
        if set(pair) <= set(known) and requested[pair[1]]
        for name in pair
    ]
    return list(dict.fromkeys([*columns, *added]))


def _with_mark(view: str, columns: Sequence[str]) -> Sequence[str]:
    """Return the columns with the one that shows a genre to be predicted."""
    known = views.ALL[view].columns if view in views.ALL else {}
    is_predicted = "genre" in columns and PREDICTED_BY in known
    return [*columns, PREDICTED_BY] if is_predicted and PREDICTED_BY not in columns else columns


def _parts(database: Database, view: str, columns: Sequence[str] | None, *, folds: bool) -> Chunks:
    parts = dataset.read_view_chunks(view, database, columns=columns)
    first = next(parts)
    missing_columns = [name for name in FOLD_COLUMNS if name not in first.columns]
    if not folds or "track_id" not in first.columns or not missing_columns:
        yield first
        yield from parts
        return
    folds_by_track = dataset.read_view("tracks", database, columns=["track_id", *missing_columns])
    folds_by_track = folds_by_track.set_index("track_id")
    yield first.join(folds_by_track, on="track_id")
    for part in parts:
        yield part.join(folds_by_track, on="track_id")


def _counted(parts: Chunks, progress: ProgressCallback, tally: _SourceTally) -> Chunks:
    done = 0
    for part in parts:
        done += len(part)
        tally.add(part)
        progress(done)
        yield part


def _csv(parts: Chunks, place: Path, _sources: Sources) -> tuple[int, tuple[str, ...]]:
    rows = 0
    names: tuple[str, ...] = ()
    with place.open("w", encoding="utf-8", newline="") as file:
        for part in parts:
            part.to_csv(file, index=False, header=rows == 0 and not names)
            rows, names = rows + len(part), tuple(part.columns)
    return rows, names


def _without_formulas(part: pd.DataFrame) -> pd.DataFrame:
    types = pd.api.types
    texts = [
        str(name)
        for name, kind in part.dtypes.items()
        if not types.is_numeric_dtype(kind) and not types.is_datetime64_any_dtype(kind)
    ]
    return part.assign(
        **{name: part[name].map(spreadsheet_cells.as_text, na_action="ignore") for name in texts}
    )


def _parquet(parts: Chunks, place: Path, sources: Sources) -> tuple[int, tuple[str, ...]]:
    first = pa.Table.from_pandas(next(parts), preserve_index=False)
    first = first.replace_schema_metadata(
        {**(first.schema.metadata or {}), **export_mark.METADATA}
    )
    rows = first.num_rows
    with parquet.ParquetWriter(place, first.schema, compression="zstd") as writer:
        writer.write_table(first)
        for part in parts:
            table = pa.Table.from_pandas(part, schema=first.schema, preserve_index=False)
            writer.write_table(table)
            rows += table.num_rows
        writer.add_key_value_metadata({SOURCES_METADATA: sources().encode()})
    return rows, tuple(first.column_names)


def _npz(parts: Chunks, place: Path, _sources: Sources) -> tuple[int, tuple[str, ...]]:
    frame = pd.concat(list(parts), ignore_index=True)
    arrays: dict[str, NDArray[Any]] = {}
    for name in frame.columns:
        arrays |= _arrays(str(name), frame[name])
    with place.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # its stub wants a bool
    return len(frame), tuple(str(name) for name in frame.columns)


def _arrays(name: str, column: "pd.Series[Any]") -> dict[str, NDArray[Any]]:
    """Return a column as arrays that need no pickling.

    Integers with missing values and booleans become float64 with NaN, times datetime64 in UTC. A
    missing text is empty, and a second array marks it.
    """
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return {name: column.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")}
    if pd.api.types.is_string_dtype(column.dtype):
        missing = column.isna().to_numpy(dtype=bool)
        arrays = {name: column.fillna("").to_numpy(dtype=np.str_)}
        return {**arrays, name + MISSING_SUFFIX: missing} if missing.any() else arrays
    if pd.api.types.is_integer_dtype(column.dtype) and not column.isna().any():
        return {name: column.to_numpy(dtype=np.int64)}
    return {name: column.to_numpy(dtype=np.float64, na_value=np.nan)}


WRITERS: Final[dict[str, Callable[[Chunks, Path, Sources], tuple[int, tuple[str, ...]]]]] = {
    "csv": _csv,
    "parquet": _parquet,
    "npz": _npz,
}
"""Format to the function that writes chunks to a file and returns (rows, columns)."""

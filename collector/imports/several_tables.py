"""Import a file of several tables: each table of tracks, one after the other."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from collector.datasets.column_roles.columns import ColumnsMissing
from collector.datasets.formats.table import NotADataset, TableEntry
from collector.imports.records import ImportContext, ImportResult, Reject
from genrebase import new_file

_MAX_LISTED: Final = 10
_PER_TABLE: Final = ("rows", "tracks_new", "duplicates", "rejected", "import_id")
_SUMMED: Final = (
    *("rows", "tracks_new", "duplicates", "rejected", "unlabelled", "claims_moved", "described"),
    *("seconds", "corrected", "conflicts", "features_not_taken", "only_earlier"),
)


def import_tables(
    context: ImportContext,
    path: Path,
    entries: Sequence[TableEntry],
    import_table: Callable[[TableEntry, Reject], ImportResult],
) -> ImportResult:
    """Import the tables of tracks; the result names the others with the reason.

    The genres of the result are those of the first table.

    `import_table` takes a table, and what to do with its rejected rows. Raises `NotADataset` if no
    table holds tracks.
    """
    results: dict[str, ImportResult] = {}
    passed_over: dict[str, str] = {}
    with new_file.create_csv(
        context.rejected,
        ("row", "reason", "table"),
        for_spreadsheets=context.for_spreadsheets,
    ) as rejects:
        for entry in entries:
            try:
                results[entry.name] = import_table(entry, partial(_reject, rejects, entry.name))
            except (NotADataset, ColumnsMissing) as error:
                passed_over[entry.name] = str(error)
            else:
                if results[entry.name].stopped == "interrupted":
                    break
    if not results:
        if context.rejected is not None:
            with suppress(OSError):
                context.rejected.unlink()
        raise NotADataset(f"{path} holds no table of tracks. {_listed(passed_over)}")
    return _combined(results, passed_over)


def _reject(writer: Any, table: str, number: int, reason: str) -> None:
    writer.writerow((number, reason, table))


def _combined(results: Mapping[str, ImportResult], passed_over: Mapping[str, str]) -> ImportResult:
    """Return one outcome for all tables."""
    every = list(results.values())
    sums: dict[str, Any] = {name: sum(getattr(r, name) for r in every) for name in _SUMMED}
    sums["seconds"] = round(sums["seconds"], 3)
    columns: dict[str, str] = {}
    for result in reversed(every):
        columns.update(result.columns)
    warnings = [sentence for result in every for sentence in result.warnings]
    if every[0].dry_run and len(every) > 1:
        warnings.append("A track of several tables is counted as new in each of them.")
    warnings += [f"Passed over: {_listed(passed_over)}"] if passed_over else []
    return replace(
        every[0],
        **sums,
        reasons=_added(result.reasons for result in every),
        unreadable=_added(result.unreadable for result in every),
        out_of_range=_added(result.out_of_range for result in every),
        without_beat=_added(result.without_beat for result in every),
        rows_per_second=round(sums["rows"] / sums["seconds"], 1) if sums["seconds"] else 0.0,
        stopped=every[-1].stopped,
        warnings=tuple(dict.fromkeys(warnings)),
        import_id=None,
        corrects=list(dict.fromkeys(number for r in every for number in r.corrects)),
        other_tables=list(dict.fromkeys(number for r in every for number in r.other_tables)),
        columns=columns,
        ignored_columns=tuple(dict.fromkeys(name for r in every for name in r.ignored_columns)),
        tables={name: {key: getattr(r, key) for key in _PER_TABLE} for name, r in results.items()},
        passed_over=dict(passed_over),
    )


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    return dict(sum(map(Counter, counts), Counter[str]()))


def _listed(passed_over: Mapping[str, str]) -> str:
    first = list(passed_over.items())[:_MAX_LISTED]
    more = len(passed_over) - len(first)
    listed = " ".join(f"{name}: {reason}" for name, reason in first)
    return listed + (f" And {more:,} more." if more > 0 else "")

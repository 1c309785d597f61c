"""Mappings: which broad genre the fine ones belong to, as people write them down."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collector.catalogue import mappings
from collector.catalogue.mappings import MappingSummary
from collector.curation import genre_names
from collector.datasets import reader
from genrebase.errors import NothingToDo, UserError
from genrebase.store import default_mapping
from genrebase.store.engine import Engine, read_transaction, transaction

COLUMNS: Final = ("fine", "broad")
"""What the header of a mapping's file has to name."""
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class MappingResult:
    """What became of a mapping."""

    mapping: str
    genres: int
    """Fine genres it knows now."""
    broad: tuple[str, ...]
    unmapped: tuple[str, ...]
    """Genres of the database that it does not name."""


def list_mappings(engine: Engine) -> list[MappingSummary]:
    """Return the mappings there are, by name."""
    with read_transaction(engine) as connection:
        return mappings.summaries(connection)


def define(engine: Engine, name: str, path: Path) -> MappingResult:
    """Make the mapping `name` what a table with the columns `fine` and `broad` says.

    What the mapping said before is replaced, all of it or nothing.
    """
    broad_of = _read(path)
    with transaction(engine) as connection:
        mappings.replace(connection, name, broad_of)
        unmapped = mappings.unmapped(connection, name)
    return MappingResult(
        name, len(broad_of), tuple(sorted(set(broad_of.values()))), tuple(unmapped)
    )


def remove(engine: Engine, name: str) -> int:
    """Forget a mapping; return how many genres it knew. Raise `UserError` for an unknown one."""
    with transaction(engine) as connection:
        gone = mappings.remove(connection, name)
    if gone == 0 and name == default_mapping.NAME:
        raise UserError(f"The mapping {name} is built in: it cannot be removed, only replaced.")
    if gone == 0:
        known = ", ".join(summary.mapping for summary in list_mappings(engine)) or "none"
        raise UserError(f"There is no mapping {name!r}. Known: {known}.")
    return gone


def _read(path: Path) -> dict[str, str]:
    with reader.open_dataset(path) as dataset:
        header = [column.strip().casefold() for column in dataset.header]
        missing = [column for column in COLUMNS if column not in header]
        if missing:
            raise UserError(
                f"{path} has no column {missing[0]!r}: a mapping is a table with the columns "
                "fine and broad, one fine genre a row."
            )
        fine, broad = (header.index(column) for column in COLUMNS)
        rows = [row for row in dataset.rows() if not isinstance(row, reader.BrokenRow)]
    if not rows:
        raise NothingToDo(f"{path} maps no genre.")
    return _once([(row[fine], row[broad]) for row in rows], path)


def _once(pairs: Sequence[tuple[str, str]], path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    twice = []
    for raw_fine, raw_broad in pairs:
        fine, broad = genre_names.validate(raw_fine), genre_names.validate(raw_broad)
        if found.setdefault(fine, broad) != broad:
            twice.append(fine)
    if twice:
        raise UserError(
            f"{path} puts a genre into two: {', '.join(sorted(set(twice))[:_SHOWN])}. "
            "Keep one row for each."
        )
    return found

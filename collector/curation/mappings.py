"""Genre mappings: import which broad genre each fine genre belongs to, list and remove them."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from collector.catalogue import genres, mappings
from collector.catalogue.mappings import MappingSummary
from collector.datasets import reader
from collector.datasets.parsing import genre_names
from genrebase.errors import NothingToDo, UserError
from genrebase.store import default_mapping, merge_proposals
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Engine, read_transaction
from genrebase.store.merge_proposals import MergeProposal

COLUMNS: Final = ("fine", "broad")
"""The columns of a mapping's file."""
_MAX_LISTED: Final = 5


@dataclass(frozen=True, slots=True)
class MappingResult:
    """An imported mapping."""

    mapping: str
    genres: int
    broad: tuple[str, ...]
    unmapped: tuple[str, ...]
    """Genres of the database that are not in it."""


def list_mappings(engine: Engine) -> list[MappingSummary]:
    """Return all mappings, by name."""
    with read_transaction(engine) as connection:
        return mappings.summaries(connection)


def define(engine: Engine, name: str, path: Path) -> MappingResult:
    """Import the mapping `name` from a table with the columns `fine` and `broad`.

    It replaces an earlier mapping of that name, completely or not at all.
    """
    broad_of = _read(path)
    with exclusive_transaction(engine) as connection:
        mappings.replace(connection, name, broad_of)
        unmapped = mappings.unmapped(connection, name)
    return MappingResult(
        name, len(broad_of), tuple(sorted(set(broad_of.values()))), tuple(unmapped)
    )


def proposed_merges(engine: Engine) -> list[MergeProposal]:
    """Return the genres that may be one, the surest first."""
    with read_transaction(engine) as connection:
        return merge_proposals.read(connection)


def define_merged(engine: Engine, name: str, proposals: Sequence[MergeProposal]) -> MappingResult:
    """Store the mapping `name` of all genres, with the proposed ones in the genre to keep.

    Genres and labels stay as they are. Refuse a name that is taken.
    """
    if not proposals:
        raise NothingToDo("No two genres are proposed to be merged: no mapping is written.")
    if name in {summary.mapping for summary in list_mappings(engine)}:
        raise UserError(
            f"There is a mapping {name!r}: name another, or remove it with "
            f"`collector genres mappings --remove {shlex.quote(name)}`."
        )
    with exclusive_transaction(engine) as connection:
        broad_of = merge_proposals.mapping(genres.ids_by_name(connection), proposals)
        mappings.replace(connection, name, broad_of)
    return MappingResult(name, len(broad_of), tuple(sorted(set(broad_of.values()))), ())


def remove(engine: Engine, name: str) -> int:
    """Delete a mapping; return how many fine genres it held. Refuse an unknown one."""
    with exclusive_transaction(engine) as connection:
        removed = mappings.remove(connection, name)
    if removed == 0 and name == default_mapping.NAME:
        raise UserError(f"The mapping {name} is built in: it cannot be removed, only replaced.")
    if removed == 0:
        names = ", ".join(summary.mapping for summary in list_mappings(engine)) or "none"
        raise UserError(f"There is no mapping {name!r}. Known: {names}.")
    return removed


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
        rows = list(dataset.whole_rows())
    if not rows:
        raise NothingToDo(f"{path} maps no genre.")
    return _without_conflicts([(row[fine], row[broad]) for row in rows], path)


def _without_conflicts(pairs: Sequence[tuple[str, str]], path: Path) -> dict[str, str]:
    broad_of: dict[str, str] = {}
    twice = []
    for raw_fine, raw_broad in pairs:
        fine, broad = genre_names.validate(raw_fine), genre_names.validate(raw_broad)
        if broad_of.setdefault(fine, broad) != broad:
            twice.append(fine)
    if twice:
        raise UserError(
            f"{path} puts a genre into two: {', '.join(sorted(set(twice))[:_MAX_LISTED])}. "
            "Keep one row for each."
        )
    return broad_of

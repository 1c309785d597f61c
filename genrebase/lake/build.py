"""Copy a database into a lake: Parquet files of its tables and views, by their names.

The tables are read by ranges of tracks, from one state of the database; the views are computed
from them by DuckDB. A part whose rows, or inputs, are those of an earlier copy is not written
again.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

from genrebase.errors import UserError
from genrebase.lake.duckdb_views import open_duckdb
from genrebase.lake.folder import LakeFolder, open_folder, part_fields, read_manifest
from genrebase.lake.parts import LakePart
from genrebase.lake.relations import ROW_WISE, LakeRelations, is_by_track, lake_relations
from genrebase.lake.table_parts import copy_tables
from genrebase.lake.tables_to_arrow import RANGE_KEYS, arrow_reader
from genrebase.lake.view_parts import ViewComputer
from genrebase.progress import ProgressCallback, no_progress
from genrebase.runtime.clock import Clock
from genrebase.store import features_provider, tables
from genrebase.store.copy.snapshots import display_url
from genrebase.store.engine import Engine, read_transaction
from genrebase.store.schema_upgrade import EXPECTED_REVISION


@dataclass(frozen=True, slots=True)
class LakeRelation:
    """A table or view of a lake."""

    name: str
    kind: str
    """table or view."""
    rows: int
    bytes: int
    files: int


@dataclass(frozen=True, slots=True)
class LakeResult:
    """The outcome of a copy into a lake."""

    folder: str
    database: str
    version: int
    revision: str
    """The database's schema revision."""
    as_of: datetime
    """What was committed until then is in it."""
    relations: list[LakeRelation]
    left_out: list[str]
    """Views and columns of binary data."""
    files: int
    files_written: int
    """The others are those of earlier copies."""


def build_lake(
    engine: Engine,
    path: Path,
    clock: Clock,
    progress: ProgressCallback = no_progress,
    range_tracks: int = RANGE_KEYS,
) -> LakeResult:
    """Copy a database into the lake at `path`, which is replaced in one step at the end.

    Each file of a table or view that is cut by tracks has those of `range_tracks` IDs. Raises
    `UserError` for a folder with something else in it or that another process writes, `StoreError`
    where DuckDB or the database fails; then, and when it is killed, the earlier copy stays as it
    is, and the next run uses the parts that were finished.
    """
    with read_transaction(engine) as connection:
        providers = features_provider.order(connection)  # the views of the database have it
    relations = lake_relations(providers)
    database = display_url(engine)
    with open_folder(path) as folder:
        _refuse_other_database(folder, database)
        version = folder.begin()
        as_of = clock.now()
        with arrow_reader(engine) as reader:
            ranges = reader.key_ranges(tables.track, range_tracks)
            done, total = count(1), _number_of_parts(relations, len(ranges))

            def on_part(name: str) -> None:
                progress(next(done), total, note=name)

            parts = copy_tables(reader, version, relations, ranges, on_part)
        with open_duckdb() as duck:
            computer = ViewComputer(duck, version, parts, providers)
            parts += computer.compute(relations, on_part)
        documents = _documents(relations, parts)
        manifest = {
            "database": database,
            "revision": EXPECTED_REVISION,
            "as_of": as_of.isoformat(),
            "feature_order": list(providers),
            "range_tracks": range_tracks,
            "left_out": list(relations.left_out),
            "relations": documents,
        }
        number = folder.publish(version, manifest)
    return LakeResult(
        folder=str(path),
        database=database,
        version=number,
        revision=EXPECTED_REVISION,
        as_of=as_of,
        relations=[_summary(document) for document in documents],
        left_out=list(relations.left_out),
        files=len(parts),
        files_written=version.written,
    )


def _refuse_other_database(folder: LakeFolder, database: str) -> None:
    manifest = read_manifest(folder.path)
    if manifest is not None and manifest["database"] != database:
        raise UserError(
            f"{folder.path} is a copy of {manifest['database']}, not of {database}: name another "
            "folder, or delete it."
        )


def _number_of_parts(relations: LakeRelations, ranges: int) -> int:
    cut = [name for name in relations.tables if is_by_track(name)]
    cut += [name for name in relations.views if name in ROW_WISE]
    whole = len(relations.tables) + len(relations.views) - len(cut)
    return len(cut) * ranges + whole


def _documents(relations: LakeRelations, parts: Iterable[LakePart]) -> list[dict[str, Any]]:
    """Return the tables and views as the manifest lists them."""
    by_name: dict[str, list[LakePart]] = defaultdict(list)
    for part in sorted(parts, key=lambda part: (part.relation, part.number)):
        by_name[part.relation].append(part)
    return [
        {
            "name": name,
            "kind": "table" if name in relations.tables else "view",
            "rows": sum(part.rows for part in by_name[name]),
            "parts": [part_fields(part) for part in by_name[name]],
        }
        for name in (*relations.tables, *relations.views)
    ]


def _summary(document: dict[str, Any]) -> LakeRelation:
    parts = document["parts"]
    size = sum(part["bytes"] for part in parts)
    return LakeRelation(document["name"], document["kind"], document["rows"], size, len(parts))

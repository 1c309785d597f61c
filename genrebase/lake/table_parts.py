"""Copy tables into the parts of a lake, by ranges of tracks."""

from collections.abc import Callable

from genrebase.lake.arrow_types import arrow_schema
from genrebase.lake.part_writers import PartWriters, chunks, whole
from genrebase.lake.parts import LakePart
from genrebase.lake.relations import LakeRelations, is_by_track, table_query
from genrebase.lake.tables_to_arrow import ArrowReader
from genrebase.lake.version_writer import VersionWriter

OnPart = Callable[[str], None]
"""Called with the name of a table or view when one of its parts was read or computed."""


def copy_tables(
    reader: ArrowReader,
    version: VersionWriter,
    relations: LakeRelations,
    ranges: list[range],
    on_part: OnPart,
) -> list[LakePart]:
    """Copy the tables of a lake; every table has at least one part, if only for its columns."""
    with PartWriters(version) as writers:
        for name, columns in relations.tables.items():
            is_empty = True
            for keys in ranges if is_by_track(name) else [None]:
                stream = reader.query(table_query(name, columns, keys))
                for number, rows in enumerate(chunks(stream) if keys is None else whole(stream)):
                    place = number if keys is None else keys.start // len(keys)
                    writers.write(name, place, rows)
                    is_empty = False
                on_part(name)
            if is_empty:
                schema = arrow_schema(table_query(name, columns, None).selected_columns)
                writers.write(name, 0, schema.empty_table())
        return writers.finish()

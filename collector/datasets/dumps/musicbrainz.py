"""The tables of MusicBrainz' dumps: which columns they have, and which of them are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Final

from collector.datasets.dumps.archive import DumpArchive
from collector.datasets.formats.table import NotADataset

SCHEMA_SEQUENCE: Final = 31
"""The version of MusicBrainz' schema whose columns are listed here, from its file
`admin/sql/CreateTables.sql`."""
SCHEMA_MEMBER: Final = "SCHEMA_SEQUENCE"
FOLDER: Final = "mbdump/"
VARIOUS_ARTISTS: Final = "89ad4ac3-39f7-470e-963a-56509c546377"
"""The artist of compilations."""
OFFICIAL: Final = 1
"""The status of an official release."""

_DATES: Final = ("date_year", "date_month", "date_day")

_COLUMNS: Final = {
    "artist": "id gid name sort_name begin_date_year begin_date_month begin_date_day end_date_year"
    " end_date_month end_date_day type area gender comment edits_pending last_updated ended"
    " begin_area end_area",
    "artist_credit_name": "artist_credit position artist name join_phrase",
    "genre": "id gid name comment edits_pending last_updated",
    "isrc": "id recording isrc edits_pending created",
    "medium": "id release position format name edits_pending last_updated track_count gid",
    "recording": "id gid name artist_credit length comment edits_pending last_updated video",
    "recording_gid_redirect": "gid new_id created",
    "release": "id gid name artist_credit release_group status packaging language script barcode"
    " comment edits_pending quality last_updated",
    "release_country": "release country date_year date_month date_day",
    "release_group": "id gid name artist_credit type comment edits_pending last_updated",
    "release_unknown_country": "release date_year date_month date_day",
    "track": "id gid recording medium position number name artist_credit length edits_pending"
    " last_updated is_data_track",
    "artist_tag": "artist tag count last_updated",
    "recording_tag": "recording tag count last_updated",
    "release_group_tag": "release_group tag count last_updated",
    "release_tag": "release tag count last_updated",
    "tag": "id name ref_count",
}
COLUMNS: Final = {table: tuple(columns.split()) for table, columns in _COLUMNS.items()}
"""The columns of each table that is read, in the order of the dump."""

DERIVED: Final = frozenset(
    {"artist_tag", "recording_tag", "release_group_tag", "release_tag", "tag"}
)
"""The tables of `mbdump-derived`; the others are in `mbdump`."""


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """How a table of the dump is loaded into the staging file."""

    wanted: tuple[str, ...]
    """The columns that are read, in the order of the marks of `insert`."""
    insert: str
    """Inserts one row, or none where its condition does not hold."""
    left_out: str | None = None
    """What a row is that is not inserted; None: all are."""


def _all(table: str, *wanted: str) -> LoadedTable:
    marks = ", ".join("?" for _ in wanted)
    return LoadedTable(wanted, f"INSERT OR IGNORE INTO raw_{table} VALUES ({marks})")


def _votes(table: str, entity: str) -> LoadedTable:
    return LoadedTable(
        (entity, "tag", "count"),
        f"INSERT INTO raw_{table} SELECT ?1, ?2, ?3 WHERE CAST(?3 AS INTEGER) > 0",
        "tags with less than one vote",
    )


_RELEASE_DATE: Final = LoadedTable(
    ("release", *_DATES),
    "INSERT INTO raw_release_date SELECT ?1, 10000 * ?2 + 100 * coalesce(?3, 99)"
    " + coalesce(?4, 99) WHERE ?2 IS NOT NULL",
    "releases without a year",
)
"""An unknown month or day sorts after the known ones, as in MusicBrainz' own first dates."""

LOADED: Final[Mapping[str, LoadedTable]] = {
    "artist": _all("artist", "id", "gid", "name"),
    "artist_credit_name": _all("artist_credit_name", "artist_credit", "position", "artist"),
    "genre": _all("genre", "id", "name"),
    "isrc": _all("isrc", "recording", "id", "isrc"),
    "medium": _all("medium", "id", "release"),
    "recording": LoadedTable(
        ("id", "gid", "name", "artist_credit", "length", "video"),
        "INSERT INTO raw_recording SELECT ?1, ?2, ?3, ?4, ?5 WHERE ?6 = 'f'",
        "videos",
    ),
    "recording_gid_redirect": _all("recording_gid_redirect", "new_id", "gid"),
    "release": _all("release", "id", "release_group", "status"),
    "release_country": _RELEASE_DATE,
    "release_group": _all("release_group", "id", "name", "artist_credit"),
    "release_unknown_country": _RELEASE_DATE,
    "track": LoadedTable(
        ("recording", "medium", "is_data_track"),
        "INSERT INTO raw_track SELECT ?1, ?2 WHERE ?3 = 'f'",
        "data tracks",
    ),
    "artist_tag": _votes("artist_tag", "artist"),
    "recording_tag": _votes("recording_tag", "recording"),
    "release_group_tag": _votes("release_group_tag", "release_group"),
    "release_tag": _votes("release_tag", "release"),
    "tag": _all("tag", "id", "name"),
}

RAW_TABLES: Final = (
    "raw_artist (id INTEGER PRIMARY KEY, gid TEXT, name TEXT)",
    "raw_artist_credit_name (credit INTEGER, position INTEGER, artist INTEGER)",
    "raw_genre (id INTEGER PRIMARY KEY, name TEXT)",
    "raw_isrc (recording INTEGER, id INTEGER, isrc TEXT)",
    "raw_medium (id INTEGER PRIMARY KEY, release INTEGER)",
    "raw_recording (id INTEGER, gid TEXT, name TEXT, credit INTEGER, length INTEGER)",
    "raw_recording_gid_redirect (recording INTEGER, gid TEXT)",
    "raw_release (id INTEGER PRIMARY KEY, release_group INTEGER, status INTEGER)",
    "raw_release_date (release INTEGER, date INTEGER)",
    "raw_release_group (id INTEGER PRIMARY KEY, name TEXT, credit INTEGER)",
    "raw_track (recording INTEGER, medium INTEGER)",
    "raw_artist_tag (artist INTEGER, tag INTEGER, votes INTEGER)",
    "raw_recording_tag (recording INTEGER, tag INTEGER, votes INTEGER)",
    "raw_release_group_tag (release_group INTEGER, tag INTEGER, votes INTEGER)",
    "raw_release_tag (release INTEGER, tag INTEGER, votes INTEGER)",
    "raw_tag (id INTEGER PRIMARY KEY, name TEXT)",
)
"""The tables of the staging file that rows are loaded into."""


def table_of(member: str) -> str | None:
    """Return the table that a member of the archive holds, None if it is not read."""
    table = member.removeprefix("./").removeprefix(FOLDER)
    return table if member != table and table in LOADED else None


def check_schema(archive: DumpArchive, content: IO[bytes]) -> None:
    """Raise `NotADataset` if the archive's member SCHEMA_SEQUENCE names another schema."""
    text = content.read(100).decode("ascii", "replace").strip()
    if text != str(SCHEMA_SEQUENCE):
        raise NotADataset(
            f"{archive.path} has MusicBrainz' schema {text or 'without a number'}; this version "
            f"reads schema {SCHEMA_SEQUENCE}. Get a dump of that schema, or a newer version of "
            "genrebase."
        )

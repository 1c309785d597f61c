"""Join the tables of MusicBrainz' dump: which recordings are kept, with their tags and releases.

Every step scans or sorts whole tables and then drops them; none of it is held in memory. The
result are tables in the order of the recordings' ids, so that reading them needs no search.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final

from collector.datasets.dumps.musicbrainz import OFFICIAL, VARIOUS_ARTISTS
from collector.datasets.dumps.staging import StagingFile
from collector.records import Level

_TAGS_AT_ONCE: Final = 10_000
_NO_DATE: Final = 99_999_999
"""Sorts after every date."""
_AFTER_OFFICIAL: Final = 100_000_000
"""Added to the date of a release that is not official, so that it sorts after all that are."""

_STEPS: Final[Mapping[str, str]] = {
    "credits": f"""
        CREATE TABLE credit (
            id INTEGER, position INTEGER, artist INTEGER, PRIMARY KEY (id, position)
        ) WITHOUT ROWID, STRICT;
        INSERT OR IGNORE INTO credit
            SELECT credit, position, artist FROM raw_artist_credit_name ORDER BY credit, position;
        DROP TABLE raw_artist_credit_name;
        CREATE TABLE various (credit INTEGER PRIMARY KEY) STRICT;
        INSERT OR IGNORE INTO various
            SELECT c.id FROM credit c JOIN raw_artist a ON a.id = c.artist
            WHERE a.gid = '{VARIOUS_ARTISTS}'
    """,
    "recordings' tags": """
        CREATE TABLE recording_vote (
            recording INTEGER, tag INTEGER, votes INTEGER, PRIMARY KEY (recording, tag)
        ) WITHOUT ROWID, STRICT;
        INSERT INTO recording_vote
            SELECT recording, tag, sum(votes) FROM raw_recording_tag GROUP BY recording, tag;
        DROP TABLE raw_recording_tag
    """,
    "releases' tags": """
        CREATE TABLE group_vote (
            release_group INTEGER, tag INTEGER, votes INTEGER, PRIMARY KEY (release_group, tag)
        ) WITHOUT ROWID, STRICT;
        INSERT INTO group_vote
            SELECT t.release_group, t.tag, sum(t.votes) FROM (
                SELECT release_group, tag, votes FROM raw_release_group_tag UNION ALL
                SELECT r.release_group, t.tag, t.votes
                FROM raw_release_tag t CROSS JOIN raw_release r ON r.id = t.release
            ) t CROSS JOIN raw_release_group g ON g.id = t.release_group
            WHERE g.credit NOT IN (SELECT credit FROM various)
            GROUP BY t.release_group, t.tag;
        DROP TABLE raw_release_group_tag;
        DROP TABLE raw_release_tag
    """,
    "artists' tags": f"""
        CREATE TABLE artist_vote (
            artist INTEGER, tag INTEGER, votes INTEGER, PRIMARY KEY (artist, tag)
        ) WITHOUT ROWID, STRICT;
        INSERT INTO artist_vote
            SELECT t.artist, t.tag, sum(t.votes)
            FROM raw_artist_tag t CROSS JOIN raw_artist a ON a.id = t.artist
            WHERE a.gid <> '{VARIOUS_ARTISTS}' GROUP BY t.artist, t.tag;
        DROP TABLE raw_artist_tag;
        CREATE TABLE credit_vote (
            credit INTEGER, tag INTEGER, votes INTEGER, PRIMARY KEY (credit, tag)
        ) WITHOUT ROWID, STRICT;
        INSERT INTO credit_vote
            SELECT c.id, v.tag, sum(v.votes)
            FROM credit c CROSS JOIN artist_vote v ON v.artist = c.artist GROUP BY c.id, v.tag;
        DROP TABLE artist_vote
    """,
    "releases": f"""
        CREATE TABLE first_date (release INTEGER PRIMARY KEY, date INTEGER) STRICT;
        INSERT INTO first_date
            SELECT release, min(date) FROM raw_release_date GROUP BY release;
        DROP TABLE raw_release_date;
        CREATE TABLE on_medium (
            medium INTEGER PRIMARY KEY, release_group INTEGER, date INTEGER, place INTEGER
        ) STRICT;
        INSERT INTO on_medium
            SELECT m.id, r.release_group, d.date, coalesce(d.date, {_NO_DATE})
                + CASE WHEN r.status = {OFFICIAL} THEN 0 ELSE {_AFTER_OFFICIAL} END
            FROM raw_medium m CROSS JOIN raw_release r ON r.id = m.release
            LEFT JOIN first_date d ON d.release = m.release ORDER BY m.id;
        DROP TABLE raw_medium;
        DROP TABLE raw_release;
        DROP TABLE first_date
    """,
    "tracks": """
        CREATE TABLE on_group (
            recording INTEGER, release_group INTEGER, date INTEGER, place INTEGER,
            PRIMARY KEY (recording, release_group)
        ) WITHOUT ROWID, STRICT;
        INSERT INTO on_group
            SELECT t.recording, m.release_group, min(m.date), min(m.place)
            FROM raw_track t CROSS JOIN on_medium m ON m.medium = t.medium
            GROUP BY t.recording, m.release_group;
        DROP TABLE raw_track;
        DROP TABLE on_medium
    """,
    "candidates": """
        CREATE TABLE wanted_group (release_group INTEGER PRIMARY KEY) STRICT;
        INSERT OR IGNORE INTO wanted_group
            SELECT release_group FROM group_vote WHERE tag IN (SELECT tag FROM wanted_tag);
        CREATE TABLE wanted_credit (credit INTEGER PRIMARY KEY) STRICT;
        INSERT OR IGNORE INTO wanted_credit
            SELECT credit FROM credit_vote WHERE tag IN (SELECT tag FROM wanted_tag);
        CREATE TABLE candidate (recording INTEGER PRIMARY KEY) STRICT;
        INSERT OR IGNORE INTO candidate
            SELECT recording FROM recording_vote WHERE tag IN (SELECT tag FROM wanted_tag);
        INSERT OR IGNORE INTO candidate
            SELECT recording FROM on_group
            WHERE release_group IN (SELECT release_group FROM wanted_group);
        INSERT OR IGNORE INTO candidate
            SELECT id FROM raw_recording
            WHERE credit IN (SELECT credit FROM wanted_credit)
                OR gid IN (SELECT gid FROM known);
        INSERT OR IGNORE INTO candidate
            SELECT recording FROM raw_recording_gid_redirect
            WHERE gid IN (SELECT gid FROM known);
        DROP TABLE wanted_group;
        DROP TABLE wanted_credit
    """,
    "kept": """
        CREATE TABLE kept (
            number INTEGER PRIMARY KEY, id INTEGER, gid TEXT, name TEXT, credit INTEGER,
            length INTEGER
        ) STRICT;
        INSERT INTO kept (id, gid, name, credit, length)
            SELECT id, gid, name, credit, length FROM raw_recording
            WHERE id IN (SELECT recording FROM candidate) ORDER BY id;
        INSERT INTO fact SELECT 'recordings', count(*) FROM raw_recording;
        DROP TABLE raw_recording;
        CREATE TABLE kept_isrc (
            recording INTEGER, isrc TEXT, PRIMARY KEY (recording, isrc)
        ) WITHOUT ROWID, STRICT;
        INSERT OR IGNORE INTO kept_isrc
            SELECT recording, isrc FROM raw_isrc
            WHERE recording IN (SELECT recording FROM candidate) ORDER BY recording, isrc;
        DROP TABLE raw_isrc;
        CREATE TABLE kept_redirect (
            recording INTEGER, gid TEXT, PRIMARY KEY (recording, gid)
        ) WITHOUT ROWID, STRICT;
        INSERT OR IGNORE INTO kept_redirect
            SELECT recording, gid FROM raw_recording_gid_redirect
            WHERE recording IN (SELECT recording FROM candidate) ORDER BY recording, gid;
        DROP TABLE raw_recording_gid_redirect;
        DROP TABLE candidate
    """,
}
"""The statements of each step, in order."""

STEPS: Final = ("wanted tags", *_STEPS)

_OF_KEPT: Final = "FROM kept k CROSS JOIN {table} ON {on} WHERE k.number BETWEEN ? AND ?"


@dataclass(slots=True)
class DumpRecording:
    """A kept recording of the dump."""

    number: int
    """Its place among the kept ones, from 1."""
    mbid: str
    name: str
    length: int | None
    """Milliseconds."""
    artists: list[tuple[str, str]] = field(default_factory=list)
    """Names and ids, in the order of the credit."""
    isrcs: list[str] = field(default_factory=list)
    merged_ids: list[str] = field(default_factory=list)
    """Ids of recordings that were merged into this one."""
    album: str | None = None
    """The name of the release group of its first official release, or else its first one."""
    date: int | None = None
    """The date of its first release as YYYYMMDD; 99 for an unknown month or day."""
    votes: dict[Level, dict[str, int]] = field(default_factory=dict)
    """Votes by level and tag. Of several release groups, the one with the most votes counts."""


def note_collected(staging: StagingFile, genres: Mapping[str, str]) -> None:
    """Note the collected genres by their normalised names: a continued import has the same."""
    staging.execute("CREATE TABLE collected (key TEXT PRIMARY KEY, name TEXT) STRICT")
    staging.execute_many("INSERT INTO collected VALUES (?, ?)", genres.items())


def load_collected(staging: StagingFile) -> dict[str, str]:
    """Return the noted genres by their normalised names."""
    return dict(staging.execute("SELECT key, name FROM collected"))


def join(
    staging: StagingFile,
    genre_of: Callable[[str], str | None],
    progress: Callable[[int], object],
) -> None:
    """Do the steps that are not done yet; `progress` gets the number of those before each.

    `genre_of` returns the collected genre that a tag is, None for other tags.
    """
    staging.run_once(STEPS[0], lambda one: _note_wanted(one, genre_of))
    for number, (name, script) in enumerate(_STEPS.items(), 1):
        if not staging.is_done(name):
            progress(number)
            staging.run_once(name, partial(StagingFile.run_script, script=script))


def _note_wanted(staging: StagingFile, genre_of: Callable[[str], str | None]) -> None:
    staging.execute("CREATE TABLE wanted_tag (tag INTEGER PRIMARY KEY, genre TEXT) STRICT")
    tags = staging.execute("SELECT id, name FROM raw_tag")
    while listed := list(islice(tags, _TAGS_AT_ONCE)):
        wanted = ((tag, genre_of(name)) for tag, name in listed)
        staging.execute_many(
            "INSERT INTO wanted_tag VALUES (?, ?)", [row for row in wanted if row[1] is not None]
        )


def count_kept(staging: StagingFile) -> int:
    """Return the number of kept recordings."""
    return int(staging.execute("SELECT coalesce(max(number), 0) FROM kept").fetchone()[0])


def read_kept(staging: StagingFile, first: int, size: int) -> Iterator[DumpRecording]:
    """Yield the kept recordings from the number `first` on; `size` are read at a time."""
    last = count_kept(staging)
    for start in range(first, last + 1, size):
        yield from _read(staging, start, start + size - 1)


def _read(staging: StagingFile, first: int, last: int) -> list[DumpRecording]:
    def select(columns: str, table: str, on: str, order: str) -> Iterator[tuple[object, ...]]:
        query = f"SELECT k.id, {columns} {_OF_KEPT.format(table=table, on=on)} ORDER BY {order}"
        return staging.execute(query, first, last)

    recordings: dict[object, DumpRecording] = {
        row[0]: DumpRecording(*row[1:])
        for row in staging.execute(
            "SELECT id, number, gid, name, length FROM kept WHERE number BETWEEN ? AND ?"
            " ORDER BY number",
            first,
            last,
        )
    }
    artists = "credit c ON c.id = k.credit CROSS JOIN raw_artist a"
    for key, name, gid in select("a.name, a.gid", artists, "a.id = c.artist", "k.id, c.position"):
        recordings[key].artists.append((str(name), str(gid)))
    for key, isrc in select("i.isrc", "kept_isrc i", "i.recording = k.id", "k.id, i.isrc"):
        recordings[key].isrcs.append(str(isrc))
    for key, gid in select("r.gid", "kept_redirect r", "r.recording = k.id", "k.id, r.gid"):
        recordings[key].merged_ids.append(str(gid))
    groups = "on_group o ON o.recording = k.id CROSS JOIN raw_release_group g"
    for key, name, date in select(
        "g.name, o.date", groups, "g.id = o.release_group", "k.id, o.place, g.id"
    ):
        recording = recordings[key]
        recording.album = recording.album if recording.album is not None else str(name)
        if isinstance(date, int):
            recording.date = min(date, recording.date or date)
    for level, table, on in (
        (Level.RECORDING, "recording_vote v", "v.recording = k.id"),
        (
            Level.RELEASE,
            "on_group o ON o.recording = k.id CROSS JOIN group_vote v",
            "v.release_group = o.release_group",
        ),
        (Level.ARTIST, "credit_vote v", "v.credit = k.credit"),
    ):
        tagged = f"{table} ON {on} CROSS JOIN raw_tag t"
        for key, tag, votes in select("t.name, v.votes", tagged, "t.id = v.tag", "k.id"):
            of_level = recordings[key].votes.setdefault(level, {})
            if isinstance(votes, int):
                of_level[str(tag)] = max(votes, of_level.get(str(tag), 0))
    return list(recordings.values())

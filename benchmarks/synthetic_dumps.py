"""Made-up dumps: MusicBrainz' tables as COPY text, AcousticBrainz' tables as CSV.

Names hold what COPY escapes; rows are not in the order of their ids, as in a table that was
edited. Every number is a function of the row's id, so that a dump of the same size is the same.
"""

import csv
import hashlib
import io
import tarfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import pyarrow as pa

from collector.datasets.dumps import musicbrainz

Value = str | int | None
Row = tuple[Value, ...]

TIMESTAMP = "2026-09-09 00:24:31.105+00"
GENRES = tuple(
    f"{prefix}{name}"
    for prefix in ("", "post-", "progressive ", "experimental ")
    for name in ("rock", "jazz", "folk", "techno", "house", "metal", "pop", "ambient", "blues")
)
TAGS = (*GENRES, "seen live", "favourites", "Français", "90s", "to check\tlater", "a\\b", "")
STRANGE = ("Tab\tNew\nline", "Back\\slash", "Vertical\vFeed\f", "Ünïcode “quoted”", "\\N", "R&B\r")
_NOW = "2026-08-01 12:00:00.5+00"
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\v": "\\v", "\f": "\\f"}
_KEYS = ("A", "A#", "B", "C", "C#", "D", "D#", "E", "F", "F#", "G", "G#")


def mbid(kind: str, number: int) -> str:
    return str(uuid.UUID(hashlib.md5(f"{kind} {number}".encode()).hexdigest()))


def hashed(*parts: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest())


def shuffled(count: int) -> Iterator[int]:
    """Yield 1..count; a third of them is where the last edit put it."""
    moved = [number for number in range(1, count + 1) if number % 3 == 0]
    yield from (number for number in range(1, count + 1) if number % 3)
    yield from reversed(moved)


class MusicBrainzDump:
    """The rows of a dump with so many recordings, table by table."""

    def __init__(self, recordings: int) -> None:
        self.recordings = recordings
        self.artists = max(recordings // 10, 3)
        self.groups = max(recordings // 12, 3)
        self.releases = max(recordings // 10, 3)

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows of a table, in the order of `musicbrainz.COLUMNS`."""
        rows: Callable[[], Iterator[Row]] = getattr(self, f"_{table}")
        return rows()

    def _name(self, kind: str, number: int) -> str:
        strange = f" {STRANGE[number // 97 % len(STRANGE)]}" if number % 97 == 0 else ""
        return f"{kind} {number}{strange}"

    def _artist(self) -> Iterator[Row]:
        for number in shuffled(self.artists):
            various = number == 1
            gid = musicbrainz.VARIOUS_ARTISTS if various else mbid("artist", number)
            name = "Various Artists" if various else self._name("Artist", number)
            dates: tuple[None, ...] = (None,) * 6
            yield (number, gid, name, name, *dates, 1, None, None, "", 0, _NOW, "f", None, None)

    def _artist_credit_name(self) -> Iterator[Row]:
        """Yield credits: the first ones of one artist each, then as many of two."""
        for credit in shuffled(2 * self.artists):
            first = (credit - 1) % self.artists + 1
            yield credit, 0, first, f"credited {first}", " & " if credit > self.artists else ""
            if credit > self.artists:
                yield credit, 1, first % self.artists + 1, "the other", ""

    def _area(self) -> Iterator[Row]:
        for number in range(1, 400):
            yield number, mbid("area", number), "a table that is not read", "\t"

    def _genre(self) -> Iterator[Row]:
        for number, name in enumerate(GENRES, 1):
            yield number, mbid("genre", number), name, "", 0, _NOW

    def _isrc(self) -> Iterator[Row]:
        for number in shuffled(self.recordings):
            if number % 10 < 3:
                yield number, number, f"QZABC26{number % 100_000:05d}", 0, _NOW

    def _medium(self) -> Iterator[Row]:
        for number in shuffled(self.releases):
            yield number, number, 1, None, "", 0, _NOW, 10, mbid("medium", number)

    def _recording(self) -> Iterator[Row]:
        for number in shuffled(self.recordings):
            length = None if number % 20 == 0 else 120_000 + hashed("length", number) % 240_000
            video = "t" if number % 101 == 0 else "f"
            name = "" if number % 1009 == 0 else self._name("Recording", number)
            credit = self.credit(number)
            yield number, mbid("recording", number), name, credit, length, "", 0, _NOW, video

    def credit(self, recording: int) -> int:
        """Return the artist credit of a recording; 0 is no credit."""
        if recording % 103 == 0:
            return 0
        return hashed("credit", recording) % (2 * self.artists - 1) + 2

    def _recording_gid_redirect(self) -> Iterator[Row]:
        for number in shuffled(self.recordings):
            if number % 20 == 7:
                yield mbid("merged", number), number, _NOW

    def _release(self) -> Iterator[Row]:
        for number in shuffled(self.releases):
            status = None if number % 7 == 0 else 1 if number % 5 else 3
            group = (number - 1) % self.groups + 1
            name = self._name("Release", number)
            facts = (group, status, None, None, None, None, "", 0, -1, _NOW)
            yield number, mbid("release", number), name, 1, *facts

    def _release_country(self) -> Iterator[Row]:
        for number in shuffled(self.releases):
            for country in range(1 + number % 3):
                year = None if number % 13 == 0 else 1960 + hashed("year", number) % 60 + country
                month = None if number % 4 == 0 else number % 12 + 1
                yield number, 100 + country, year, month, 15 if month and number % 3 else None

    def _release_group(self) -> Iterator[Row]:
        for number in shuffled(self.groups):
            various = number % 10 == 0
            credit = 1 if various else number % self.artists + 1
            name = self._name("Album", number)
            yield number, mbid("group", number), name, credit, 1, "", 0, _NOW

    def _release_unknown_country(self) -> Iterator[Row]:
        for number in shuffled(self.releases):
            if number % 11 == 0:
                yield number, 1955, None, None

    def _track(self) -> Iterator[Row]:
        number = 0
        for recording in shuffled(self.recordings):
            for place in range(hashed("tracks", recording) % 3):
                number += 1
                medium = hashed("medium", recording, place) % self.releases + 1
                facts = (place, "A1", "a track", 1, 180_000, 0, _NOW)
                data = "t" if number % 211 == 0 else "f"
                yield number, mbid("track", number), recording, medium, *facts, data

    def _tag(self) -> Iterator[Row]:
        for number, name in enumerate(TAGS, 1):
            yield number, name, 1

    def _tagged(self, kind: str, count: int, share: int) -> Iterator[Row]:
        for number in shuffled(count):
            if hashed(kind, number) % 100 < share:
                for place in range(1 + number % 3):
                    tag = (hashed("tag", kind, number) + 7 * place) % len(TAGS) + 1
                    yield number, tag, hashed("votes", kind, number, place) % 9 - 2, _NOW

    def _recording_tag(self) -> Iterator[Row]:
        return self._tagged("recording", self.recordings, 18)

    def _release_group_tag(self) -> Iterator[Row]:
        return self._tagged("group", self.groups, 25)

    def _release_tag(self) -> Iterator[Row]:
        return self._tagged("release", self.releases, 5)

    def _artist_tag(self) -> Iterator[Row]:
        return self._tagged("artist", self.artists, 12)

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Write both archives into a folder; return their paths."""
        core, derived = folder / "mbdump.tar.bz2", folder / "mbdump-derived.tar.bz2"
        tables = sorted({*musicbrainz.COLUMNS, "area"})
        self._write(core, [one for one in tables if one not in musicbrainz.DERIVED])
        self._write(derived, [one for one in tables if one in musicbrainz.DERIVED])
        return core, derived

    def _write(self, path: Path, tables: Sequence[str]) -> None:
        with tarfile.open(path, "w:bz2", compresslevel=1) as archive:
            for name, text in (
                ("TIMESTAMP", TIMESTAMP),
                ("COPYING", "made up"),
                ("REPLICATION_SEQUENCE", "1"),
                ("SCHEMA_SEQUENCE", str(musicbrainz.SCHEMA_SEQUENCE)),
            ):
                add_member(archive, name, io.BytesIO(f"{text}\n".encode()))
            for table in tables:
                part = path.with_name(f".{table}.part")
                with part.open("wb+") as file:
                    for row in self.rows(table):
                        file.write(("\t".join(map(escaped, row)) + "\n").encode())
                    file.seek(0)
                    add_member(archive, f"{musicbrainz.FOLDER}{table}", file)
                part.unlink()


def escaped(value: Value) -> str:
    """Return a value as COPY writes it."""
    if value is None:
        return r"\N"
    text = str(value)
    if text.isalnum():
        return text
    return "".join(_ESCAPES.get(character, character) for character in text)


def add_member(archive: tarfile.TarFile, name: str, file: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size = file.seek(0, 2)
    file.seek(0)
    archive.addfile(info, file)


AB_TABLES = {
    "lowlevel": ("average_loudness", "dynamic_complexity", "mfcc_zero_mean"),
    "rhythm": (
        *("bpm", "bpm_histogram_first_peak_bpm_mean", "bpm_histogram_first_peak_bpm_median"),
        *("bpm_histogram_second_peak_bpm_mean", "bpm_histogram_second_peak_bpm_median"),
        *("danceability", "onset_rate"),
    ),
    "tonal": ("key_key", "key_scale", "tuning_frequency", "tuning_equal_tempered_deviation"),
}
AB_NAME = "acousticbrainz-lowlevel-features-20220623"


class AcousticBrainzDump:
    """The rows of a dump with so many submissions, of recordings of a `MusicBrainzDump`.

    A third of the recordings are unknown there, and one in fifty has the id of a merged one.
    """

    def __init__(self, rows: int, recordings: int) -> None:
        self.n_rows, self.recordings = rows, recordings

    def submissions(self) -> Iterator[tuple[str, int, int]]:
        """Yield MBID, offset and a number of each submission, by MBID and offset."""
        numbered = []
        per_recording = (1, 1, 2, 1, 5, 3)
        number, rows = 0, 0
        while rows < self.n_rows:
            number += 1
            known = hashed("known", number) % 3
            kind = "unknown" if not known else "merged" if number % 50 == 7 else "recording"
            count = min(per_recording[number % len(per_recording)], self.n_rows - rows)
            numbered.append((mbid(kind, number % (2 * self.recordings) + 1), count, number))
            rows += count
        numbered.sort()
        last, offset = "", 0
        for one, count, number in numbered:
            offset = offset if one == last else 0
            for _ in range(count):
                yield one, offset, number
                offset += 1
            last = one

    def values(self, table: str, number: int, offset: int) -> tuple[str, ...]:
        """Return the cells of a submission; some are empty."""
        chance = hashed(table, number, offset)
        share = chance % 10_000 / 10_000
        if chance % 83 == 0:
            return ("",) * len(AB_TABLES[table])
        if table == "lowlevel":
            return f"{share}", f"{10 * share}", f"{-600 - 200 * share}"
        if table == "tonal":
            key, scale = _KEYS[chance % 12], ("major", "minor")[chance // 12 % 2]
            return key, scale, f"{430 + 20 * share}", f"{share / 2}"
        bpm = f"{60 + 120 * share}"
        return bpm, "120", "120", "133", "133", "" if chance % 7 == 0 else f"{3 * share}", "2.5"

    def write(self, folder: Path) -> list[Path]:
        """Write the three archives and their list of checksums; return the archives' paths."""
        paths, sums = [], []
        keys = list(self.submissions())
        for table, columns in AB_TABLES.items():
            path = folder / f"{AB_NAME}-{table}.tar.zst"
            part = folder / f".{table}.part"
            with part.open("w", newline="", encoding="utf-8") as text:
                writer = csv.writer(text)
                writer.writerow(("mbid", "submission_offset", *columns))
                for one, offset, number in keys:
                    writer.writerow((one, offset, *self.values(table, number, offset)))
            with (
                pa.OSFile(str(path), "wb") as raw,
                pa.CompressedOutputStream(raw, "zstd") as packed,
                tarfile.open(fileobj=packed, mode="w|") as archive,
                part.open("rb") as file,
            ):
                add_member(archive, f"{AB_NAME}/{path.name.removesuffix('.tar.zst')}.csv", file)
                add_member(archive, f"{AB_NAME}/COPYING", io.BytesIO(b"CC0"))
            part.unlink()
            paths.append(path)
            sums.append(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n")
        (folder / "sha256sums").write_text("".join(sums))
        return paths


def extract(path: Path, folder: Path, members: Sequence[str]) -> list[Path]:
    """Unpack members of a bz2 archive, as one would who reads the tables with pandas."""
    paths = []
    with tarfile.open(path, mode="r|bz2") as archive:
        for info in archive:
            if info.name in members:
                archive.extract(info, folder, filter="data")
                paths.append(folder / info.name)
    return paths

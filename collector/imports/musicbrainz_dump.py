"""Import MusicBrainz' dump: the recordings that have a collected genre, or that are stored.

The archives are read once, into a staging file, where the tables are joined. From there the kept
recordings are recorded like the rows of any other import.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from collector.catalogue import aliases, genres
from collector.datasets.dumps import copy_text, musicbrainz, musicbrainz_joins
from collector.datasets.dumps.archive import DumpArchive
from collector.datasets.dumps.kinds import Dump, DumpKind
from collector.datasets.dumps.musicbrainz_joins import STEPS, DumpRecording
from collector.datasets.formats.table import NotADataset
from collector.datasets.rows import ParsedRow
from collector.imports.dump_staging import (
    DumpImport,
    DumpOptions,
    ImportInterrupted,
    combined_hash,
    kept_or_deleted,
    open_staging,
)
from collector.imports.pipeline import refuse_synthetic_catalogue, run_import
from collector.imports.records import ImportContext, ImportResult, ImportSource, ReadRow
from collector.records import GenreVote, Provenance
from collector.sources import musicbrainz_items
from collector.sources.genre_ranks import ranked
from genrebase.counts import counted
from genrebase.errors import UserError
from genrebase.store import names, source_ids
from genrebase.store.engine import read_transaction

ORIGIN: Final = "musicbrainz-dump"
"""The origin of its tracks and labels; a harvest's is `musicbrainz`."""
_LOADED: Final = 0.6
_JOINED: Final = 0.75
"""Shares of the work that are done once the tables are loaded and joined."""
RECORDED: Final = "recorded"
"""The note of the number of recordings that are stored."""
_COLLECTED: Final = "collected"
_UNKNOWN_PART: Final = 99


def import_musicbrainz_dump(
    context: ImportContext, dumps: Sequence[Dump], options: DumpOptions
) -> ImportResult:
    """Import the parts of one dump, `mbdump` and `mbdump-derived`.

    Raises `NotADataset` for an incomplete dump and `UserError` without a genre, both
    before anything is written, `DamagedFile` for a truncated archive. A stopped or killed
    import is continued by the next one, with the genres that were collected when it joined the
    tables.
    """
    engine = context.engine
    _check_parts(dumps)
    refuse_synthetic_catalogue(engine)
    with read_transaction(engine) as connection:
        collected = genres.by_normalised_name(connection)
    if options.stored_only:
        raise UserError("--stored-only needs Discogs' dump.")
    if not collected and not options.all_genres:
        raise UserError(
            "No genre is collected, so no recording would be kept: collector genres add NAME, "
            "or import with --all-genres."
        )
    ordered = sorted(dumps, key=lambda dump: dump.kind)
    paths = [dump.path for dump in ordered]
    with open_staging(context, paths, options, musicbrainz.RAW_TABLES) as (staging, hashes):
        run = _MusicBrainzImport(context, staging, hashes, ordered, options)
        try:
            run.load()
        except ImportInterrupted:
            return run.interrupted_result()
        run.join(collected)
        source = run.source(context.clock.now().year + 1)
        result = run_import(replace(context, progress=run.progress_of_recording), source)
        return kept_or_deleted(staging, result)


def _check_parts(dumps: Sequence[Dump]) -> None:
    kinds = sorted(str(dump.kind) for dump in dumps)
    if kinds != sorted([DumpKind.MUSICBRAINZ, DumpKind.MUSICBRAINZ_DERIVED]):
        raise UserError(
            "A dump of MusicBrainz is imported from two files, the recordings and their tags: "
            "collector import mbdump.tar.bz2 mbdump-derived.tar.bz2"
        )
    if len({dump.timestamp for dump in dumps}) > 1:
        listed = ", ".join(f"{dump.path.name} ({dump.timestamp})" for dump in dumps)
        raise UserError(f"The files are parts of different dumps: {listed}. Get both of one.")


class _MusicBrainzImport(DumpImport):
    loaded_share = _LOADED
    _genre_of: Callable[[str], str | None]
    _first = 1
    """The number of the first recording that is read."""

    def load(self) -> None:
        """Load the archives into the staging file."""
        self._load_all()
        missing = musicbrainz.LOADED.keys() - self._staging.loaded().keys()
        if missing and not self._staging.is_done(STEPS[-1]):
            raise NotADataset(
                f"The dump lacks tables: {', '.join(sorted(missing))}. Get whole files."
            )

    def _load(self, dump: Dump, archive: DumpArchive, file: str) -> Iterator[tuple[str, int]]:
        is_derived = dump.kind == DumpKind.MUSICBRAINZ_DERIVED
        tables = [one for one in musicbrainz.LOADED if (one in musicbrainz.DERIVED) == is_derived]
        if all(self._staging.rows_read(file, table) is None for table in tables):
            return
        with archive.members() as members:
            for name, content in members:
                table = musicbrainz.table_of(name)
                done = None if table is None else self._staging.rows_read(file, table)
                if table is None or done is None:
                    continue
                loaded = musicbrainz.LOADED[table]
                columns = musicbrainz.COLUMNS[table]
                rows = copy_text.read_rows(content, table, columns, loaded.wanted, skip=done)
                for read in self._load_rows(file, table, loaded.insert, rows):
                    yield f"rows of {dump.path.name} read: {table}", read

    def join(self, collected: Mapping[str, str]) -> None:
        """Join the tables, and choose the recordings that are kept."""
        self._staging.note_known(aliases.iterate_ids(self._engine, source_ids.MUSICBRAINZ))
        self._staging.run_once(
            _COLLECTED,
            lambda one: musicbrainz_joins.note_collected(
                one, self._all_genres(collected) if self._options.all_genres else collected
            ),
        )
        by_name = musicbrainz_joins.load_collected(self._staging)
        self._genre_of = lambda tag: by_name.get(names.normalise(musicbrainz_items.parse_tag(tag)))
        musicbrainz_joins.join(
            self._staging,
            self._genre_of,
            lambda done: self._context.progress(
                done,
                note="steps of joining the tables",
                fraction=_LOADED + (_JOINED - _LOADED) * done / len(STEPS),
            ),
        )

    def _all_genres(self, collected: Mapping[str, str]) -> dict[str, str]:
        """Return the collected genres and those of MusicBrainz' list, by normalised name."""
        by_name = dict(collected)
        for (listed,) in self._staging.execute("SELECT name FROM raw_genre ORDER BY name"):
            name = musicbrainz_items.parse_tag(listed)
            if name:
                by_name.setdefault(names.normalise(name), name)
        return by_name

    def source(self, last_year: int) -> ImportSource:
        """Return the kept recordings as the source of an import.

        A year after `last_year` is treated as an error and left out.
        """
        kept = musicbrainz_joins.count_kept(self._staging)
        return ImportSource(
            name=self._name(),
            sha256=combined_hash(self._hashes, self._options),
            rows=self._read(last_year),
            batch_rows=self._options.batch_rows,
            provenance=Provenance(origin=ORIGIN, provider=None, defers_ties=True),
            mapping=ORIGIN,
            pass_over=self._pass_over,
            on_commit=lambda rows: self._staging.note_fact(RECORDED, str(rows)),
            compares_rows=False,
            estimate_rows=lambda _done: float(kept),
            has_exact_count=True,
            warnings=lambda: self._left_out(kept),
            options=self._options.given(),
        )

    def progress_of_recording(
        self, done: float, total: float | None = None, *, note: str | None = None, **more: Any
    ) -> None:
        """Report the recording of the kept recordings as the last part of the work."""
        fraction = _JOINED + (1 - _JOINED) * done / (total or done or 1)
        note = note or "recordings stored"
        self._context.progress(done, total, note=note, fraction=fraction, **more)

    def _pass_over(self, counted_rows: int) -> int:
        recorded = int(self._staging.fact(RECORDED) or 0)
        passed = min(recorded, counted_rows)
        self._first = passed + 1
        return passed

    def _read(self, last_year: int) -> Iterator[ReadRow]:
        size = self._options.batch_rows
        for recording in musicbrainz_joins.read_kept(self._staging, self._first, size):
            yield self._parse(recording, last_year)

    def _parse(self, recording: DumpRecording, last_year: int) -> ReadRow:
        parsed = musicbrainz_items.parse_recording(_as_item(recording), last_year)
        if not isinstance(parsed, musicbrainz_items.Recording):
            return parsed
        merged = (source_ids.parse_mbid(one) for one in recording.merged_ids)
        track = parsed.track._replace(merged_ids=tuple(one for one in merged if one is not None))
        votes = [
            GenreVote(name, count, level)
            for level, tags in recording.votes.items()
            for tag, count in tags.items()
            if (name := musicbrainz_items.parse_tag(tag))
        ]
        ours = [
            (vote._replace(name=genre), rank)
            for vote, rank in ranked(votes)
            if (genre := self._genre_of(vote.name)) is not None
        ]
        ours.sort(key=lambda pair: (pair[1], pair[0].name))
        return ParsedRow(track, tuple(vote.name for vote, _ in ours), votes=ours)

    def _left_out(self, kept: int) -> Sequence[str]:
        loaded = self._staging.loaded()
        recordings = int(self._staging.fact("recordings") or 0)
        without = counted(recordings - kept, "recording")
        sentences = [f"{without} left out: no collected genre, and not stored before."]
        counts: dict[str, int] = {}
        for table, how in musicbrainz.LOADED.items():
            what = how.left_out or "repeated rows"
            counts[what] = counts.get(what, 0) + loaded.get(table, (0, 0))[1]
        listed = ", ".join(f"{what} ({count:,})" for what, count in counts.items() if count)
        return [*sentences, f"Rows not taken: {listed}."] if listed else sentences


def _as_item(recording: DumpRecording) -> dict[str, object]:
    """Return a recording as MusicBrainz' web service would, so that both are parsed alike."""
    release = {"title": recording.album, "status": "Official"}
    return {
        "id": recording.mbid,
        "title": recording.name,
        "length": recording.length,
        "artist-credit": [
            {"name": name, "artist": {"id": mbid, "name": name}}
            for name, mbid in recording.artists
        ],
        "first-release-date": None if recording.date is None else _as_date(recording.date),
        "isrcs": recording.isrcs,
        "releases": [] if recording.album is None else [release],
    }


def _as_date(date: int) -> str:
    year, month, day = date // 10_000, date // 100 % 100, date % 100
    parts = [f"{year:04d}"]
    if month != _UNKNOWN_PART:
        parts.append(f"{month:02d}")
        if day != _UNKNOWN_PART:
            parts.append(f"{day:02d}")
    return "-".join(parts)

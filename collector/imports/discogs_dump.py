"""Import Discogs' monthly dump of releases: the tracks of releases with a collected genre.

The dump is read record by record, and its rows are recorded like those of a table. A small file
notes at which record the stored rows end: a continued import does not parse those before it. The
XML of a record is parsed in `collector.sources.discogs_items`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from collector.catalogue import genres, tracks
from collector.datasets.dumps.staging import StagingFile
from collector.datasets.formats.byte_source import ByteSource
from collector.datasets.rows import ParsedRow
from collector.imports.dump_staging import (
    DumpOptions,
    combined_hash,
    kept_or_deleted,
    open_staging,
)
from collector.imports.pipeline import batches, run_import
from collector.imports.records import ImportContext, ImportResult, ImportSource, ReadRow
from collector.records import Provenance
from collector.sources import discogs_items
from collector.sources.item_fields import RejectReason
from genrebase.audio.scan import display_path
from genrebase.errors import UserError
from genrebase.store import names
from genrebase.store.engine import Engine, read_transaction

_LOOK_UP_ROWS: Final = 2_000
"""Rows of one look-up of stored tracks."""
_STORED: Final = "stored"
"""The note of where the stored rows end: rows, records, and rows of the records before."""


def is_discogs_dump(path: Path) -> bool:
    """Return whether a file is Discogs' dump of releases, compressed or not."""
    return path.is_file() and discogs_items.is_releases(ByteSource(path).head)


def import_discogs_dump(context: ImportContext, path: Path, options: DumpOptions) -> ImportResult:
    """Import a dump of releases.

    Raises `UserError` if no genre is collected, `NotADataset` for a wrong checksum, `DamagedFile`
    for a truncated file; the rows before its end are then imported. A stopped or killed import is
    continued by the next one.
    """
    if options.all_genres:
        raise UserError("--all-genres needs MusicBrainz' dump: Discogs' has no list of genres.")
    engine = context.engine
    with read_transaction(engine) as connection:
        collected = genres.by_normalised_name(connection)
    if not collected:
        raise UserError("No genre is collected, so no track would be kept: collector genres add")
    with open_staging(context, [path], options, ()) as (staging, hashes):
        rows = _Rows(path, staging, collected, context.clock.now().year + 1)
        read = rows.read()
        if options.stored_only:
            read = _stored_only(engine, read)
        source = ImportSource(
            name=display_path(Path(path.name)),
            sha256=combined_hash(hashes, options),
            rows=rows.followed(read),
            batch_rows=options.batch_rows,
            provenance=Provenance(
                discogs_items.SOURCE, None, licence=discogs_items.LICENCE, defers_ties=True
            ),
            mapping=discogs_items.SOURCE,
            pass_over=rows.pass_over,
            on_commit=rows.note,
            compares_rows=False,
            stored_only=options.stored_only,
            estimate_rows=rows.source.estimate,
            sandbox=discogs_items.sandbox_checksum(ByteSource(path).head),
        )
        result = run_import(context, source)
        return kept_or_deleted(staging, result)


NumberedRow = tuple[int, int, ReadRow]
"""The number of its record, the number of the rows before that, and the row."""


def _stored_only(engine: Engine, rows: Iterator[NumberedRow]) -> Iterator[NumberedRow]:
    """Reject the rows of tracks that are not stored yet."""
    for batch in batches(rows, _LOOK_UP_ROWS):
        parsed = [row.track for _, _, row in batch if isinstance(row, ParsedRow)]
        with read_transaction(engine) as connection:
            are_stored = iter(tracks.are_stored(connection, parsed, ()))
        for record, before, row in batch:
            is_new = isinstance(row, ParsedRow) and not next(are_stored)
            yield record, before, RejectReason.NOT_STORED if is_new else row


class _Rows:
    """The tracks of a dump; those of releases without a collected genre are rejected."""

    def __init__(
        self, path: Path, staging: StagingFile, collected: Mapping[str, str], last_year: int
    ) -> None:
        self.source, self._staging = ByteSource(path), staging
        self._collected, self._last_year = collected, last_year
        self._record = self._before = self._passed = 0
        """The record in progress, the rows before it, and the rows that are passed over."""

    def pass_over(self, counted: int) -> int:
        """Start at the record where the stored rows end; return the number of skipped rows."""
        rows, record, before = map(int, (self._staging.fact(_STORED) or "0 0 0").split())
        if rows <= counted:
            self._record, self._before, self._passed = record, before, rows
        return self._passed

    def note(self, rows: int) -> None:
        """Store the number of stored rows."""
        self._staging.note_fact(_STORED, f"{rows} {self._record} {self._before}")

    def followed(self, rows: Iterator[NumberedRow]) -> Iterator[ReadRow]:
        """Yield rows, and remember the record of the last one."""
        for record, before, row in rows:
            self._record, self._before = record, before
            yield row

    def read(self) -> Iterator[NumberedRow]:
        """Yield the rows after the skipped ones."""
        number, first = self._before, self._record
        with self.source.open() as file:
            for record, content in enumerate(discogs_items.read_records(file)):
                if record < first:
                    continue
                before = number
                for row in self._rows_of(content):
                    number += 1
                    if number > self._passed:
                        yield record, before, row

    def _rows_of(self, record: bytes) -> Iterator[ReadRow]:
        release = discogs_items.parse_record(record, self._last_year)
        if isinstance(release, RejectReason):
            yield release
            return
        ours = [
            (vote._replace(name=genre), rank)
            for vote, rank in release.votes
            if (genre := self._collected.get(names.normalise(vote.name))) is not None
        ]
        for track in release.tracks:
            if isinstance(track, RejectReason):
                yield track
            elif ours:
                yield ParsedRow(track, tuple(vote.name for vote, _ in ours), votes=ours)
            else:
                yield RejectReason.OTHER_GENRE

"""The import pipeline: read rows of a table in batches, record them, resume after a stop.

Every batch is one transaction. An import is idempotent: repeated, or started again after a kill,
it ends in the same database, because tracks are deduplicated and no row counts twice.
"""

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import count, islice
from typing import Final, Literal, TypeVar

from collector.catalogue import (
    aliases,
    audio_files,
    catalogue_origin,
    data_sources,
    import_ledger,
    imported_files,
    mappings,
    track_claims,
    tracks,
)
from collector.catalogue.acousticbrainz_submissions import SubmissionSource
from collector.catalogue.artists import ArtistWriter
from collector.datasets.parsing import genre_names
from collector.datasets.rows import ParsedRow
from collector.errors import CatalogueMismatch
from collector.imports import measurements
from collector.imports.origins import with_origin
from collector.imports.preview import ImportPreview
from collector.imports.records import ImportContext, ImportResult, ImportSource, ReadRow, Reject
from collector.records import RecordResult, TrackObservation
from genrebase import new_file
from genrebase.counts import counted
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import job_run
from genrebase.store import bulk, name_locks
from genrebase.store.engine import (
    Connection,
    Engine,
    large_cache,
    read_transaction,
    transaction,
)
from genrebase.store.tables import SUBMISSION_PROVIDERS

JOB: Final = "import"

_ROWS_AT_ONCE: Final = 10_000
"""Rows that are recorded together; a transaction may hold more."""
_BATCHES_PER_COLLECTION: Final = 8
"""Batches leave few cycles of references: most of their objects are freed at once."""

_Item = TypeVar("_Item")


def run_import(
    context: ImportContext, source: ImportSource, reject: Reject | None = None
) -> ImportResult:
    """Import a table; its rejected rows go to `reject`, or to the file of the context.

    Raises `CatalogueMismatch`, or `UserError` for another descriptor schema than the stored one,
    before any row is recorded.
    """
    engine, clock, progress = context.engine, context.clock, context.progress
    started = clock.monotonic()
    if source.sandbox is None:
        refuse_synthetic_catalogue(engine)
    else:
        _refuse_other_catalogue(engine, source.sandbox)
    if context.dry_run:
        source, chosen = with_origin(engine, source)
        preview = ImportPreview(engine, source, chosen)
        stopped_by = preview.read(
            batches(source.rows, source.batch_rows), progress, context.stop_requested
        )
        return preview.result(clock.monotonic() - started, stopped_by)
    with (
        new_file.create_csv(context.rejected, ("row", "reason")) as rejects,
        large_cache(engine),
        job_run(engine, clock, JOB) as run,
        _manual_garbage_collection() as collect_garbage,
    ):
        write = reject or (lambda number, reason: rejects.writerow((number, reason)))
        recorder = _Recorder(engine, clock, source, write)
        stopped = False
        source = recorder.source
        for step in recorder.steps():
            if stopped := context.stop_requested():
                run.set_outcome("interrupted")
                recorder.end(is_finished=False)
                break
            step()
            rows, described = recorder.rows, recorder.described
            total = source.estimate_rows(rows)
            note = f"{described:,} with descriptors" if described else None
            progress(rows, total=total, estimated=not source.has_exact_count, note=note)
            collect_garbage()
        else:
            recorder.end(is_finished=True)
            progress(recorder.rows, total=recorder.rows)
        tracks_new = recorder.recorded.tracks_new
        run.set_facts(file=source.folder or source.name, rows=recorder.rows, tracks_new=tracks_new)
    return recorder.result(clock.monotonic() - started, "interrupted" if stopped else "done")


def refuse_synthetic_catalogue(engine: Engine) -> None:
    """Raise `CatalogueMismatch` for a database that was filled from a synthetic catalogue."""
    with read_transaction(engine) as connection:
        stored = catalogue_origin.load_origin(connection)
    if stored is not None and stored.kind == "synthetic":
        raise CatalogueMismatch(
            f"This database was filled from {stored}; a dataset cannot be mixed with it. "
            "Set STORE_URL to another database."
        )


def _refuse_other_catalogue(engine: Engine, checksum: str) -> None:
    """Raise `CatalogueMismatch` unless the catalogue of this checksum filled the database."""
    with read_transaction(engine) as connection:
        stored = catalogue_origin.load_origin(connection)
    if stored is None or stored.checksum != checksum:
        raise CatalogueMismatch(
            "The file was made by a sandbox from its catalogue, and this database was not filled "
            "from that sandbox. Harvest from it first, into a database of its own (STORE_URL)."
        )


def batches(items: Iterable[_Item], size: int) -> Iterator[list[_Item]]:
    """Yield the items in lists of at most `size`."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


class _Recorder:
    """Records the batches of one source and counts what became of the rows."""

    def __init__(self, engine: Engine, clock: Clock, source: ImportSource, reject: Reject) -> None:
        self._engine, self._clock, self._reject = engine, clock, reject
        self.source, self._origin = with_origin(engine, source)
        source = self.source
        self.recorded = RecordResult()
        self._artists = ArtistWriter(engine)
        self.rows = self.described = 0
        self._has_votes = False
        """Whether a row had genres with votes."""
        self._ranks: Counter[str] = Counter()
        """Observations so far, per genre."""
        self._reasons: Counter[str] = Counter()
        self._unlabelled = self._other_keys = 0
        """Rows without a genre; pieces that were stored with a match key of their own."""
        with bulk.exclusive_transaction(engine) as connection:
            self._last_id = tracks.last_id(connection)
            """The greatest track id before the import; 0 in an empty database."""
            if source.schema is not None:
                audio_files.register_schema(connection, source.schema.name, source.schema.columns)
            self.import_id = imported_files.start(
                connection,
                clock.now(),
                sha256=source.sha256,
                name=source.name,
                origin=source.provenance.origin,
                options=source.options,
                schema=None if source.schema is None else source.schema.name,
            )
            self._was_finished = imported_files.is_finished(connection, self.import_id)
            self._corrected_before = import_ledger.count_corrected(connection, self.import_id)
            stored_origin = imported_files.origin_of(connection, self.import_id)
            if source.licence is not None:
                data_sources.ensure(connection, stored_origin, source.licence, clock.now())
                data_sources.set_licence(connection, stored_origin, source.licence)
                imported_files.set_licence(connection, self.import_id, source.licence)
            counted, tracks_new = imported_files.stored_counts(connection, self.import_id)
        self.rows = source.pass_over(counted)
        if self.rows:
            self.recorded = RecordResult(tracks_new=tracks_new)
        self._provenance = replace(
            source.provenance, origin=stored_origin, import_id=self.import_id, defers_ties=True
        )

    def steps(self) -> Iterator[Callable[[], None]]:
        """Yield one function per batch that records the batch."""
        size = self.source.batch_rows
        for rows in batches(self.source.rows, size):
            yield partial(self._record_rows, rows)
        for values in batches(self.source.descriptors, size):
            yield partial(self._record_descriptors, values)

    def _record_rows(self, rows: Sequence[ReadRow]) -> None:
        source = self.source
        parsed: list[tuple[int, ParsedRow]] = []
        rejected: list[tuple[int, str]] = []
        for number, row in enumerate(rows, self.rows + 1):
            if isinstance(row, ParsedRow):
                parsed.append((number, row))
            else:
                rejected.append((number, row))
        self.rows += len(rows)
        broad_genres = dict(source.broad_genres)
        for _, row in parsed:
            if row.subgenre is not None:
                broad_genres.setdefault(*row.subgenre)
        parts = [
            [(number, one) for number, row in part for one in self._observations(row)]
            for part in batches(parsed, _ROWS_AT_ONCE)
        ]
        self._artists.add_missing(row.track for _, row in parsed)
        recorded, described, other_keys = name_locks.run_beside_others(
            self._engine,
            partial(self._store_rows, parsed, parts, broad_genres),
            checks_keys=False,
        )
        self.described += described
        self._other_keys += other_keys
        self.recorded += recorded
        source.on_commit(self.rows)
        self._unlabelled += sum(not row.genres for _, row in parsed)
        for number, reason in rejected:
            self._reasons[reason] += 1
            self._reject(number, reason)

    def _store_rows(
        self,
        parsed: Sequence[tuple[int, ParsedRow]],
        parts: Sequence[Sequence[tuple[int, TrackObservation]]],
        broad_genres: Mapping[str, str],
        connection: Connection,
    ) -> tuple[RecordResult, int, int]:
        """Store a batch; return its counts, and those of descriptors and of other match keys."""
        source, rows = self.source, self.rows
        counted = imported_files.lock_rows_done(connection, self.import_id)
        mapped = mappings.add_missing(connection, source.mapping, broad_genres)
        imported_files.add_mapped(connection, self.import_id, mapped)
        now = self._clock.now()
        other_keys = aliases.count_other_keys(
            connection, source.provenance.origin, _keys_of_pieces(parsed)
        )
        recorded = RecordResult()
        for part in parts:
            observations = [one for _, one in part]
            if part and part[0][0] <= counted:  # rows that were counted before
                observations = [one._replace(count_sighting=row > counted) for row, one in part]
            recorded += tracks.record(connection, observations, self._provenance, now)
        described = self._store_descriptors(
            connection,
            {row.track.address: row.values for _, row in parsed if row.values},
        )
        if source.provenance.provider in SUBMISSION_PROVIDERS:
            origin = SubmissionSource(source.provenance.provider, self._provenance.origin)
            measurements.store_submissions(connection, [row for _, row in parsed], origin, now)
        imported_files.add_rows_done(connection, self.import_id, rows, recorded.tracks_new)
        return recorded, described, other_keys

    def _observations(self, row: ParsedRow) -> Iterator[TrackObservation]:
        for vote, rank in row.votes:
            self._has_votes = True
            self._ranks[vote.name] += 1
            yield TrackObservation(row.track, vote.name, rank, votes=vote.votes, level=vote.level)
        if row.votes:
            return
        if not row.genres:
            yield TrackObservation(row.track, None, 0)
        first = self._ranks[row.genres[0]] if row.genres and self.source.is_ranked else 0
        for position, genre in enumerate(row.genres):
            rank = self._ranks[genre] if self.source.is_ranked else 0
            self._ranks[genre] += 1
            if position:
                rank = max(rank, first + 1)  # the first genre of a row counts
            yield TrackObservation(row.track, genre, rank, playlist=row.playlist)

    def _record_descriptors(self, values: Sequence[tuple[str, Sequence[float]]]) -> None:
        with transaction(self._engine) as connection:
            imported_files.lock_rows_done(connection, self.import_id)
            origin = self.source.provenance.origin
            by_address = {(origin, source_id): row for source_id, row in values}
            self.described += self._store_descriptors(connection, by_address)

    def _store_descriptors(
        self, connection: Connection, values: Mapping[tuple[str, str], Sequence[float]]
    ) -> int:
        """Store the values of existing tracks, and return the number of these."""
        schema = self.source.schema
        if schema is None or not values:
            return 0
        return measurements.store_descriptors(
            connection, self.import_id, schema, values, self._clock.now()
        )

    def end(self, *, is_finished: bool) -> None:
        """Recompute the claims of tied tracks, which the batches left."""
        with bulk.exclusive_transaction(self._engine) as connection:
            track_claims.recompute_tied(connection)
            if is_finished:
                imported_files.mark_finished(connection, self.import_id, self._clock.now())

    def result(self, seconds: float, stopped: Literal["done", "interrupted"]) -> ImportResult:
        rejected = self._reasons.total()
        source, corrects = self.source, list(self._origin.versions)
        with read_transaction(self._engine) as connection:
            corrected = import_ledger.count_corrected(connection, self.import_id)
            only_earlier = import_ledger.count_only_earlier(connection, self.import_id)
            claims_moved = self._count_moved_claims(connection)
            labelled = import_ledger.count_labelled(connection, self.import_id)
        changed = self.recorded.tracks_new or corrected != self._corrected_before
        return ImportResult(
            rows=self.rows,
            tracks_new=self.recorded.tracks_new,
            duplicates=self.rows - rejected - self.recorded.tracks_new,
            rejected=rejected,
            reasons={str(reason): count for reason, count in sorted(self._reasons.items())},
            unlabelled=self._unlabelled,
            genres=len(self._ranks),
            seconds=round(seconds, 3),
            rows_per_second=round(self.rows / seconds, 1) if seconds > 0 else 0.0,
            unreadable=source.unreadable(),
            claims_moved=claims_moved,
            claims_by="votes" if self._has_votes else "rank" if source.is_ranked else None,
            stored_only=source.stored_only,
            tracks_labelled=labelled,
            similar_genres=genre_names.group_similar(self._ranks),
            stopped=stopped,
            described=self.described,
            warnings=(*source.warnings(), *self._about_stored_pieces()),
            import_id=self.import_id,
            corrected=corrected - self._corrected_before,
            conflicts=self.recorded.conflicts + source.conflicts(),
            features_not_taken=self.recorded.features_not_taken,
            corrects=corrects,
            other_tables=list(self._origin.others),
            is_unchanged=self._was_finished and not (changed or claims_moved),
            only_earlier=only_earlier if stopped == "done" else 0,
            columns=dict(source.columns),
            ignored_columns=tuple(source.ignored_columns),
            out_of_range=source.out_of_range(),
            without_beat=source.without_beat(),
        )

    def _about_stored_pieces(self) -> Iterator[str]:
        if self._other_keys:
            yield (
                f"{counted(self._other_keys, 'piece')} of recordings were stored before as whole "
                "ones, each with a fold of its own, and folds never move: import the table into "
                "a new database to have all pieces of a recording on one side of the split."
            )

    def _count_moved_claims(self, connection: Connection) -> int:
        """Count the earlier tracks whose claim the import changed."""
        before = self.recorded.claims_before
        after = track_claims.claims(connection, [one for one in before if one <= self._last_id])
        return sum(genre_id not in (None, before[track]) for track, genre_id in after.items())


def _keys_of_pieces(parsed: Iterable[tuple[int, ParsedRow]]) -> dict[str, str]:
    """Return the match key of each row that is a piece of a recording, by id."""
    pieces = (row.track for _, row in parsed if row.track.recording is not None)
    return {track.source_id: track.name_key for track in pieces}


@contextmanager
def _manual_garbage_collection() -> Iterator[Callable[[], object]]:
    """Collect garbage between batches only, with the yielded function.

    Automatic collections traverse a batch's objects repeatedly: a quarter of an import's time.
    Of several calls one collects.
    """
    was_enabled = gc.isenabled()
    numbers = count()

    def collect() -> None:
        if next(numbers) % _BATCHES_PER_COLLECTION == 0:
            gc.collect(1)

    gc.disable()
    try:
        yield collect
    finally:
        if was_enabled:
            gc.enable()

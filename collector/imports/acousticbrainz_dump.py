"""Import AcousticBrainz' CSV dumps: the numbers of the recordings that are stored."""

from collections.abc import Iterator, Sequence
from typing import Final

from collector.catalogue import (
    acousticbrainz_imports,
    acousticbrainz_submissions,
    aliases,
    imported_files,
)
from collector.catalogue.aliases import tracks_of_aliases
from collector.datasets.dumps import acousticbrainz
from collector.datasets.dumps.archive import DumpArchive
from collector.datasets.dumps.kinds import Dump
from collector.datasets.formats.table import NotADataset
from collector.imports.dump_staging import (
    DumpImport,
    DumpOptions,
    ImportInterrupted,
    combined_hash,
    open_staging,
)
from collector.imports.pipeline import JOB
from collector.imports.records import ImportContext, ImportResult
from genrebase.counts import counted
from genrebase.errors import UserError
from genrebase.runtime.jobs import job_run
from genrebase.store import source_ids
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import transaction

_LOADED: Final = 0.8
"""The share of the work that is done once the archives are read."""
_STORED: Final = "stored"
_NO_RECORDINGS: Final = (
    "No recording of MusicBrainz is stored, so there is nothing to store numbers of. Harvest "
    "MusicBrainz or import its dump first."
)


def import_acousticbrainz_dump(
    context: ImportContext, dumps: Sequence[Dump], options: DumpOptions
) -> ImportResult:
    """Store the numbers of the tables in `dumps` for the recordings that are stored.

    No row is rejected: a path for rejected rows is refused. The rows of the result are
    recordings. Raises `UserError` if two files hold the same table or no recording of MusicBrainz
    is stored, `DamagedDump` for an archive that breaks off; then nothing is written. A stopped or
    killed import is continued by the next one.
    """
    if context.rejected is not None:
        raise UserError("--rejected lists rows of tracks, and AcousticBrainz' tables have none.")
    if options.given():
        raise UserError(
            "AcousticBrainz' tables have no genres, and add no track: leave out --all-genres and "
            "--stored-only."
        )
    parts = [dump.part for dump in dumps]
    if len({*parts}) < len(parts):
        raise UserError("Two of the files hold the same table of AcousticBrainz: name one.")
    ordered = sorted(dumps, key=lambda dump: dump.part)
    paths = [dump.path for dump in ordered]
    clock, dry_run = context.clock, context.dry_run
    started = clock.monotonic()
    with open_staging(context, paths, options, acousticbrainz.RAW_TABLES) as (staging, hashes):
        run = _AcousticBrainzImport(context, staging, hashes, ordered, options)
        try:
            run.load()
            recordings = acousticbrainz.sort(staging)
            if not dry_run:
                run.store(recordings)
        except ImportInterrupted:
            return run.interrupted_result()
        context.progress(recordings, recordings)
        warnings = run.summary()
        staging.delete()
    seconds = clock.monotonic() - started
    return ImportResult(
        rows=recordings,
        duplicates=recordings,
        seconds=round(seconds, 3),
        rows_per_second=round(recordings / seconds, 1) if seconds > 0 else 0.0,
        stopped="done",
        import_id=run.import_id,
        warnings=tuple(warnings),
        dry_run=dry_run,
    )


class _AcousticBrainzImport(DumpImport):
    loaded_share = _LOADED
    import_id: int | None = None
    _changed = 0
    """Recordings whose stored numbers changed in this run."""

    def load(self) -> None:
        """Load the rows of stored recordings into the staging file."""
        self._staging.note_known(aliases.iterate_ids(self._engine, source_ids.MUSICBRAINZ))
        if self._staging.execute("SELECT 1 FROM known").fetchone() is None:
            self._staging.delete()
            raise UserError(_NO_RECORDINGS)
        self._load_all()

    def _load(self, dump: Dump, archive: DumpArchive, file: str) -> Iterator[tuple[str, int]]:
        done = self._staging.rows_read(file, dump.part)
        if done is None:
            return
        with archive.members() as members:
            for name, content in members:
                if name.endswith(".csv"):
                    rows = acousticbrainz.read_rows(content, self._staging, dump.part, done)
                    for read in self._load_rows(file, dump.part, acousticbrainz.INSERT, rows):
                        yield f"rows of {dump.path.name} read", read
                    return
        raise NotADataset(f"{dump.path} holds no table.")

    def store(self, recordings: int) -> None:
        """Store the numbers by recording, from where an earlier run stopped."""
        clock = self._context.clock
        with job_run(self._engine, clock, JOB) as run:
            with exclusive_transaction(self._engine) as connection:
                self.import_id = imported_files.start(
                    connection,
                    clock.now(),
                    sha256=combined_hash(self._hashes, self._options),
                    name=self._name(),
                    origin=acousticbrainz_imports.ORIGIN,
                    options={acousticbrainz_imports.TABLES: [dump.part for dump in self._dumps]},
                )
                done, _ = imported_files.stored_counts(connection, self.import_id)
            done = min(done, int(self._staging.fact(_STORED) or 0))
            batches = acousticbrainz.read_recordings(
                self._staging, done + 1, self._options.batch_rows
            )
            for batch in batches:
                if self._context.stop_requested():
                    run.set_outcome("interrupted")
                    raise ImportInterrupted
                done += len(batch)
                with transaction(self._engine) as connection:
                    imported_files.lock_rows_done(connection, self.import_id)
                    ids = tracks_of_aliases(connection, source_ids.MUSICBRAINZ, batch)
                    self._changed += acousticbrainz_submissions.store_submissions(
                        connection,
                        {(ids[mbid], mbid): one for mbid, one in batch.items() if mbid in ids},
                        clock.now(),
                        acousticbrainz_imports.SOURCE,
                    )
                    imported_files.add_rows_done(connection, self.import_id, done, 0)
                self._staging.note_fact(_STORED, str(done))
                share = _LOADED + (1 - _LOADED) * done / recordings
                self._context.progress(done, recordings, note="recordings stored", fraction=share)
            with transaction(self._engine) as connection:
                imported_files.mark_finished(connection, self.import_id, clock.now())
            run.set_facts(file=self._name(), rows=done, tracks_new=0)

    def summary(self) -> list[str]:
        """Return sentences on what was read and what was left out."""
        loaded = self._staging.loaded()
        rows = sum(read for read, _ in loaded.values())
        left_out = sum(left for _, left in loaded.values())
        read = f"{counted(rows, 'row')} read, {left_out:,} of recordings that are not stored."
        changed = f"The stored numbers changed for {counted(self._changed, 'recording')}."
        return [read, changed]

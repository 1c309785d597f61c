"""List imports, and undo one as a whole."""

from collections.abc import Callable
from dataclasses import dataclass

from collector.catalogue import acousticbrainz_imports, import_undo, imported_files
from collector.catalogue.import_undo import UndoCounts
from collector.catalogue.imported_files import StoredImport
from genrebase.counts import counted
from genrebase.errors import UserError
from genrebase.runtime.clock import Clock
from genrebase.runtime.jobs import job_run
from genrebase.store import matrix_files
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Engine, read_transaction

JOB = "undo-import"
BATCH_SIZE = 5_000
"""Tracks of one transaction."""


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """What an undo removed."""

    undone: StoredImport
    counts: UndoCounts
    genres: int
    """Removed genres: those with tracks of this import only."""
    stopped: bool
    """Whether a stop request ended it early."""


def list_imports(engine: Engine) -> list[StoredImport]:
    """Return all imports, oldest first."""
    with read_transaction(engine) as connection:
        return imported_files.load_imports(connection)


def undo(
    engine: Engine,
    clock: Clock,
    import_id: int,
    *,
    force: bool = False,
    stop_requested: Callable[[], bool] = lambda: False,
    advance: Callable[[UndoCounts], None] = lambda _: None,
    batch_size: int = BATCH_SIZE,
) -> UndoOutcome:
    """Remove what only this import delivered, and restore what it filled or corrected.

    Raises `UserError` for an import that does not exist, is undone or has no ledger, and without
    `force` if its tracks have predictions. Each batch is one transaction; the next call continues
    a stopped undo. The file cannot be imported before the undo is finished.
    """
    stored = _find(engine, import_id)
    if not force:
        _refuse_predicted(engine, stored)
    of_submissions = stored.origin == acousticbrainz_imports.ORIGIN
    undo_batch = acousticbrainz_imports.undo_batch if of_submissions else import_undo.undo_batch
    total, genres, after = UndoCounts(), 0, 0
    with job_run(engine, clock, JOB) as run:
        with exclusive_transaction(engine) as connection:
            imported_files.mark_undo_started(connection, import_id, clock.now())
        while not (stopped := stop_requested()):
            with exclusive_transaction(engine) as connection:
                counts, last = undo_batch(connection, stored, after, batch_size, clock.now())
                if last is None:
                    genres = import_undo.finish(connection, stored)
                    imported_files.mark_undone(connection, import_id, clock.now())
                    break
            after = last
            total += counts
            advance(total)
        matrix_files.delete_unnamed(engine)
        run.set_facts(file=stored.name, id=import_id)
        run.count(tracks=total.tracks, sightings=total.sightings, restored=total.restored)
        run.set_outcome("interrupted" if stopped else "done")
    return UndoOutcome(stored, total, genres, stopped)


def _find(engine: Engine, import_id: int) -> StoredImport:
    imports = list_imports(engine)
    stored = next((one for one in imports if one.id == import_id), None)
    if stored is None:
        raise UserError(f"There is no import {import_id}: see `collector imports list`.")
    if stored.state == "undone":
        raise UserError(f"Import {import_id} of {stored.name} is undone already.")
    if stored.started_at is None:
        raise UserError(
            f"Import {import_id} of {stored.name} was made by a version that did not record what "
            f"an import delivers. To delete its tracks: collector forget --origin {stored.origin} "
            "--older-than 0h"
        )
    return stored


def _refuse_predicted(engine: Engine, stored: StoredImport) -> None:
    with read_transaction(engine) as connection:
        predicted = import_undo.count_predicted(connection, stored.id)
    if predicted:
        raise UserError(
            f"The predictions of {counted(predicted, 'track')} that import {stored.id} delivered "
            "would be deleted with them: add --force. Models that were trained on them stay as "
            "they are; train again afterwards."
        )

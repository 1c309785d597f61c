"""Import low-level documents of Essentia: AcousticBrainz' sample dump, or your own documents."""

from pathlib import Path
from typing import Final

from collector.datasets import essentia_documents, reader
from collector.datasets.essentia_descriptors import COLUMNS, SCHEMA
from collector.datasets.essentia_documents import EssentiaFiles
from collector.imports.pipeline import run_import
from collector.imports.records import DescriptorSchema, ImportContext, ImportResult, ImportSource
from collector.records import Provenance
from genrebase import licences
from genrebase.audio.scan import display_path
from genrebase.errors import UserError
from genrebase.store.tables import ACOUSTICBRAINZ_PROVIDER, ESSENTIA_PROVIDER

BATCH_ROWS: Final = 500
"""Rows of one transaction; each has hundreds of numbers."""


def import_documents(
    context: ImportContext, files: EssentiaFiles, *, licence: str | None = None
) -> ImportResult:
    """Import the documents of a folder, an archive or a file.

    Files named as AcousticBrainz names them are its own: their data are CC0, and are stored under
    the provider `acousticbrainz`. All others are stored under the provider `essentia`, with
    `licence`, or else an unknown one.

    Raises `UserError` if `licence` is given for AcousticBrainz' files, and `NotADataset`, both
    before anything is written; `DamagedFile` for a truncated archive, whose earlier batches are
    kept. The import is idempotent, also after a kill.
    """
    path = files.path
    name = display_path(Path(path.name or path.resolve().name))
    provider = ACOUSTICBRAINZ_PROVIDER if files.is_published else ESSENTIA_PROVIDER
    if files.is_published and licence is not None:
        raise UserError("The licence of AcousticBrainz' documents is known: leave out --licence.")
    is_folder = path.is_dir()
    fingerprint = essentia_documents.fingerprint if is_folder else reader.fingerprint
    count = essentia_documents.count_files(path) if is_folder else None
    source = ImportSource(
        name=name,
        sha256=fingerprint(path),
        rows=files.rows(context.clock.now().year + 1),
        batch_rows=BATCH_ROWS,
        provenance=Provenance(
            origin=f"{provider}:{name}",
            provider=provider,
            licence=licences.of_source(provider),
        ),
        mapping=provider,
        is_ranked=False,
        schema=DescriptorSchema(SCHEMA, COLUMNS, provider),
        estimate_rows=lambda done: files.estimate(done) if count is None else count,
        has_exact_count=is_folder,
        licence=licence,
        warnings=files.notes,
    )
    return run_import(context, source)

"""Import FMA's published tables: tracks with their genres and split, the genre tree, features."""

from pathlib import Path
from typing import Final

from collector.datasets import fma, reader
from collector.imports.pipeline import run_import
from collector.imports.records import DescriptorSchema, ImportContext, ImportResult, ImportSource
from collector.records import Provenance
from genrebase.audio.scan import display_path
from genrebase.errors import UserError

BATCH_ROWS: Final = 2_000
"""Rows of one transaction; each brings a handful of genres, or 518 values."""


def import_fma(
    context: ImportContext, folder: Path, *, subset: str = "full", licence: str | None = None
) -> ImportResult:
    """Import `tracks.csv`, `genres.csv` and, if present, `features.csv` of a folder.

    `folder` may also be the table of tracks itself; the other tables lie beside it.

    `subset` is `small`, `medium`, `large` or `full`. Raises `UserError` before
    anything is written. The import is idempotent, also after a kill.
    """
    if subset not in fma.SUBSETS:
        raise UserError(f"There is no subset {subset!r} of FMA: {', '.join(fma.SUBSETS)}.")
    table = folder if folder.is_file() else folder / fma.TRACKS_FILE
    folder = table.parent
    tree = fma.read_genre_tree(folder / fma.GENRES_FILE)
    path = folder / fma.FEATURES_FILE
    features = fma.FmaFeatures(path) if path.is_file() else None
    rows = fma.read_tracks(table, tree, context.clock.now().year + 1, subset)
    source = ImportSource(
        name=fma.TRACKS_FILE,
        folder=display_path(folder),
        sha256=reader.fingerprint(table, subset),
        rows=rows,
        batch_rows=BATCH_ROWS,
        provenance=Provenance(origin=fma.SOURCE, provider=None),
        mapping=fma.SOURCE,
        broad_genres=tree.broad_of,
        is_ranked=False,
        schema=None
        if features is None
        else DescriptorSchema(features.schema, features.columns, fma.SOURCE),
        descriptors=() if features is None else features.rows(),
        options={"subset": subset},
        licence=licence,
    )
    return run_import(context, source)

"""`collector import`."""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from collector.commands.harvest import HarvestStopped
from collector.datasets import cells, fma, reader
from collector.datasets.rows import RowRejection
from collector.imports.dataset import ImportResult, NothingImported, import_dataset
from genrebase import store
from genrebase.errors import UserError
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import stop_on_signals

_NAME_IT = "name it, such as --encoding latin-1"


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV (also tabs, semicolons, gzipped) or Parquet; or the folder of FMA's tables "
            "(tracks.csv, genres.csv, features.csv)."
        ),
    ],
    genre_column: Annotated[
        str | None,
        typer.Option(
            help="The column to take the genre from, instead of the first of genre, track_genre, "
            "playlist_genre, label."
        ),
    ] = None,
    encoding: Annotated[
        str, typer.Option(help="The encoding of a CSV file.")
    ] = reader.DEFAULT_ENCODING,
    rejected: Annotated[
        Path | None,
        typer.Option(help="A CSV file to write the number and the reason of rejected rows to."),
    ] = None,
    subset: Annotated[
        str | None,
        typer.Option(help="Of FMA's tables only the subset small, medium or large."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Import an existing dataset. Doing it again, or again after a stop, does no harm.

    Columns are found by their usual names. Every row is a new track, a duplicate of one, or
    rejected with a reason; a row without a genre is taken without a label. A table that names
    sound files and describes them by numbers, as GTZAN's does, brings these as descriptors.
    """
    output = Output(as_json=as_json)
    run = _importer(file, subset, genre_column, encoding, rejected)
    engine = store.connect()
    with stop_on_signals() as stop, output.progress(f"Importing {file.name}") as advance:
        imported = run(engine, file, SystemClock(), advance, stop_requested=lambda: stop.requested)
    for sentence in _sentences(imported):
        output.print(sentence)
    output.write_json(asdict(imported))
    if imported.stopped == "interrupted":
        raise HarvestStopped(
            f"Stopped after {imported.rows:,} rows. Import it again: it goes on without harm, no "
            "row counts twice."
        )
    if imported.reasons.get(RowRejection.UNDECODABLE, 0) == imported.rows > 0:
        raise NothingImported(f"No row of {file.name} could be read as {encoding}: {_NAME_IT}.")


def _importer(
    file: Path,
    subset: str | None,
    genre_column: str | None,
    encoding: str,
    rejected: Path | None,
) -> Callable[..., ImportResult]:
    """Return what imports a dataset of this kind."""
    # start-up: numpy stands behind these
    from collector.imports import descriptor_table
    from collector.imports.fma import import_fma

    if file.is_dir():
        if not fma.is_fma_folder(file):
            raise UserError(f"{file} is a folder without FMA's tracks.csv. Name a file.")
        return partial(import_fma, subset=subset or fma.SUBSETS[-1])
    if subset is not None:
        raise UserError("--subset is about the folder of FMA's tables: name that.")
    described = descriptor_table.is_descriptor_table(file, genre_column, encoding)
    return partial(
        descriptor_table.import_descriptor_table if described else import_dataset,
        genre_column=genre_column,
        encoding=encoding,
        rejected=rejected,
    )


def _sentences(imported: ImportResult) -> list[str]:
    summary = (
        f"{imported.rows:,} rows: {imported.tracks_new:,} new tracks, "
        f"{imported.duplicates:,} duplicates, {imported.rejected:,} rejected "
        f"({imported.seconds:.1f} s, {imported.rows_per_second:,.0f} rows/s)."
    )
    said = [summary]
    if imported.described:
        said.append(f"Descriptors of {imported.described:,} rows are stored.")
    if imported.unlabelled:
        said.append(f"{imported.unlabelled:,} rows carry no usable genre: stored without a label.")
    said.extend(f"Rejected {count:,}: {reason}." for reason, count in imported.reasons.items())
    if RowRejection.UNDECODABLE in imported.reasons:
        said.append(f"Rows that cannot be decoded may be in another encoding: {_NAME_IT}.")
    if imported.unreadable:
        columns = ", ".join(
            f"{cells.escape_unprintable(name)} ({n:,})" for name, n in imported.unreadable.items()
        )
        said.append(f"Cells that could not be read were left empty: {columns}.")
    if imported.claims_moved:
        said.append(
            f"{imported.claims_moved:,} tracks that were there count for another genre now: they "
            "stand higher under it."
        )
    for names in imported.similar_genres:
        listed = ", ".join(repr(name) for name in names)
        said.append(
            f"{listed} differ only by case or blanks and are kept apart; if they are one: "
            "collector genres merge ONE INTO"
        )
    return said

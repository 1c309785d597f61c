"""`collector import`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collector.datasets import reader
from collector.import_dataset import Imported, import_dataset
from genrebase import store
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.output import Output


def import_(
    file: Annotated[Path, typer.Argument(help="CSV (also tabs, semicolons, gzipped) or Parquet.")],
    genre_column: Annotated[
        str | None,
        typer.Option(
            help="The column to take the genre from, instead of the first of genre, track_genre, "
            "playlist_genre, label."
        ),
    ] = None,
    encoding: Annotated[str, typer.Option(help="The encoding of a CSV file.")] = reader.UTF8,
    rejected: Annotated[
        Path | None,
        typer.Option(help="A CSV file to write the number and the reason of rejected rows to."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Import an existing dataset. Doing it again, or again after a stop, does no harm.

    Columns are found by their usual names. Every row is a new track, a duplicate of one, or
    rejected with a reason; a row without a genre is taken without a label.
    """
    output = Output(as_json=as_json)
    engine = store.connect()
    with output.progress(f"Importing {file.name}") as advance:
        imported = import_dataset(
            engine,
            file,
            SystemClock(),
            advance,
            genre_column=genre_column,
            encoding=encoding,
            rejected=rejected,
        )
    for sentence in _sentences(imported):
        output.say(sentence)
    output.document(asdict(imported))


def _sentences(imported: Imported) -> list[str]:
    summary = (
        f"{imported.rows:,} rows: {imported.tracks_new:,} new tracks, "
        f"{imported.duplicates:,} duplicates, {imported.rejected:,} rejected "
        f"({imported.seconds:.1f} s, {imported.rows_per_second:,.0f} rows/s)."
    )
    said = [summary]
    if imported.unlabelled:
        said.append(f"{imported.unlabelled:,} rows carry no genre: stored without a label.")
    said.extend(f"Rejected {count:,}: {reason}." for reason, count in imported.reasons.items())
    return said

"""The command `classifier export`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from classifier import licence_terms
from classifier.config_options import parse_list
from genrebase.counts import counted
from genrebase.runtime.command_line import ForSpreadsheets
from genrebase.runtime.console import Output


def export(
    view: Annotated[str, typer.Argument(metavar="VIEW", help="A view, such as training_tracks.")],
    file: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="A new file.")],
    as_format: Annotated[
        str | None,
        typer.Option("--format", help="csv, parquet or npz (default: the file's suffix)."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Only these columns: a,b,c (default: all).")
    ] = None,
    folds: Annotated[
        bool, typer.Option("--with-folds/--without-folds", help="Add each track's fold and side.")
    ] = True,
    for_spreadsheets: ForSpreadsheets = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Write a view to a file, with the frozen folds of its tracks.

    CSV and Parquet are streamed at any size. An NPZ has an array per column, without
    pickled objects, and is loaded by `numpy.load(FILE)`. An existing file is never overwritten.

    Columns with the source and licence of labels and features are written even if --columns does
    not name them. A Parquet file has the counts per source in its metadata (`genrebase.sources`).

    Examples:
      classifier export training_tracks -o training-tracks.parquet
    """
    from classifier.reports import export as exporting
    from genrebase.store import connect

    output = Output(as_json=as_json)
    with output.progress("Exporting rows") as bar:
        result = exporting.run(
            connect(),
            view,
            file,
            as_format=as_format,
            columns=None if columns is None else parse_list(columns),
            folds=folds,
            for_spreadsheets=for_spreadsheets,
            progress=bar,
        )
    output.print(
        f"{result.file}: {counted(result.rows, 'row')} of {result.view}, {result.bytes / 1e6:.1f} "
        "MB."
    )
    for what, counts in (("Labels", result.labels), ("Features", result.features)):
        if counts:
            output.print(f"{what}: {', '.join(str(one) for one in counts)}.")
    for sentence in licence_terms.passing_on((*result.labels, *result.features)):
        output.warn(sentence)
    output.write_json(
        {
            **asdict(result),
            "file": str(result.file),
            "labels": [one.as_json("rows") for one in result.labels],
            "features": [one.as_json("rows") for one in result.features],
        }
    )

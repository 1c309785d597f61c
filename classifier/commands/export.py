"""The command `classifier export`."""

from pathlib import Path
from typing import Annotated

import typer

from classifier.training_config import parse_list
from genrebase.runtime.console import Output


def export(
    view: Annotated[str, typer.Argument(metavar="VIEW", help="Such as training_tracks.")],
    file: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="A file that is not there yet.")
    ],
    as_format: Annotated[
        str | None,
        typer.Option("--format", help="csv, parquet or npz [what the file's name ends with]."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Only these columns: a,b,c [all of the view].")
    ] = None,
    folds: Annotated[
        bool, typer.Option("--with-folds/--without-folds", help="Add each track's fold and side.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Write a view into a file, with the frozen folds of its tracks.

    CSV and Parquet are written as they are read, whatever the size. An NPZ holds an array per
    column, without pickled objects: `numpy.load(FILE)` takes it as it is. A file that is there is
    never overwritten.
    """
    # these bring pandas, pyarrow and SQLAlchemy: --help need not wait
    from classifier.reports import export as exporting
    from genrebase.store import connect

    output = Output(as_json=as_json)
    with output.progress("Exporting rows") as bar:
        done = exporting.run(
            connect(),
            view,
            file,
            as_format=as_format,
            columns=None if columns is None else parse_list(columns),
            folds=folds,
            progress=bar,
        )
    output.print(f"{done.file}: {done.rows:,} rows of {done.view}, {done.bytes / 1e6:.1f} MB.")
    output.write_json(
        {
            "file": str(done.file),
            "view": done.view,
            "format": done.format,
            "rows": done.rows,
            "columns": list(done.columns),
            "bytes": done.bytes,
        }
    )

"""The command `collector label`."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from collector.catalogue.verdicts import Verdict
from collector.curation import verdicts
from genrebase import store
from genrebase.counts import counted
from genrebase.errors import UserError
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.command_line import ForSpreadsheets
from genrebase.runtime.console import Output
from genrebase.store.engine import Engine


def label(
    track: Annotated[
        str | None, typer.Argument(help="A track: source ID, Spotify URL or URI, or `track_id`.")
    ] = None,
    genre: Annotated[str | None, typer.Argument(help="The genre of the track.")] = None,
    by: Annotated[str | None, typer.Option(help="The person who labels it.")] = None,
    note: Annotated[str | None, typer.Option(help="A note on the verdict.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the verdict.")] = False,
    import_file: Annotated[
        Path | None,
        typer.Option("--import", help="A CSV file of verdicts: track, genre, by, note, at."),
    ] = None,
    export_file: Annotated[
        Path | None, typer.Option("--export", help="Write all verdicts to a CSV file.")
    ] = None,
    for_spreadsheets: ForSpreadsheets = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document.")] = False,
) -> None:
    """Label a track with a genre. This verdict overrides the claim; only people change it.

    Examples:
      collector label 1 rock --by me
      collector label --export labels.csv
    """
    output = Output(as_json=as_json)
    targets = sum((track is not None, import_file is not None, export_file is not None))
    if targets != 1 or (genre is None and track is not None and not remove):
        raise UserError(
            "Use one of: collector label TRACK GENRE --by NAME, collector label TRACK --remove, "
            "collector label --import FILE, collector label --export FILE."
        )
    if for_spreadsheets and export_file is None:
        raise UserError("--for-spreadsheets needs a file that is written: --export FILE.")
    engine = store.connect()
    if import_file is not None:
        _import(engine, import_file, by, output)
    elif export_file is not None:
        written = verdicts.export_labels(engine, export_file, for_spreadsheets=for_spreadsheets)
        output.print(f"Exported {counted(written, 'label')} to {export_file}.")
        output.write_json({"labels": written, "file": str(export_file)})
    elif remove and track is not None:
        gone = verdicts.remove(engine, track, by)
        for one in gone:
            output.print(f"{_describe(one)}: removed.")
        output.write_json({"removed": [asdict(one) for one in gone]})
    elif track is not None and genre is not None:
        try:
            given = verdicts.add(engine, SystemClock(), track, genre, by or "", note).stored
        except verdicts.NoLabeller as error:
            raise UserError(
                "A label needs the name of the person who gives it: --by NAME."
            ) from error
        output.print(_describe(given))
        output.write_json(asdict(given))


def _import(engine: Engine, file: Path, by: str | None, output: Output) -> None:
    taken = verdicts.import_labels(engine, SystemClock(), file, by)
    output.print(
        f"{counted(taken.rows, 'row')}: {counted(taken.labelled, 'label')} stored, "
        f"{taken.unchanged:,} unchanged, {taken.rejected:,} rejected."
    )
    for reason, count in taken.reasons.items():
        output.print(f"Rejected {count:,}: {reason}.")
    output.write_json(asdict(taken))


def _describe(one: Verdict) -> str:
    return f"{one.title} by {one.artists} is {one.genre}, labelled by {one.by}"

"""List where labels and features come from, with their licences."""

from dataclasses import asdict, astuple
from typing import Annotated

import typer

from collector.commands.licence_option import checked_licence
from genrebase.counts import counted
from genrebase.errors import UserError
from genrebase.runtime.command_line import CommandLine
from genrebase.runtime.console import Output

app = CommandLine("sources", __doc__)

_COLUMNS = ("source", "licence", "class", "tracks", "labels", "features")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def sources(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_(as_json)
    elif as_json:
        raise UserError(f"Write --json after the name: {context.invoked_subcommand} --json.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show every source of labels and provider of features: licence, tracks, labels, features.

    `collector sources` alone does the same. The number of tracks counts those that the source
    delivered first. Licences of single labels and features are in the views
    `track_genre_sources` and `track_features`.

    Examples:
      collector sources list
    """
    # slow to import (SQLAlchemy), and not needed for --help
    from collector.curation import licences
    from genrebase.store import connect

    output = Output(as_json=as_json)
    rows = licences.list_sources(connect())
    if rows:
        output.table(counted(len(rows), "source"), _COLUMNS, map(astuple, rows))
    else:
        output.print("No source yet: collector harvest, or collector import FILE")
    output.write_json([asdict(one) for one in rows])


@app.command("licence")
def licence(
    name: Annotated[str, typer.Argument(help="The source, as `sources list` shows it.")],
    licence: Annotated[str, typer.Argument(help="Its licence, such as cc-by-4.0, or an address.")],
    as_json: AsJson = False,
) -> None:
    """Set the licence of a source whose licence you know, such as an imported file.

    It applies to all labels and features of the source that have no licence of their own.

    Examples:
      collector sources licence csv:tracks.csv cc-by-4.0
    """
    # slow to import (SQLAlchemy), and not needed for --help
    from collector.curation import licences
    from genrebase.store import connect

    output = Output(as_json=as_json)
    stored = licences.set_licence(connect(), name, checked_licence(licence) or licence)
    output.print(f"{stored.name}: {stored.licence} ({stored.licence_class}).")
    output.write_json(asdict(stored))

"""List the imported files, and undo an import as a whole."""

from dataclasses import asdict
from typing import Annotated

import typer

from genrebase.counts import counted, join_counts
from genrebase.errors import CommandInterrupted, UserError
from genrebase.runtime.command_line import CommandLine
from genrebase.runtime.console import Output

app = CommandLine("imports", __doc__)

_COLUMNS = ("id", "file", "imported (UTC)", "rows", "new tracks", "licence", "state")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document.")]


@app.callback(invoke_without_command=True, no_args_is_help=False)
def imports_(context: typer.Context, as_json: AsJson = False) -> None:
    if context.invoked_subcommand is None:
        list_(as_json)
    elif as_json:
        raise UserError(f"Write --json after the name: {context.invoked_subcommand} --json.")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Show all imports: ID, file, time, rows, new tracks, licence, state.

    `collector imports` alone does the same. Versions of one file share an origin, which the JSON
    document shows.

    Examples:
      collector imports list
    """
    # slow to import (SQLAlchemy), and not needed for --help
    from collector.curation import imports
    from genrebase.store import connect

    output = Output(as_json=as_json)
    everything = imports.list_imports(connect())
    if everything:
        rows = []
        for one in everything:
            started = one.started_at and f"{one.started_at:%Y-%m-%d %H:%M}"
            counts = (one.rows, one.tracks_new)
            rows.append((one.id, one.name, started, *counts, one.licence, one.state))
        output.table(counted(len(everything), "import"), _COLUMNS, rows)
    else:
        output.print("No import yet: collector import FILE")
    output.write_json([{**asdict(one), "state": one.state} for one in everything])


@app.command()
def undo(
    import_id: Annotated[
        int, typer.Argument(metavar="ID", help="The import, as `imports list` shows it.")
    ],
    force: Annotated[
        bool, typer.Option("--force", help="Delete predictions of its tracks, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what only this import delivered; restore the values that it filled or corrected.

    Tracks that another import, a harvest or an audio file delivered stay, and so do tracks with a
    verdict. Afterwards the file can be imported again.

    Examples:
      collector imports undo 1
    """
    # slow to import (SQLAlchemy), and not needed for --help
    from collector.curation import imports
    from genrebase.runtime.clock import SystemClock
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.store import connect

    output, engine = Output(as_json=as_json), connect()
    with stop_on_signals() as stop, output.progress(f"Undoing import {import_id}") as bar:
        done = imports.undo(
            engine,
            SystemClock(),
            import_id,
            force=force,
            stop_requested=lambda: stop.requested,
            advance=lambda counts: bar(counts.tracks + counts.kept + counts.kept_for_labels),
        )
    counts = done.counts
    removed = join_counts(
        (counts.tracks, "track"), (counts.artists, "artist"), (done.genres, "genre")
    )
    output.print(
        f"Import {import_id} of {done.undone.name}: removed {removed}; withdrawn "
        f"{counted(counts.sightings, 'sighting')}."
    )
    for count, reason in (
        (counts.kept, "other imports or sources have them"),
        (counts.kept_for_labels, "people have labelled them"),
    ):
        if count:
            output.print(f"Stay in the database because {reason}: {counted(count, 'track')}.")
    if counts.restored:
        output.print(
            "Values of earlier imports restored, or values of this one removed: "
            f"{counted(counts.restored, 'track')}."
        )
    output.write_json(
        {
            "import_id": import_id,
            "file": done.undone.name,
            **asdict(counts),
            "genres": done.genres,
            "stopped": done.stopped,
        }
    )
    if done.stopped:
        raise CommandInterrupted("Stopped; run the same command again to continue.")

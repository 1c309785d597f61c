"""The command line of `genrebase`: run, demo, doctor, migrate, copy, backup, and sub-apps."""

from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from genrebase.errors import GenrebaseError
from genrebase.runtime import plugins
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.command_line import CommandLine, run_app
from genrebase.runtime.console import Output

COMMAND_GROUP = "genrebase.commands"
"""Entry points that name a Typer app, mounted under the entry point's name."""

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document and nothing else.")]

app = CommandLine(
    "genrebase", "Harvest unique tracks per genre and train a genre classifier on them."
)


class ProblemsFound(GenrebaseError):
    """The doctor found something to do."""


def _say_version(wanted: bool) -> None:
    if wanted:
        Output(as_json=False).print(f"genrebase {version('genrebase')}")
        raise typer.Exit


@app.callback()
def genrebase(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Show the version and end."
        ),
    ] = False,
) -> None:
    """Carry the options of the whole command line."""


@app.command()
def run(
    as_json: Annotated[
        bool, typer.Option("--json", help="Write a JSON document a line, whenever it changes.")
    ] = False,
) -> None:
    """Run the harvester and the trainer until Ctrl-C.

    With Spotify credentials in the environment or `.env` they work on Spotify, in genrebase.db;
    without, on the sandbox, in sandbox.db. `STORE_URL` names another database. A database without
    genres gets ten to begin with.
    """
    # imports SQLAlchemy, which --help does not need
    from genrebase.launcher import run as running
    from genrebase.settings import GenrebaseSettings

    running.run(GenrebaseSettings.load(), Output(as_json=as_json), SystemClock())


@app.command()
def demo(
    db: Annotated[
        str | None,
        typer.Option(
            help="File or address of the database. [default: STORE_URL, sandbox-demo.db]"
        ),
    ] = None,
    target: Annotated[int, typer.Option(min=1, help="Unique tracks wanted per genre.")] = 1000,
    catalogue: Annotated[
        str | None,
        typer.Option(help="A CSV file to serve. [default: CATALOGUE, an invented catalogue]"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Do the whole job once on the sandbox: harvest, enrich, train, predict, and show the result.

    Takes a few minutes at most and ends by itself; a second demo goes on from the first.
    """
    # these import SQLAlchemy, which --help does not need
    from genrebase.launcher import database_location, summary
    from genrebase.launcher import demo as demonstration
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.settings import GenrebaseSettings

    output, clock, told = Output(as_json=as_json), SystemClock(), GenrebaseSettings.load()
    where = database_location.choose(demonstration.DEFAULT_FILE, database=db)
    level = told.log_level if "log_level" in told.model_fields_set else "WARNING"
    with stop_on_signals() as stop:
        show = demonstration.Demo(where, output, clock, stop, log_level=level)
        result = show.run(target, catalogue or told.catalogue)
    if not as_json:
        summary.print_summary(result, output)
    output.write_json(result)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look at everything that must be right, and say what to do about what is not."""
    from genrebase.runtime.doctor import (
        run_all_checks,
    )  # it brings SQLAlchemy: --help need not wait

    output = Output(as_json=as_json)
    found = []
    for check in run_all_checks(SystemClock()):
        found.append(check)
        if not as_json:
            mark = {True: "ok  ", False: "FIX ", None: "-   "}[check.ok]
            output.print(f"{mark} {check.name}: {check.sentence}")
    wrong = [check.name for check in found if check.ok is False]
    output.write_json({"ok": not wrong, "checks": found})
    if wrong:
        raise ProblemsFound(f"To put right: {', '.join(wrong)}.")


@app.command()
def migrate(as_json: AsJson = False) -> None:
    """Bring the database at `STORE_URL` to the schema this version expects."""
    # they bring SQLAlchemy and alembic: --help need not wait
    from genrebase.store import schema
    from genrebase.store.engine import make_engine

    output, engine = Output(as_json=as_json), make_engine()
    try:
        before = schema.current_revision(engine)
        schema.upgrade()
        after = schema.current_revision(engine)
    finally:
        engine.dispose()
    where = engine.url.render_as_string()
    came = "has it already" if before == after else f"came from {before or 'nothing'}"
    output.print(f"Schema {after} at {where} ({came}).")
    output.write_json({"database": where, "from": before, "to": after})


@app.command()
def copy(
    from_url: Annotated[str, typer.Argument(help="The database to copy: its address.")],
    to_url: Annotated[str, typer.Argument(help="An empty database, or an earlier copy of it.")],
    as_json: AsJson = False,
) -> None:
    """Copy a database into another, SQLite or PostgreSQL, and compare the two.

    The schema is made where there is none. Stopped half-way, the same command goes on; run again
    later, it brings the copy up to date.
    """
    from genrebase.store import copy as copying  # it brings SQLAlchemy: --help need not wait
    from genrebase.store.engine import make_engine

    output = Output(as_json=as_json)
    source, target = make_engine(from_url), make_engine(to_url)
    try:
        with output.progress("Copying rows") as bar:
            copied = copying.copy_database(
                source, target, lambda at: bar(at.done, total=at.total, note=at.table)
            )
    finally:
        source.dispose()
        target.dispose()
    columns = ("table", "rows", "checksum")
    rows = [(one.table, one.rows, one.checksum[:12]) for one in copied.tables]
    output.table("Equal in both databases", columns, rows)
    output.print(
        f"{copied.rows:,} rows in {copied.target}, {copied.written:,} of them written now."
    )
    output.write_json(asdict(copied))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")],
    as_json: AsJson = False,
) -> None:
    """Save the database at `STORE_URL` into a SQLite file, while others go on writing to it.

    The file is a database of its own: name it in `STORE_URL`, or bring it back with `copy`.
    """
    from genrebase import store  # it brings SQLAlchemy: --help need not wait
    from genrebase.store.backup import backup as back_up

    output, engine = Output(as_json=as_json), store.connect()
    try:
        with output.progress("Saving rows") as bar:
            made = back_up(engine, file, lambda at: bar(at.done, total=at.total, note=at.table))
    finally:
        engine.dispose()
    output.print(f"{made.rows:,} rows in {made.file} ({made.bytes / 1e6:,.1f} MB), checked.")
    output.write_json({**asdict(made), "file": str(made.file)})


def mount_plugins(into: CommandLine) -> None:
    """Mount the registered sub-apps; warn of one that cannot be loaded, and go on without it."""
    for plugin in plugins.load_all(COMMAND_GROUP):
        if plugin.error is None:
            into.add_typer(plugin.value, name=plugin.name)
        else:
            Output(as_json=False).warn(plugin.error)


def main() -> None:
    """Run the command line."""
    mount_plugins(app)
    run_app(app)

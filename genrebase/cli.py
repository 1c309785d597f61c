"""The command line of `genrebase`: run, demo, doctor, migrate, copy, backup, lake, sub-apps.

A command imports what `--help` does not need, such as SQLAlchemy, when it runs.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from genrebase.counts import counted
from genrebase.errors import CommandInterrupted, GenrebaseError, UserError
from genrebase.runtime import plugins
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.command_line import CommandLine, run_app
from genrebase.runtime.console import Output

COMMAND_GROUP = "genrebase.commands"
"""Entry points that name a Typer app, mounted under the entry point's name."""

FUNCTION_GROUP = "genrebase.functions"
"""Entry points that name the function of one command."""

AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON document and nothing else.")]

app = CommandLine(
    "genrebase",
    "Harvest unique tracks per genre and train a genre classifier on them.",
    plugins.registered_targets(FUNCTION_GROUP),
)


@app.command()
def run(
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Write the status as a line of JSON whenever it changes."),
    ] = False,
    with_pages: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the web pages, too.")
    ] = True,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the overview in the browser.")
    ] = False,
) -> None:
    """Run `collector run`, `classifier run` and `genrebase serve` until SIGTERM or Ctrl-C.

    If there are Spotify credentials, or if `COLLECTOR_SOURCES` is set and does not contain
    `spotify`, the collector harvests the sources in `COLLECTOR_SOURCES` (default: Spotify) into
    genrebase.db. Otherwise it harvests the sandbox into sandbox.db. These settings come from the
    environment or `.env`. MusicBrainz and Internet Archive also need `COLLECTOR_CONTACT`.
    `STORE_URL` names another database. Ten genres are added to an empty database.

    Examples:
      genrebase run
    """
    from genrebase.launcher import run as running
    from genrebase.settings import GenrebaseSettings

    serve = ["serve", "--open"] if open_browser else ["serve"]
    pages = serve if with_pages else None
    running.run(GenrebaseSettings.load(), Output(as_json=as_json), SystemClock(), pages)


@app.command()
def demo(
    db: Annotated[
        str | None,
        typer.Option(
            help="File or URL of the database. [default: that of STORE_URL; else "
            "sandbox-demo.db, with --spotify sandbox-spotify.db]"
        ),
    ] = None,
    target: Annotated[int, typer.Option(min=1, help="Target of unique tracks per genre.")] = 1000,
    catalogue: Annotated[
        str | None,
        typer.Option(
            help="File to serve: one table (CSV, Parquet, JSON). [default: the file that the "
            "variable CATALOGUE names; without it, a synthetic catalogue]"
        ),
    ] = None,
    spotify: Annotated[
        bool,
        typer.Option("--spotify", help="Harvest Spotify's API instead of open sources."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Harvest, enrich, train and predict once on the sandbox, and show the result.

    The sandbox simulates MusicBrainz (tracks and labels), Discogs' dump (more labels) and
    AcousticBrainz (features). The model is trained on data under open licences only (with
    --spotify: on all data). This takes about a minute. A second demo continues the first.

    Examples:
      genrebase demo --target 300
      genrebase demo --target 100 --spotify
    """
    from genrebase.launcher import database_location, demo_summary
    from genrebase.launcher import demo as demonstration
    from genrebase.runtime.shutdown import stop_on_signals
    from genrebase.settings import GenrebaseSettings

    output, clock, settings = Output(as_json=as_json), SystemClock(), GenrebaseSettings.load()
    log_level = settings.log_level_or("WARNING")
    default = demonstration.SPOTIFY_FILE if spotify else demonstration.DEFAULT_FILE
    location = database_location.choose(default, database=db)
    with stop_on_signals() as stop:
        demo_run = demonstration.Demo(
            location,
            output,
            clock,
            stop,
            log_level=log_level,
            estimator=settings.demo_estimator,
            spotify=spotify,
        )
        result = demo_run.run(target, catalogue or settings.catalogue)
    if not as_json:
        demo_summary.print_summary(result, output)
    output.write_json(result)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check the interpreter, the database, the clock and the sources; suggest fixes.

    Examples:
      genrebase doctor
    """
    from genrebase.runtime import logging
    from genrebase.runtime.doctor import run_all_checks
    from genrebase.settings import GenrebaseSettings

    # the checks report what the INFO lines would
    logging.configure(GenrebaseSettings.load().log_level_or("WARNING"), human=True)
    output = Output(as_json=as_json)
    checks = []
    for check in run_all_checks(SystemClock()):
        checks.append(check)
        if not as_json:
            mark = {True: "ok  ", False: "FIX ", None: "-   "}[check.ok]
            output.print(f"{mark} {check.name}: {check.sentence}")
    failed = [check.name for check in checks if check.ok is False]
    output.write_json({"ok": not failed, "checks": checks})
    if failed:
        raise GenrebaseError(f"Failed checks: {', '.join(failed)}.")


@app.command()
def migrate(
    repair: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Also choose again, for every track, the provider whose features the views show: "
            "needed after another program wrote to audio_features.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Upgrade the database at `STORE_URL` to the schema of this version.

    Examples:
      genrebase migrate
    """
    from genrebase.runtime.settings_check import require_valid_settings
    from genrebase.store import schema_upgrade

    output = Output(as_json=as_json)
    require_valid_settings()  # the views depend on them
    database, before, after = schema_upgrade.migrate(repair=repair)
    change = "unchanged" if before == after else f"upgraded from {before or 'no schema'}"
    output.print(f"Schema {after} at {database} ({change}).")
    output.write_json({"database": database, "from": before, "to": after})


@app.command()
def copy(
    from_url: Annotated[
        str | None,
        typer.Argument(help="The URL of the database to copy; default: GENREBASE_COPY_FROM."),
    ] = None,
    to_url: Annotated[
        str | None,
        typer.Argument(
            help="The URL of an empty database, or of an earlier copy (default: "
            "GENREBASE_COPY_TO, which hides a password from other users)."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy a database into another, SQLite or PostgreSQL, and compare the two.

    A missing schema is created. After an interruption the same command continues; repeated later,
    it updates the copy.

    Examples:
      genrebase copy sqlite:///genrebase.db sqlite:///copy.db
    """
    from genrebase.settings import GenrebaseSettings
    from genrebase.store import copy as copying
    from genrebase.store.engine import disposing, make_engine

    output = Output(as_json=as_json)
    settings = GenrebaseSettings.load()
    from_url, to_url = from_url or settings.copy_from, to_url or settings.copy_to
    if from_url is None or to_url is None:
        raise UserError(
            "Name the databases: genrebase copy FROM TO, or set GENREBASE_COPY_FROM and "
            "GENREBASE_COPY_TO."
        )
    with disposing(make_engine(from_url)) as source, disposing(make_engine(to_url)) as target:
        try:
            with output.progress("Copying rows") as bar:
                copied = copying.copy_database(source, target, bar)
        except KeyboardInterrupt:
            raise CommandInterrupted(
                f"Stopped: {target.url.render_as_string()} is an unfinished copy, which no "
                "command uses. Run the same command again to continue it."
            ) from None
    columns = ("table", "rows", "checksum")
    rows = [(table.table, table.rows, table.checksum[:12]) for table in copied.tables]
    output.table("Equal in both databases", columns, rows)
    output.print(
        f"{counted(copied.rows, 'row')} in {copied.target}, {copied.written:,} of them written in "
        "this run."
    )
    output.write_json(asdict(copied))


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    as_json: AsJson = False,
) -> None:
    """Back up the database at `STORE_URL` into a SQLite file, also while others write.

    The file is a complete database: use it as `STORE_URL`, or restore it with `copy`.

    Examples:
      genrebase backup genrebase-backup.db
    """
    from genrebase.store import connect, disposing
    from genrebase.store.backup import backup as back_up

    output = Output(as_json=as_json)
    with disposing(connect()) as engine, output.progress("Saving rows") as bar:
        result = back_up(engine, file, bar)
    output.print(
        f"{counted(result.rows, 'row')} in {result.file} ({result.bytes / 1e6:,.1f} MB), verified."
    )
    output.write_json({**asdict(result), "file": str(result.file)})


@app.command()
def digests(as_json: AsJson = False) -> None:
    """Compute the digests now: stored rows of the views that aggregate whole tables.

    It also fills the index of the search. Daemons, and commands that change data, do both
    automatically (`GENREBASE_DIGESTS_EVERY`). Web pages and `collector status` read the digests.

    Examples:
      genrebase digests
    """
    from genrebase.digests.refresh import refresh
    from genrebase.store import connect, disposing

    output = Output(as_json=as_json)
    with disposing(connect()) as engine:
        done = refresh(engine, SystemClock())
    views = [
        {"view": one.view, "digests": len(one.documents), "rows": one.rows}
        | {"seconds": round(one.seconds, 3)}
        for one in done.views
    ]
    output.table("Digests", [*views[0]], [list(one.values()) for one in views])
    output.print(
        f"As of {done.as_of:%Y-%m-%d %H:%M:%S} UTC, in {done.seconds:.1f} s, "
        f"{done.reading_seconds:.1f} s of them to read the tables."
    )
    output.write_json(
        {"as_of": done.as_of, "seconds": round(done.seconds, 3), "indexed": done.indexed}
        | {"reading_seconds": round(done.reading_seconds, 3), "views": views}
    )


@app.command()
def matrices(
    into_database: Annotated[
        bool,
        typer.Option(
            "--into-database", help="Move the bytes from the files back into the database."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Move the bytes of spectrograms and other matrices into files of STORE_MATRIX_FOLDER.

    New matrices are stored there as soon as the setting is set. Files that no row names any more
    are deleted. After an interruption the same command continues.

    Examples:
      genrebase matrices
    """
    from genrebase.store import connect, disposing, matrix_files

    output = Output(as_json=as_json)
    into = matrix_files.move_to_database if into_database else matrix_files.move_to_files
    with disposing(connect()) as engine:
        moved = into(engine)
        deleted = matrix_files.delete_unnamed(engine)
    where = "the database" if into_database else "files"
    output.print(
        f"Moved into {where}: {counted(moved, 'matrix', 'matrices')}. Deleted: "
        f"{counted(deleted, 'file')} that no row names."
    )
    output.write_json({"moved": moved, "deleted_files": deleted})


@app.command()
def lake(
    folder: Annotated[
        Path, typer.Argument(help="The folder to write: a new or empty one, or an earlier lake.")
    ],
    as_json: AsJson = False,
) -> None:
    """Copy the tables and views of the database at `STORE_URL` into Parquet files.

    DuckDB, pandas, Polars and Spark read the files by the names of tables and views:
    FOLDER/tracks is a dataset. A later run writes only the files whose rows changed. Queries
    read the earlier copy until the new one is complete. The next run deletes the earlier copy.

    Examples:
      genrebase lake lake
    """
    from genrebase.lake.build import build_lake
    from genrebase.store import connect, disposing

    output = Output(as_json=as_json)
    kept = f"what {folder} held before is unchanged. Run the same command again to continue."
    with (
        disposing(connect()) as engine,
        output.on_interrupt(lambda: kept),
        output.progress("Copying") as bar,
    ):
        result = build_lake(engine, folder, SystemClock(), bar)
    views = [one for one in result.relations if one.kind == "view" and one.rows]
    rows = [(one.name, one.rows, one.files, one.bytes) for one in views]
    output.table("Views with rows", ("view", "rows", "files", "bytes"), rows)
    size = sum(one.bytes for one in result.relations) / 1e6
    output.print(
        f"Version {result.version} in {folder}, as of {result.as_of:%Y-%m-%d %H:%M:%S} UTC: "
        f"{counted(result.files, 'file')} ({size:,.1f} MB), {result.files_written:,} of them "
        f"written in this run. Left out, because they hold binary data: "
        f"{', '.join(result.left_out)}."
    )
    output.write_json(asdict(result))


def mount_plugins(into: CommandLine) -> None:
    """Mount the registered sub-apps; warn about one that cannot be loaded and skip it."""
    for plugin in plugins.load_all(COMMAND_GROUP):
        if plugin.error is None:
            into.add_typer(plugin.value, name=plugin.name)
        else:
            Output(as_json=False).warn(plugin.error)


def main() -> None:
    """Run the command line."""
    mount_plugins(app)
    run_app(app)

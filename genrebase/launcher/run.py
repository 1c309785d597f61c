"""`genrebase run`: both daemons and the web pages under one parent."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from genrebase.errors import UserError
from genrebase.launcher import child_commands, database_location, default_genres, sandbox
from genrebase.launcher.child_commands import LauncherStopped
from genrebase.launcher.database_location import DatabaseLocation
from genrebase.launcher.pipeline_status import ProgressReporter
from genrebase.launcher.supervisor import ChildCommand, Supervisor
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import StopSignal, stop_on_signals
from genrebase.settings import GenrebaseSettings
from genrebase.store import schema_upgrade

LIVE_FILE: Final = "genrebase.db"
SANDBOX_FILE: Final = "sandbox.db"
_POLL_SECONDS: Final = 0.5
"""Seconds between two polls of the child processes."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The source and the database of a run."""

    database: DatabaseLocation
    uses_sandbox: bool
    """Whether the sandbox is harvested instead of live services."""
    message: str


def plan_run(settings: GenrebaseSettings) -> RunPlan:
    """Choose open sources if they are set, Spotify if there are credentials, else the sandbox."""
    live = ", ".join(settings.open_sources)
    if not live and settings.has_spotify_credentials:
        live = settings.sources.replace(",", ", ") or "spotify"
    if live:
        database = database_location.choose(LIVE_FILE)
        return RunPlan(
            database,
            uses_sandbox=False,
            message=f"Harvesting {live} into {database.display_url}.",
        )
    database = database_location.choose(SANDBOX_FILE)
    what = (
        f"the catalogue {settings.catalogue}"
        if settings.catalogue
        else sandbox.SYNTHETIC_CATALOGUE
    )
    return RunPlan(
        database,
        uses_sandbox=True,
        message=f"{_missing_credentials(settings)}: harvesting the sandbox into "
        f"{database.display_url}, {what}. "
        "For live music without an account, set COLLECTOR_SOURCES=musicbrainz and "
        "COLLECTOR_CONTACT to your e-mail address or web page.",
    )


def _missing_credentials(settings: GenrebaseSettings) -> str:
    if settings.client_id or settings.client_secret:
        missing = "SPOTIPY_CLIENT_SECRET" if settings.client_id else "SPOTIPY_CLIENT_ID"
        return f"{missing} is missing"
    return "No Spotify credentials (SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET)"


def run(
    settings: GenrebaseSettings,
    output: Output,
    clock: SystemClock,
    web_pages: Sequence[str] | None = ("serve",),
) -> None:
    """Run both daemons until a stop is requested; raise `UserError` if one refuses to run.

    `web_pages` are the arguments of `genrebase` that serve the pages; None: no pages. If they
    cannot be served, as when another process has the port, the daemons continue without them.
    Raises it before anything is written if a source cannot be used with these settings.
    """
    run_plan = plan_run(settings)
    supervisor = Supervisor(clock, output.warn)
    with stop_on_signals(clock.interrupt) as stop:
        try:
            environment = {"STORE_URL": run_plan.database.url}
            if not run_plan.uses_sandbox:
                _refuse_unusable_settings(stop)
            output.print(run_plan.message)
            schema_upgrade.upgrade(run_plan.database.url)
            if run_plan.uses_sandbox:
                environment |= _add_sandbox(supervisor, settings.catalogue)
            _ensure_genres(environment, output, stop)
            supervisor.add(ChildCommand("collector", ("run",), environment))
            supervisor.add(ChildCommand("classifier", ("run",), environment))
            if web_pages:
                serve = ChildCommand("genrebase", tuple(web_pages), environment, is_required=False)
                supervisor.add(serve)
            output.print(
                "The collector harvests, the classifier trains. Ctrl-C stops all; the next run "
                "continues from here."
            )
            with closing(ProgressReporter(run_plan.database, output, clock)) as reporter:
                _watch(supervisor, reporter, stop)
        except LauncherStopped:
            pass
        finally:
            supervisor.stop()
    output.print("Stopped.")


def _refuse_unusable_settings(stop: StopSignal) -> None:
    """Let the collector check its settings; it prints what it refuses."""
    command = ChildCommand("collector", ("run", "--check", "--json"), {})
    try:
        child_commands.run_command(command, stop)
    except UserError:
        raise UserError(
            "Nothing is written and nothing runs: set what was refused above."
        ) from None


def _add_sandbox(supervisor: Supervisor, catalogue: str | None) -> Mapping[str, str]:
    """Start the sandbox, supervise it on its port, and return its clients' environment."""
    running = sandbox.start_sandbox(sandbox.sandbox_command(catalogue))
    supervisor.add(sandbox.sandbox_command(catalogue, port=running.port), running.process)
    return sandbox.client_environment(running.url)


def _ensure_genres(environment: Mapping[str, str], output: Output, stop: StopSignal) -> None:
    if not default_genres.existing_genres(environment, stop):
        output.print(
            f"No genre yet: adding {', '.join(default_genres.DEFAULT_GENRES)}, "
            f"{default_genres.DEFAULT_TARGET} tracks each."
        )
        default_genres.add_default_genres(environment, stop)


def _watch(supervisor: Supervisor, reporter: ProgressReporter, stop: StopSignal) -> None:
    while not stop.requested:
        if supervisor.poll() is not None:
            raise UserError("All processes are stopped: fix what was refused above.")
        reporter.report()
        stop.wait(_POLL_SECONDS)

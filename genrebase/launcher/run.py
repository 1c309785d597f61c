"""`genrebase run`: both daemons under one parent, on Spotify or on the sandbox."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from genrebase.errors import UserError
from genrebase.launcher import database_location, genres, sandbox
from genrebase.launcher.commands import LauncherStopped
from genrebase.launcher.database_location import DatabaseLocation
from genrebase.launcher.pipeline_status import ProgressReporter
from genrebase.launcher.supervisor import ChildCommand, Supervisor
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import StopSignal, stop_on_signals
from genrebase.settings import GenrebaseSettings
from genrebase.store import schema

SPOTIFY_FILE: Final = "genrebase.db"
SANDBOX_FILE: Final = "sandbox.db"
_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the children."""


class DaemonRefusedToRun(UserError):
    """A daemon refused to run, for a reason that it has said."""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What is harvested into where."""

    database: DatabaseLocation
    uses_sandbox: bool
    """Whether the sandbox is harvested, not Spotify."""
    message: str


def plan_run(settings: GenrebaseSettings) -> RunPlan:
    """Decide: Spotify with credentials, the sandbox without."""
    if settings.has_spotify_credentials:
        where = database_location.choose(SPOTIFY_FILE)
        return RunPlan(
            where, uses_sandbox=False, message=f"Harvesting Spotify into {where.display_url}."
        )
    where = database_location.choose(SANDBOX_FILE)
    what = (
        f"the catalogue {settings.catalogue}"
        if settings.catalogue
        else sandbox.SYNTHETIC_CATALOGUE
    )
    return RunPlan(
        where,
        uses_sandbox=True,
        message="No Spotify credentials (SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET): "
        f"harvesting the sandbox into {where.display_url}, {what}.",
    )


def run(settings: GenrebaseSettings, output: Output, clock: SystemClock) -> None:
    """Run both daemons until somebody stops us; raise `DaemonRefusedToRun` when one will not run."""
    chosen = plan_run(settings)
    output.print(chosen.message)
    schema.upgrade(chosen.database.url)
    keeper = Supervisor(clock, output.warn)
    with stop_on_signals(clock.interrupt) as stop:
        try:
            environment = {"STORE_URL": chosen.database.url}
            if chosen.uses_sandbox:
                environment |= _keep_sandbox(keeper, settings.catalogue)
            _seed(environment, output, stop)
            keeper.add(ChildCommand("collector", ("run",), environment))
            keeper.add(ChildCommand("classifier", ("run",), environment))
            output.print(
                "Harvester and trainer run. Ctrl-C stops both; the next run goes on here."
            )
            with closing(ProgressReporter(chosen.database, output, clock)) as reporter:
                _watch(keeper, reporter, stop)
        except LauncherStopped:
            pass
        finally:
            keeper.stop()
    output.print("Stopped.")


def _keep_sandbox(keeper: Supervisor, catalogue: str | None) -> Mapping[str, str]:
    """Start the sandbox, keep it on the port it got, and return what its clients need."""
    made = sandbox.start_sandbox(sandbox.sandbox_command(catalogue))
    keeper.add_running(sandbox.sandbox_command(catalogue, port=made.port), made.process)
    return sandbox.client_environment(made.url)


def _seed(environment: Mapping[str, str], output: Output, stop: StopSignal) -> None:
    if not genres.existing_genres(environment, stop):
        output.print(
            f"No genre yet: adding {', '.join(genres.DEFAULT_GENRES)}, {genres.DEFAULT_TARGET} tracks each."
        )
        genres.add_default_genres(environment, stop)


def _watch(keeper: Supervisor, reporter: ProgressReporter, stop: StopSignal) -> None:
    while not stop.requested:
        if keeper.poll() is not None:
            raise DaemonRefusedToRun("Nothing runs any more: put right what was refused above.")
        reporter.report()
        stop.wait(_LOOK_EVERY)

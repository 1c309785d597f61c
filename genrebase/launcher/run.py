"""`genrebase run`: both daemons under one parent, on Spotify or on the sandbox."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from genrebase.errors import Refused
from genrebase.launcher import database_location, genres, sandbox
from genrebase.launcher.commands import Stopped
from genrebase.launcher.database_location import Place
from genrebase.launcher.pipeline_status import Reporter
from genrebase.launcher.supervisor import Command, Keeper
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.console import Output
from genrebase.runtime.shutdown import Stop, stop_on_signals
from genrebase.settings import GenrebaseSettings
from genrebase.store import schema

SPOTIFY_FILE: Final = "genrebase.db"
SANDBOX_FILE: Final = "sandbox.db"
_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at the children."""


class DaemonRefused(Refused):
    """A daemon refused to run, for a reason that it has said."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is harvested into where."""

    place: Place
    invented: bool
    """Whether the sandbox is harvested, not Spotify."""
    sentence: str


def plan(settings: GenrebaseSettings) -> Plan:
    """Decide: Spotify with credentials, the sandbox without."""
    if settings.has_credentials:
        where = database_location.chosen(SPOTIFY_FILE)
        return Plan(where, invented=False, sentence=f"Harvesting Spotify into {where.shown}.")
    where = database_location.chosen(SANDBOX_FILE)
    what = f"the catalogue {settings.catalogue}" if settings.catalogue else sandbox.INVENTED
    return Plan(
        where,
        invented=True,
        sentence="No Spotify credentials (SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET): "
        f"harvesting the sandbox into {where.shown}, {what}.",
    )


def run(settings: GenrebaseSettings, output: Output, clock: SystemClock) -> None:
    """Run both daemons until somebody stops us; raise `DaemonRefused` when one will not run."""
    chosen = plan(settings)
    output.say(chosen.sentence)
    schema.upgrade(chosen.place.url)
    keeper = Keeper(clock, output.warn)
    with stop_on_signals(clock.interrupt) as stop:
        try:
            environment = {"STORE_URL": chosen.place.url}
            if chosen.invented:
                environment |= _keep_sandbox(keeper, settings.catalogue)
            _seed(environment, output, stop)
            keeper.keep(Command("collector", ("run",), environment))
            keeper.keep(Command("classifier", ("run",), environment))
            output.say("Harvester and trainer run. Ctrl-C stops both; the next run goes on here.")
            with closing(Reporter(chosen.place, output, clock)) as reporter:
                _watch(keeper, reporter, stop)
        except Stopped:
            pass
        finally:
            keeper.stop()
    output.say("Stopped.")


def _keep_sandbox(keeper: Keeper, catalogue: str | None) -> Mapping[str, str]:
    """Start the sandbox, keep it on the port it got, and return what its clients need."""
    made = sandbox.start(sandbox.command(catalogue))
    keeper.adopt(sandbox.command(catalogue, port=made.port), made.process)
    return sandbox.client_environment(made.url)


def _seed(environment: Mapping[str, str], output: Output, stop: Stop) -> None:
    if not genres.known(environment, stop):
        output.say(
            f"No genre yet: adding {', '.join(genres.DEFAULT)}, {genres.TARGET} tracks each."
        )
        genres.seed(environment, stop)


def _watch(keeper: Keeper, reporter: Reporter, stop: Stop) -> None:
    while not stop.requested:
        if keeper.look() is not None:
            raise DaemonRefused("Nothing runs any more: put right what was refused above.")
        reporter.report()
        stop.wait(_LOOK_EVERY)

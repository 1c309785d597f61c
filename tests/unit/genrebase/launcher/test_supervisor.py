"""The supervisor of child processes: start, stop, restart."""

import subprocess
import sys
from typing import Any

from genrebase.launcher import supervisor
from genrebase.launcher.supervisor import ChildCommand, Supervisor
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.runtime.retry_delays import RESET_AFTER_SECONDS
from genrebase.settings import child_environment
from tests.fakes import FakeClock
from tests.unit.genrebase.launcher.conftest import Program

SECONDS = 30
"""A child that has not ended by then never will."""

POLITE = """
import signal, sys
from threading import Event
stopped = Event()
signal.signal(signal.SIGTERM, lambda *_: stopped.set())
print("ready", flush=True)
stopped.wait()
sys.exit(0)
"""


def ended(process: ProcessIdentity) -> bool:
    """Wait for a process that is not our child."""
    wait = (
        "import sys, threading\nfrom genrebase.runtime.process_identity import ProcessIdentity\n"
    )
    wait += "while ProcessIdentity.parse(sys.argv[1]).is_alive(): threading.Event().wait(0.02)\n"
    subprocess.run([sys.executable, "-c", wait, str(process)], timeout=SECONDS, check=True)
    return process.is_alive() is False


def test_a_child_stops_cleanly(program: Program) -> None:
    """Closing its standard input acts as SIGTERM: it ends with 0."""
    child = supervisor.start_child(program(POLITE), stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child:
        assert child.stdout.readline() == b"ready\n"
        supervisor.stop_children([child], SECONDS)
    assert child.returncode == 0


def test_a_child_that_does_not_listen_is_ended(program: Program) -> None:
    """After the patience is over a child is ended, and waited for."""
    deaf = POLITE.replace("lambda *_: stopped.set()", "signal.SIG_IGN")
    child = supervisor.start_child(program(deaf), stdout=subprocess.PIPE)
    assert child.stdout is not None
    with child:
        child.stdout.readline()
        supervisor.stop_children([child], 0.05)
    assert child.returncode not in {0, None}


def test_no_child_outlives_its_parent(program: Program) -> None:
    """Children of a killed parent stop."""
    child = program("from genrebase.runtime.process_identity import ProcessIdentity\n" + POLITE)
    parent = f"""
import os, subprocess
from genrebase.launcher import supervisor
from genrebase.launcher.supervisor import ChildCommand
child = supervisor.start_child(ChildCommand({child.module!r}, (), {{}}), stdout=subprocess.PIPE)
child.stdout.readline()
from genrebase.runtime.process_identity import ProcessIdentity, _host, _start_time
print(ProcessIdentity(_host(), child.pid, _start_time(child.pid) or ""), flush=True)
os._exit(9)
"""
    lines = subprocess.run(
        [sys.executable, "-c", parent],
        env=child_environment(**child.environment),
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    assert lines.returncode == 9, lines.stderr
    assert ended(ProcessIdentity.parse(lines.stdout.decode().strip()))


def test_arguments_and_environment_reach_the_child(program: Program) -> None:
    """The module is run as `python -m` runs it, with its arguments, by its own name."""
    code = "import sys; print(__name__, sys.argv[1:])"
    with supervisor.start_child(program(code, "run", "--x"), stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        lines = child.stdout.read()
    assert lines.decode().split(maxsplit=1) == ["__main__", "['run', '--x']\n"]


class FakeChild:
    """A child whose end is a value."""

    def __init__(self) -> None:
        self.returncode: int | None = None
        self.stdin = None

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, _seconds: float) -> int:
        self.returncode = 0
        return 0


class Nursery:
    """Starts fake children and remembers them."""

    def __init__(self) -> None:
        self.born: list[FakeChild] = []

    def begin(self, _command: ChildCommand) -> Any:
        self.born.append(FakeChild())
        return self.born[-1]


def keeper(clock: FakeClock, nursery: Nursery, lines: list[str]) -> Supervisor:
    kept = Supervisor(clock, lines.append, start=nursery.begin)
    kept.add(ChildCommand("collector", ("run",), {}))
    return kept


def test_an_ended_child_is_restarted_with_backoff() -> None:
    """Each consecutive exit makes the delay longer; no child is started earlier."""
    clock, nursery, lines = FakeClock(), Nursery(), list[str]()
    kept = keeper(clock, nursery, lines)
    gaps = []
    for death in range(1, 4):
        assert kept.poll() is None
        assert len(nursery.born) == death
        nursery.born[-1].returncode = 1
        kept.poll()
        began = clock.monotonic()
        while len(nursery.born) == death:
            clock.advance(0.5)
            kept.poll()
        gaps.append(clock.monotonic() - began)
    assert gaps == [1.0, 2.0, 5.0]
    assert lines[0] == "`collector run` ended with 1; starting it again in 1 s."


def test_a_long_run_resets_the_backoff() -> None:
    """A child that lived long begins again with the shortest gap."""
    clock, nursery, lines = FakeClock(), Nursery(), list[str]()
    kept = keeper(clock, nursery, lines)
    for lived in (1.0, 1.0, RESET_AFTER_SECONDS):
        kept.poll()
        clock.advance(lived)
        nursery.born[-1].returncode = -9
        kept.poll()
        clock.advance(60)
    assert [line.split("again in ")[1] for line in lines] == ["1 s.", "2 s.", "1 s."]


def test_a_refusal_is_not_retried() -> None:
    """Exit code 2 would recur, so it is passed on."""
    clock, nursery, lines = FakeClock(), Nursery(), list[str]()
    kept = keeper(clock, nursery, lines)
    kept.poll()
    nursery.born[-1].returncode = 2
    assert kept.poll() == 2
    assert len(nursery.born) == 1


def test_the_others_continue_without_a_child_that_is_not_required() -> None:
    """Its refusal is reported once, and it is not started again."""
    clock, nursery, lines = FakeClock(), Nursery(), list[str]()
    kept = keeper(clock, nursery, lines)
    kept.add(ChildCommand("genrebase", ("serve",), {}, is_required=False))
    kept.poll()
    nursery.born[-1].returncode = 2
    for _ in range(3):
        assert kept.poll() is None
        clock.advance(100)
    assert len(nursery.born) == 2
    (line,) = lines
    assert line.startswith("`genrebase serve` refused to run;")
    assert line.endswith("The other processes continue without it.")
    kept.stop()
    assert nursery.born[0].returncode == 0


def test_an_added_child_is_supervised() -> None:
    """A child started elsewhere is watched, and stopped at the end."""
    clock, nursery, lines = FakeClock(), Nursery(), list[str]()
    kept = Supervisor(clock, lines.append, start=nursery.begin)
    child = nursery.begin(ChildCommand("collector", ("sandbox",), {}))
    kept.add(ChildCommand("collector", ("sandbox", "--port", "4711"), {}), child)
    kept.poll()
    assert len(nursery.born) == 1
    kept.stop()
    assert child.returncode == 0

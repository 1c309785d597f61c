"""Detection of ended processes."""

import dataclasses
import subprocess
import sys

import pytest

from genrebase.runtime.process_identity import ProcessIdentity


def test_this_process_lives() -> None:
    """The current process is alive, also after a round trip through a column."""
    assert ProcessIdentity.parse(str(ProcessIdentity.current())).is_alive() is True


def test_an_ended_process_is_detected() -> None:
    """It has ended even if its number is used again."""
    program = (
        "from genrebase.runtime.process_identity import ProcessIdentity\n"
        "print(ProcessIdentity.current())"
    )
    completed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ProcessIdentity.parse(completed.stdout.decode().strip()).is_alive() is False


def test_a_reused_number_is_another_process() -> None:
    """The same number with another start time is an ended process."""
    me = ProcessIdentity.current()
    if not me.start_time:
        pytest.skip("this system does not tell when a process began")
    assert dataclasses.replace(me, start_time="00000000-1").is_alive() is False


def test_processes_of_other_hosts_are_undecided() -> None:
    """The state of a process on another host is unknown."""
    assert dataclasses.replace(ProcessIdentity.current(), host="elsewhere/1").is_alive() is None


def test_nonsense_is_no_process() -> None:
    """A text that names no process is refused."""
    with pytest.raises(ValueError, match="not enough values"):
        ProcessIdentity.parse("nonsense")

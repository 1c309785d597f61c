"""Telling the living from the dead."""

import dataclasses
import subprocess
import sys

import pytest

from genrebase.runtime.processes import ProcessIdentity


def test_this_process_lives() -> None:
    """The process that asks is alive, also after a trip through a column."""
    assert ProcessIdentity.parse(str(ProcessIdentity.current())).is_alive() is True


def test_an_ended_process_is_dead() -> None:
    """A process that has ended is dead, whoever has its number next."""
    program = (
        "from genrebase.runtime.processes import ProcessIdentity; print(ProcessIdentity.current())"
    )
    completed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert ProcessIdentity.parse(completed.stdout.decode().strip()).is_alive() is False


def test_a_reused_number_is_another_process() -> None:
    """Our own number with another birth is somebody else, who is dead."""
    me = ProcessIdentity.current()
    if not me.start_time:
        pytest.skip("this system does not tell when a process began")
    assert dataclasses.replace(me, start_time="00000000-1").is_alive() is False


def test_another_host_cannot_be_judged() -> None:
    """Nothing can be said about a process of another host."""
    assert dataclasses.replace(ProcessIdentity.current(), host="elsewhere/1").is_alive() is None


def test_nonsense_is_no_process() -> None:
    """A text that names no process is refused."""
    with pytest.raises(ValueError, match="not enough values"):
        ProcessIdentity.parse("nonsense")

"""Telling the living from the dead."""

import dataclasses
import subprocess
import sys

import pytest

from genrebase.runtime.processes import Process


def test_this_process_lives() -> None:
    """The process that asks is alive, also after a trip through a column."""
    assert Process.parse(str(Process.current())).alive() is True


def test_an_ended_process_is_dead() -> None:
    """A process that has ended is dead, whoever has its number next."""
    program = "from genrebase.runtime.processes import Process; print(Process.current())"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert Process.parse(said.stdout.decode().strip()).alive() is False


def test_a_reused_number_is_another_process() -> None:
    """Our own number with another birth is somebody else, who is dead."""
    me = Process.current()
    if not me.born:
        pytest.skip("this system does not tell when a process began")
    assert dataclasses.replace(me, born="00000000-1").alive() is False


def test_another_host_cannot_be_judged() -> None:
    """Nothing can be said about a process of another host."""
    assert dataclasses.replace(Process.current(), host="elsewhere/1").alive() is None


def test_nonsense_is_no_process() -> None:
    """A text that names no process is refused."""
    with pytest.raises(ValueError, match="not enough values"):
        Process.parse("nonsense")

"""Lack of memory and disk space is explained."""

import errno
import os

import numpy as np
import pytest

from genrebase.runtime import command_line
from genrebase.runtime.shortages import describe_shortage


def test_memory_that_cannot_be_allocated():
    """With numpy's size and shape, which say what was too large."""
    with pytest.raises(MemoryError) as caught:
        np.ones((2**40, 2**10))
    sentence = describe_shortage(caught.value) or ""
    assert "did not suffice (Unable to allocate" in sentence
    assert "did not suffice: free some" in (describe_shortage(MemoryError()) or "")


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libscipy_openblas.so: failed to map segment from shared object"),
        ImportError("libgomp.so.1: cannot map zero-fill pages: Cannot allocate memory"),
        OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)),
    ],
)
def test_memory_for_a_library_or_a_process(error: Exception):
    """The loader, and the start of a process or a thread, report it as other errors."""
    assert "did not suffice (" in (describe_shortage(error) or "")


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_blamed_on_its_file(code: int):
    """On the file that was written or, where that is not known, on both places."""
    full = OSError(code, os.strerror(code), "/backups/a.db")
    assert (describe_shortage(full) or "").startswith("/backups/a.db cannot be written (")
    assert "TMPDIR" in (describe_shortage(OSError(code, os.strerror(code))) or "")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.EACCES, "no"),
        ImportError("No module named 'torch'"),
        ValueError("a"),
        KeyboardInterrupt(),
    ],
)
def test_other_errors_are_not_shortages(error: BaseException):
    """They keep their own messages."""
    assert describe_shortage(error) is None


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("Unable to allocate 8 TiB"),
        ImportError("a.so: failed to map segment from shared object"),
        OSError(errno.ENOSPC, "full", "/a"),
    ],
)
def test_a_command_ends_with_the_sentence(error: Exception, capsys: pytest.CaptureFixture[str]):
    """At once, without a traceback, with exit code 1."""

    def fail() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        command_line.run_app(fail)
    assert ended.value.code == 1
    printed = capsys.readouterr().err
    assert "Traceback" not in printed
    assert describe_shortage(error) in " ".join(printed.split())

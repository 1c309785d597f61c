"""Numbers of threads."""

import subprocess
import sys
from pathlib import Path

import pytest
from threadpoolctl import threadpool_info

from classifier import threads
from genrebase.runtime.shortages import describe_shortage


@pytest.mark.parametrize(
    ("text", "cores"),
    [("200000 100000", 2.0), ("50000 100000\n", 0.5), ("max 100000", None), ("-1 100000", None)],
)
def test_a_containers_quota_is_understood(text: str, cores: float | None) -> None:
    """In the words of both versions of control groups."""
    assert threads.parse_quota(text) == cores


def test_there_is_always_a_core() -> None:
    """And no more than the machine has."""
    assert threads.available_cores() >= 1


def test_small_data_get_one_thread_and_large_data_the_maximum() -> None:
    """A setting limits large data and does not change small data."""
    assert threads.thread_count(5_000, 10, maximum=8) == 1
    assert threads.thread_count(80_000, 113, maximum=8) == 8
    assert 1 <= threads.thread_count(80_000, 113, maximum=None) <= threads.available_cores()


@pytest.mark.parametrize(
    ("cores", "load", "left"), [(2, 0.1, 2), (2, 1.0, 1), (2, 9.0, 1), (8, 2.5, 6), (1, 0.0, 1)]
)
def test_what_others_are_busy_on_is_left_to_them(cores: int, load: float, left: int) -> None:
    """But one core there always is."""
    assert threads.free_cores(cores, load) == left


def test_the_cap_holds_for_every_pool() -> None:
    """OpenMP and BLAS."""
    with threads.limit_threads(1):
        assert {pool["num_threads"] for pool in threadpool_info()} <= {1}


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit of the address space")
def test_libraries_that_do_not_fit_are_not_loaded() -> None:
    """OpenBLAS would try for ever: the sentence comes before."""
    code = (
        "import resource; from classifier import threads\n"
        "resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))\n"
        "try: threads.configure_openmp()\n"
        "except MemoryError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "the numerical libraries need 384 MiB\n", done.stderr
    shortage = describe_shortage(MemoryError(done.stdout.strip())) or ""
    assert "did not suffice (the numerical libraries need 384 MiB)" in shortage

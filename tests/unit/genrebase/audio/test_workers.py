"""Worker processes analyse files in parallel; results keep the order of the files."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from genrebase.audio import workers
from genrebase.audio.records import AudioAnalysis, ExtractionPlan, UnreadableFile
from genrebase.audio.scan import AudioFile

CHILD = """
import os, pickle, signal, sys
from genrebase.audio.records import AudioAnalysis
from genrebase.audio.tags import AudioTags
pickle.dump("ready", sys.stdout.buffer)
sys.stdout.buffer.flush()
plan = pickle.load(sys.stdin.buffer)
while True:
    try:
        path = pickle.load(sys.stdin.buffer)
    except EOFError:
        break
    if path.stem.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if path.stem.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.stem.startswith("hang"):
        signal.pause()
    if path.stem.startswith("exit"):
        os._exit(3)
    digest = f"{path.stem} {len(plan.stored_digests)}"
    result = AudioAnalysis(digest, float(os.getpid()), AudioTags(), None)
    pickle.dump(result, sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""
COMMAND = (sys.executable, "-c", CHILD)


def files(*names: str) -> list[AudioFile]:
    return [AudioFile(Path(f"/m/{name}.mp3"), name, 1, 1) for name in names]


def never() -> bool:
    return False


def digests(results: Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]) -> list[str]:
    return [one.digest if isinstance(one, AudioAnalysis) else one.reason for _, one in results]


def test_the_order_is_kept() -> None:
    """Whichever worker is ready first; each receives the plan."""
    names = [str(number) for number in range(12)]
    results = list(
        workers.analyse_files(
            files(*names), 2, ExtractionPlan(frozenset({"a", "b"})), never, COMMAND
        )
    )
    assert [file.relative_path for file, _ in results] == names
    assert [one.digest for _, one in results] == [f"{name} 2" for name in names]
    assert len({one.seconds for _, one in results}) <= 2


def test_a_crashed_worker_costs_one_file() -> None:
    """Its file is reported; another process analyses the others."""
    results = digests(
        workers.analyse_files(
            files("a", "kill", "b", "exit", "c", "crash", "d"), 1, ExtractionPlan(), never, COMMAND
        )
    )
    assert results[::2] == ["a 0", "b 0", "c 0", "d 0"]
    assert "killed (signal 9); the system does so when memory runs out" in results[1]
    assert "ended with 3" in results[3]
    assert results[5] == "the process that analysed it crashed (signal 11)"


def test_a_hanging_worker_costs_one_file() -> None:
    """It is ended when its time is over, and another process analyses the others."""

    def limit(file: AudioFile) -> float:
        return 0.2 if file.path.stem == "hang" else 600.0

    results = digests(
        workers.analyse_files(
            files("a", "hang", "b"), 1, ExtractionPlan(), never, COMMAND, time_limit=limit
        )
    )
    assert results == ["a 0", "its analysis took more than 0 s and was ended", "b 0"]


def test_large_files_have_more_time() -> None:
    """At least ten minutes, and ten seconds for each megabyte."""
    file = AudioFile(Path("/m/a.mp3"), "a", 100_000_000, 1)
    assert workers.seconds_allowed(file) == 1_600.0
    assert workers.seconds_allowed(files("a")[0]) == pytest.approx(600.0)


def test_after_a_stop_request_no_file_is_started() -> None:
    """Files in progress are yielded, in the order in which their workers finish.

    Those of a worker that is still starting are not.
    """
    seen: list[str] = []
    for file, _ in workers.analyse_files(
        files(*"abcdefgh"), 2, ExtractionPlan(), lambda: bool(seen), COMMAND
    ):
        seen.append(file.relative_path)
    submitted = "abcdefg"  # one was finished, and each of two workers holds up to three
    assert 1 <= len(seen) == len({*seen} & {*submitted})
    assert (
        digests(workers.analyse_files(files("a"), 1, ExtractionPlan(), lambda: True, COMMAND))
        == []
    )


def test_a_stop_request_ends_a_worker_that_is_starting() -> None:
    """Its libraries may take a minute to load; no file is begun then."""
    command = (sys.executable, "-c", "import signal; signal.pause()")
    asked: list[bool] = []

    def stop_requested() -> bool:
        asked.append(True)
        return len(asked) > 2  # after the file was submitted

    assert (
        list(workers.analyse_files(files("a"), 1, ExtractionPlan(), stop_requested, command)) == []
    )

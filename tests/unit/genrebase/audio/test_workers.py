"""Files are heard side by side, in their order, whatever becomes of the processes."""

import sys
from collections.abc import Iterator
from pathlib import Path

from genrebase.audio import workers
from genrebase.audio.records import AudioAnalysis, UnreadableFile
from genrebase.audio.scan import AudioFile

CHILD = """
import os, pickle, signal, sys
from genrebase.audio.records import Heard
from genrebase.audio.tags import Tags
known = pickle.load(sys.stdin.buffer)
while True:
    try:
        path = pickle.load(sys.stdin.buffer)
    except EOFError:
        break
    if path.stem.startswith("kill"):
        os.kill(os.getpid(), signal.SIGKILL)
    if path.stem.startswith("crash"):
        os.kill(os.getpid(), signal.SIGSEGV)
    if path.stem.startswith("exit"):
        os._exit(3)
    answer = Heard(f"{path.stem} {len(known)}", float(os.getpid()), Tags(), None)
    pickle.dump(answer, sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""
COMMAND = (sys.executable, "-c", CHILD)


def files(*names: str) -> list[AudioFile]:
    return [AudioFile(Path(f"/m/{name}.mp3"), name, 1, 1) for name in names]


def never() -> bool:
    return False


def answers(heard: Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]) -> list[str]:
    return [one.digest if isinstance(one, AudioAnalysis) else one.reason for _, one in heard]


def test_the_order_is_kept() -> None:
    """Whoever is ready first; each process knows what is known."""
    names = [str(number) for number in range(12)]
    heard = list(workers.analyse_files(files(*names), 2, frozenset({"a", "b"}), never, COMMAND))
    assert [file.relative_path for file, _ in heard] == names
    assert [one.digest for _, one in heard] == [f"{name} 2" for name in names]
    assert len({one.seconds for _, one in heard}) <= 2


def test_a_death_costs_one_file() -> None:
    """Killed or ended: the file in hand is told of, the others are heard by another process."""
    told = answers(
        workers.analyse_files(
            files("a", "kill", "b", "exit", "c", "crash", "d"), 1, frozenset(), never, COMMAND
        )
    )
    assert told[::2] == ["a 0", "b 0", "c 0", "d 0"]
    assert "killed (signal 9); the system does so when memory runs out" in told[1]
    assert "ended with 3" in told[3]
    assert told[5] == "the process that listened to it crashed (signal 11)"


def test_asked_to_stop_it_begins_no_other() -> None:
    """What is in hand is yielded."""
    seen: list[str] = []
    for file, _ in workers.analyse_files(
        files(*"abcdefgh"), 2, frozenset(), lambda: bool(seen), COMMAND
    ):
        seen.append(file.relative_path)
    assert seen[0] == "a"
    assert seen == list("abcdefgh")[: len(seen)]
    assert len(seen) <= 1 + 2 * 3
    assert answers(workers.analyse_files(files("a"), 1, frozenset(), lambda: True, COMMAND)) == []

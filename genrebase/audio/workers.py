"""Many files heard side by side, each in a process that may die without harm to the others."""

import pickle
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from queue import SimpleQueue
from typing import IO, Final

from genrebase.audio.records import AudioAnalysis, UnreadableFile
from genrebase.audio.scan import AudioFile, display_path

MAX_FILES_PER_PROCESS: Final = 500
"""After so many a process ends and another takes its place: what libraries never give back does
not add up."""
_AHEAD: Final = 2
"""Files waiting per process, beside the one in hand."""
_COMMAND: Final = (sys.executable, "-m", "genrebase.audio.worker_main")
_GONE: Final = (EOFError, OSError, pickle.UnpicklingError)


AnalyseFiles = Callable[
    [Iterable[AudioFile], int, frozenset[str], Callable[[], bool]],
    Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]],
]
"""`analyse_files`, and what does the same."""


class AnalysisWorker:
    """One process that listens; it begins when it is first needed, and anew when it has died."""

    def __init__(self, known_digests: frozenset[str], command: Sequence[str] = _COMMAND) -> None:
        """Sounds of the digests `known` are only told from others, not analysed."""
        self._known, self._command = known_digests, command
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = 0

    def analyse(self, file: AudioFile) -> AudioAnalysis | UnreadableFile:
        """Return what is heard in a file, or why nothing is."""
        process = self._ready()
        try:
            pickle.dump(file.path, _opened(process.stdin))
            _opened(process.stdin).flush()
            answer: AudioAnalysis | UnreadableFile = pickle.load(_opened(process.stdout))  # noqa: S301 - our own process
        except _GONE:
            return UnreadableFile(display_path(file.path), _ended(self._close()))
        self._heard += 1
        return answer

    def close(self) -> None:
        """Let the process end."""
        self._close()

    def _ready(self) -> "subprocess.Popen[bytes]":
        if self._heard >= MAX_FILES_PER_PROCESS:
            self._close()
        if self._process is None:
            self._heard = 0
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # decoders complain there about what they still read
            )
            with suppress(OSError):  # it died at once: asking it tells
                pickle.dump(self._known, _opened(self._process.stdin))
                _opened(self._process.stdin).flush()
        return self._process

    def _close(self) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(OSError):
            _opened(process.stdin).close()
        code = process.wait()
        _opened(process.stdout).close()
        return code


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - asked for above
    return pipe


def _ended(code: int) -> str:
    """Return in words how a process ended in the middle of a file."""
    if code == -signal.SIGKILL:
        return (
            f"the process that listened to it was killed (signal {-code}); the system does so "
            "when memory runs out"
        )
    if code < 0:
        return f"the process that listened to it crashed (signal {-code})"
    return f"the process that listened to it ended with {code}"


def analyse_files(
    files: Iterable[AudioFile],
    workers: int,
    known_digests: frozenset[str],
    stop_requested: Callable[[], bool],
    command: Sequence[str] = _COMMAND,
) -> Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]:
    """Yield what is heard in each file, in the order given, `workers` at a time.

    Asked to stop, it begins no other file, and yields those in hand.
    """
    ears = [AnalysisWorker(known_digests, command) for _ in range(workers)]
    with _pool(ears, stop_requested) as hear:
        rest = iter(files)
        first = islice(rest, workers * (1 + _AHEAD))
        waiting = deque((file, hear(file)) for file in first)
        while waiting:
            file, future = waiting.popleft()
            answer = future.result()
            if answer is None:
                continue  # it was not begun
            waiting.extend((another, hear(another)) for another in islice(rest, 1))
            yield file, answer


Answer = Future[AudioAnalysis | UnreadableFile | None]
"""None for a file that was not begun, because a stop was asked for."""


@contextmanager
def _pool(
    ears: Sequence[AnalysisWorker], stop_requested: Callable[[], bool]
) -> Iterator[Callable[[AudioFile], Answer]]:
    """Yield what has a file heard by the next ear that is idle."""
    idle: SimpleQueue[AnalysisWorker] = SimpleQueue()
    for ear in ears:
        idle.put(ear)

    def hear(file: AudioFile) -> AudioAnalysis | UnreadableFile | None:
        if stop_requested():
            return None
        ear = idle.get()
        try:
            return ear.analyse(file)
        finally:
            idle.put(ear)

    pool = ThreadPoolExecutor(len(ears))
    try:
        yield lambda file: pool.submit(hear, file)
    finally:
        pool.shutdown(cancel_futures=True)
        for ear in ears:
            ear.close()

"""Analyse audio files in a pool of worker processes.

A worker that crashes or is killed costs one file; another process takes its place.
"""

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
"""A worker process is replaced after so many files, because libraries leak memory."""
_QUEUED_PER_WORKER: Final = 2
"""Files queued per worker, besides the one in progress; all results would fill the memory."""
_COMMAND: Final = (sys.executable, "-m", "genrebase.audio.worker_main")
_PIPE_ERRORS: Final = (EOFError, OSError, pickle.UnpicklingError)

AnalyseFiles = Callable[
    [Iterable[AudioFile], int, frozenset[str], Callable[[], bool]],
    Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]],
]
"""The signature of `analyse_files`."""


class AnalysisWorker:
    """One worker process; it is started on first use, and restarted after it died."""

    def __init__(self, stored_digests: frozenset[str], command: Sequence[str] = _COMMAND) -> None:
        """Extract no features of audio whose digest is in `stored_digests`."""
        self._stored_digests, self._command = stored_digests, command
        self._process: subprocess.Popen[bytes] | None = None
        self._files_done = 0

    def analyse(self, file: AudioFile) -> AudioAnalysis | UnreadableFile:
        """Return the analysis of a file, or the reason why it failed."""
        process = self._running()
        try:
            pickle.dump(file.path, _pipe(process.stdin))
            _pipe(process.stdin).flush()
            result: AudioAnalysis | UnreadableFile = pickle.load(_pipe(process.stdout))  # noqa: S301 - our own process
        except _PIPE_ERRORS:
            return UnreadableFile(display_path(file.path), _exit_reason(self.close()))
        self._files_done += 1
        return result

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._files_done >= MAX_FILES_PER_PROCESS:
            self.close()
        if self._process is None:
            self._files_done = 0
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # decoders warn there about files they can still read
            )
            with suppress(OSError):  # if it died at once, the next request reports it
                pickle.dump(self._stored_digests, _pipe(self._process.stdin))
                _pipe(self._process.stdin).flush()
        return self._process

    def close(self) -> int:
        """End the process and return its exit code; 0 if none runs."""
        process, self._process = self._process, None
        if process is None:
            return 0
        with suppress(OSError):
            _pipe(process.stdin).close()
        code = process.wait()
        _pipe(process.stdout).close()
        return code


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None  # noqa: S101 - `_running` requests both pipes
    return pipe


def _exit_reason(code: int) -> str:
    """Return how a process ended in the middle of a file, as a sentence."""
    if code == -signal.SIGKILL:
        return (
            f"the process that analysed it was killed (signal {-code}); the system does so "
            "when memory runs out"
        )
    if code < 0:
        return f"the process that analysed it crashed (signal {-code})"
    return f"the process that analysed it ended with {code}"


def analyse_files(
    files: Iterable[AudioFile],
    n_workers: int,
    stored_digests: frozenset[str],
    stop_requested: Callable[[], bool],
    command: Sequence[str] = _COMMAND,
) -> Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]:
    """Yield the analysis of each file in the order given, `n_workers` files at a time.

    After a stop request no further file is started; those in progress are yielded.
    """
    workers = [AnalysisWorker(stored_digests, command) for _ in range(n_workers)]
    with _pool(workers, stop_requested) as submit:
        remaining = iter(files)
        first = islice(remaining, n_workers * (1 + _QUEUED_PER_WORKER))
        pending = deque((file, submit(file)) for file in first)
        while pending:
            file, future = pending.popleft()
            result = future.result()
            if result is None:
                continue
            pending.extend((another, submit(another)) for another in islice(remaining, 1))
            yield file, result


AnalysisFuture = Future[AudioAnalysis | UnreadableFile | None]
"""None for a file that was not started because of a stop request."""


@contextmanager
def _pool(
    workers: Sequence[AnalysisWorker], stop_requested: Callable[[], bool]
) -> Iterator[Callable[[AudioFile], AnalysisFuture]]:
    """Yield a function that submits a file to the next idle worker."""
    idle: SimpleQueue[AnalysisWorker] = SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def analyse(file: AudioFile) -> AudioAnalysis | UnreadableFile | None:
        if stop_requested():
            return None
        worker = idle.get()
        try:
            return worker.analyse(file)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(len(workers))
    try:
        yield lambda file: threads.submit(analyse, file)
    finally:
        threads.shutdown(cancel_futures=True)
        for worker in workers:
            worker.close()

"""Analyse audio files in a pool of worker processes.

A worker that crashes, is killed or hangs in a decoder costs one file; another process takes its
place.
"""

import os
import pickle
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import islice
from multiprocessing.connection import wait
from queue import SimpleQueue
from typing import IO, Final

from genrebase.audio.records import AudioAnalysis, ExtractionPlan, UnreadableFile
from genrebase.audio.scan import AudioFile, display_path
from genrebase.interpreter import module_command

MAX_FILES_PER_PROCESS: Final = 500
"""A worker process is replaced after so many files, because libraries leak memory."""
_QUEUED_PER_WORKER: Final = 2
"""Files queued per worker, besides the one in progress; all results would fill the memory."""
_SECONDS_PER_FILE: Final = 600.0
_SECONDS_PER_MEGABYTE: Final = 10.0
"""Time allowed for a file: about a hundred times what its analysis takes on a free machine."""
_COMMAND: Final = tuple(module_command("genrebase.audio.worker_main"))
_POLL_SECONDS: Final = 0.2
"""Seconds between two looks for a stop request while a worker starts."""
READY: Final = "ready"
"""The first message of a worker, once its libraries are loaded."""
_PIPE_ERRORS: Final = (EOFError, OSError, pickle.UnpicklingError)

AnalyseFiles = Callable[
    [Iterable[AudioFile], int, ExtractionPlan, Callable[[], bool]],
    Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]],
]
"""The signature of `analyse_files`."""


def seconds_allowed(file: AudioFile) -> float:
    """Return how many seconds a worker has for a file before it is replaced."""
    return _SECONDS_PER_FILE + _SECONDS_PER_MEGABYTE * file.size / 1e6


class AnalysisWorker:
    """One worker process; it is started on first use, and restarted after it died."""

    def __init__(
        self,
        plan: ExtractionPlan,
        command: Sequence[str] = _COMMAND,
        time_limit: Callable[[AudioFile], float] = seconds_allowed,
        stop_requested: Callable[[], bool] = lambda: False,
    ) -> None:
        """Extract what `plan` says.

        A process that gives no result within `time_limit` seconds is killed; so is one that is
        still loading its libraries when a stop is requested.
        """
        self._plan, self._command = plan, command
        self._time_limit, self._stop_requested = time_limit, stop_requested
        self._is_ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._files_done = 0

    def analyse(self, file: AudioFile) -> AudioAnalysis | UnreadableFile | None:
        """Return the analysis of a file, or the reason why it failed; None if not begun."""
        process = self._running()
        if not self._is_ready and not self._wait_until_ready(process):
            return None
        seconds = self._time_limit(file)
        timed_out = threading.Event()
        timer = threading.Timer(seconds, _kill, (process, timed_out))
        timer.start()
        try:
            pickle.dump(file.path, _pipe(process.stdin))
            _pipe(process.stdin).flush()
            result: AudioAnalysis | UnreadableFile = pickle.load(_pipe(process.stdout))  # noqa: S301 - our own process
        except _PIPE_ERRORS:
            reason = _exit_reason(self.close())
            if timed_out.is_set():
                reason = f"its analysis took more than {seconds:,.0f} s and was ended"
            return UnreadableFile(display_path(file.path), reason)
        finally:
            timer.cancel()
            timer.join()
        if timed_out.is_set():  # killed after the result: the next file needs another process
            self.close()
        self._files_done += 1
        return result

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._files_done >= MAX_FILES_PER_PROCESS:
            self.close()
        if self._process is None:
            self._files_done, self._is_ready = 0, False
            self._process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # decoders warn there about files they can still read
                start_new_session=True,  # its own children are killed with it, and only with it
            )
            with suppress(OSError):  # if it died at once, the next request reports it
                pickle.dump(self._plan, _pipe(self._process.stdin))
                _pipe(self._process.stdin).flush()
        return self._process

    def _wait_until_ready(self, process: "subprocess.Popen[bytes]") -> bool:
        """Wait until the libraries are loaded; return False, and end it, after a stop request."""
        results = _pipe(process.stdout)
        while not wait([results.fileno()], _POLL_SECONDS):
            if self._stop_requested():
                _kill(process, threading.Event())
                self.close()
                return False
        with suppress(*_PIPE_ERRORS):  # it died: the file reports how
            pickle.load(results)  # noqa: S301 - our own process
            self._is_ready = True
        return True

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


def _kill(process: "subprocess.Popen[bytes]", timed_out: threading.Event) -> None:
    """Kill a worker and its children, for example a decoder that hangs."""
    timed_out.set()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


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
    plan: ExtractionPlan,
    stop_requested: Callable[[], bool],
    command: Sequence[str] = _COMMAND,
    time_limit: Callable[[AudioFile], float] = seconds_allowed,
) -> Iterator[tuple[AudioFile, AudioAnalysis | UnreadableFile]]:
    """Yield the analysis of each file in the order given, `n_workers` files at a time.

    After a stop request no further file is started; those in progress are yielded.
    """
    with analysis_pool(n_workers, plan, stop_requested, command, time_limit) as submit:
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


SubmitFile = Callable[[AudioFile], AnalysisFuture]


@contextmanager
def analysis_pool(
    n_workers: int,
    plan: ExtractionPlan,
    stop_requested: Callable[[], bool],
    command: Sequence[str] = _COMMAND,
    time_limit: Callable[[AudioFile], float] = seconds_allowed,
) -> Iterator[SubmitFile]:
    """Yield a function that submits a file to the next idle of `n_workers` processes.

    After a stop request no further file is started. What was not started when the block ends is
    cancelled.
    """
    workers = [AnalysisWorker(plan, command, time_limit, stop_requested) for _ in range(n_workers)]
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

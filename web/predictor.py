"""Predictions for the server: one thread runs the model, and takes what waits in one call.

The champion stays in memory. Another champion, or refit, is loaded and checked beside it by a
second thread, and then takes its place: no request waits for it or fails because of it.
"""

import asyncio
import gc
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Condition, Event, Lock, Thread
from time import perf_counter
from typing import Final

import numpy as np
import pandas as pd
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from classifier import threads
from classifier.errors import BrokenArtifact, NoChampion
from classifier.serving.champion import LoadedModel
from classifier.serving.hidden_inputs import HiddenPrediction, predict_with_hidden_inputs
from classifier.serving.online import (
    Artists,
    Item,
    ModelVersion,
    PredictedRows,
    PreparedRequest,
    Probabilities,
    Result,
    Rows,
    RowsToPredict,
    ServedModels,
    find_version,
    frame_of,
)
from classifier.serving.predict_track import TrackDescription
from genrebase.errors import GenrebaseError
from genrebase.runtime.monitoring import first_line

MAX_ROWS: Final = 256
"""Rows of one call of the model."""
MAX_WAITING_SECONDS: Final = 2.0
"""If more work than this waits, further requests are refused."""
CHECK_SECONDS: Final = 5.0
"""Seconds between two looks for another champion."""
_FIRST_ESTIMATE: Final = 0.05
"""Seconds of a call, until one was measured."""
_WEIGHT_OF_LATEST: Final = 0.3
_log = logging.getLogger("genrebase.serve")


class Overloaded(GenrebaseError):
    """So many predictions wait that another request would take too long."""

    def __init__(self, waiting_seconds: float) -> None:
        self.retry_after = max(1, math.ceil(waiting_seconds))
        """Seconds after which the client can try again."""
        super().__init__(
            f"The waiting predictions need {waiting_seconds:.1f} s of computing: try again in "
            f"{self.retry_after} s, or send many tracks in one request."
        )


class ServerStopped(GenrebaseError):
    """The server stops, and predicts nothing more."""


@dataclass(frozen=True, slots=True)
class _Call:
    model: LoadedModel
    rows: Rows
    find_artists: Callable[[Sequence[TrackDescription]], Artists] | None
    result: "Future[PredictedRows]" = field(default_factory=Future)

    @property
    def descriptions(self) -> Sequence[TrackDescription]:
        """The rows whose artists are looked up."""
        return () if isinstance(self.rows, pd.DataFrame) else self.rows


class ModelThread:
    """Runs models in one thread, up to `MAX_ROWS` waiting rows in one call."""

    def __init__(self) -> None:
        self._waiting: deque[_Call] = deque()
        self._condition = Condition()
        self._thread: Thread | None = None
        self._rows_waiting = 0
        self._seconds_per_call = _FIRST_ESTIMATE
        self._is_busy = False
        self._is_closed = False

    def waiting_seconds(self) -> float:
        """Return about how many seconds of work wait, with the call in progress."""
        calls = math.ceil(self._rows_waiting / MAX_ROWS) + self._is_busy
        return calls * self._seconds_per_call

    def require_capacity(self) -> None:
        """Raise `Overloaded` if too much work waits."""
        seconds = self.waiting_seconds()
        if seconds > MAX_WAITING_SECONDS:
            raise Overloaded(seconds)

    def submit(self, rows: RowsToPredict) -> "list[Future[PredictedRows]]":
        """Return the results to come: one per `MAX_ROWS` rows; raise `Overloaded`."""
        calls = [_Call(rows.model, part, rows.find_artists) for part in rows.parts(MAX_ROWS)]
        with self._condition:
            if self._is_closed:
                raise ServerStopped("The server is stopping.")
            self.require_capacity()
            if self._thread is None:
                self._thread = Thread(target=self._run, name="model", daemon=True)
                self._thread.start()
            self._waiting += calls
            self._rows_waiting += len(rows.rows)
            self._condition.notify()
        return [call.result for call in calls]

    def predict(self, rows: RowsToPredict) -> PredictedRows:
        """Return what a model predicts for rows; raise `Overloaded`."""
        return _joined([one.result() for one in self.submit(rows)])

    def close(self) -> None:
        """End the thread after the call in progress; what waits fails."""
        with self._condition:
            self._is_closed = True
            for call in self._waiting:
                if call.result.set_running_or_notify_cancel():
                    call.result.set_exception(ServerStopped("The server is stopping."))
            self._waiting.clear()
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        with threads.limit_threads(1):  # a second one would wait for the threads of requests
            while calls := self._take():
                began = perf_counter()
                _predict(calls)
                self._finish(perf_counter() - began)

    def _take(self) -> list[_Call]:
        """Return the next calls, of one model and together at most `MAX_ROWS` rows."""
        with self._condition:
            while not self._waiting and not self._is_closed:
                self._condition.wait()
            calls: list[_Call] = []
            rows = 0
            while self._waiting:
                call = self._waiting[0]
                if calls and (
                    call.model is not calls[0].model or rows + len(call.rows) > MAX_ROWS
                ):
                    break
                calls.append(self._waiting.popleft())
                rows += len(call.rows)
            self._rows_waiting -= rows
            self._is_busy = bool(calls)
        return calls

    def _finish(self, seconds: float) -> None:
        self._is_busy = False
        self._seconds_per_call += _WEIGHT_OF_LATEST * (seconds - self._seconds_per_call)


class Predictor:
    """Predicts tracks with the champion and its refit; safe for threads."""

    def __init__(self, engine: Engine, task: str = "main") -> None:
        self._engine, self._task = engine, task
        self._lock = Lock()
        self._models: ServedModels | None = None
        self._refused: ModelVersion | None = None
        self._stop = Event()
        self._watcher: Thread | None = None
        self._thread = ModelThread()

    def models(self) -> ServedModels:
        """Return the models in use; the first call loads them.

        Raises `NoChampion`, `BrokenArtifact`.
        """
        with self._lock:
            if self._models is None:
                self._models = ServedModels(self._engine, self._task)
                _leave_loaded_objects_alone()
                self._watcher = Thread(target=self._watch, name="champion", daemon=True)
                self._watcher.start()
            return self._models

    def predict(self, items: Sequence[Item]) -> list[Result]:
        """Return a result per item; raise `NoChampion`, `BrokenArtifact`, `Overloaded`."""
        self._thread.require_capacity()
        models = self.models()
        prepared = models.prepare(items)
        return models.complete(prepared, [self._thread.predict(rows) for rows in prepared.rows])

    def explain(self, track: str) -> list[HiddenPrediction]:
        """Return the champion's predictions for a stored track with groups of inputs hidden.

        Raises what `predict` raises, `UnknownTrack`, and `UserError` for a training track.
        """
        self._thread.require_capacity()
        champion = self.models().loaded_champion

        def predict(frame: pd.DataFrame) -> Probabilities:
            return self._thread.predict(RowsToPredict(champion, frame)).probabilities

        return predict_with_hidden_inputs(self._engine, champion, track, predict)

    async def predict_later(self, items: Sequence[Item]) -> list[Result]:
        """Return what `predict` returns, without a thread that waits for the model."""
        self._thread.require_capacity()
        models = self._models
        if models is None:
            models = await run_in_threadpool(self.models)
        if any(isinstance(one, str) for one in items):  # stored tracks are looked up
            prepared: PreparedRequest = await run_in_threadpool(models.prepare, items)
        else:
            prepared = models.prepare(items)
        waiting = [self._thread.submit(rows) for rows in prepared.rows]
        predicted = [
            _joined(await asyncio.gather(*map(asyncio.wrap_future, parts))) for parts in waiting
        ]
        return models.complete(prepared, predicted)

    def refresh(self) -> None:
        """Replace the models if another champion, or refit, is stored."""
        models = self._models
        if models is None:
            return
        try:
            version = find_version(self._engine, self._task)
            if version in (models.version, self._refused):
                return
            try:
                self._models = ServedModels(self._engine, self._task)
            except BrokenArtifact:
                self._refused = version
                raise
        except NoChampion:
            return  # until there is another, the former one predicts
        except (GenrebaseError, SQLAlchemyError) as error:
            _log.warning("the model is not replaced: %s", first_line(error))
            return
        _leave_loaded_objects_alone()
        _log.info("model %s predicts now", version.refit or version.champion)

    def close(self) -> None:
        """End the threads."""
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()
        self._thread.close()
        gc.unfreeze()

    def _watch(self) -> None:
        while not self._stop.wait(CHECK_SECONDS):
            self.refresh()


def _leave_loaded_objects_alone() -> None:
    """Keep the garbage collector from all objects that exist now.

    It would visit those of the libraries and the models again and again: an eighth of the CPU time
    of predictions. What it was kept from before is collected first.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _predict(calls: Sequence[_Call]) -> None:
    """Set the results of calls of one model: it runs once, and artists are looked up once."""
    running = [call for call in calls if call.result.set_running_or_notify_cancel()]
    if not running:
        return
    try:
        artists = _artists(running)
    except Exception as error:  # noqa: BLE001 - the thread lives on, and the requests get the error
        for call in running:
            call.result.set_exception(error)
        return
    parts = [call.rows for call in running]
    try:
        probabilities = running[0].model.artifact.estimator.predict_proba(frame_of(parts))
    except Exception:  # noqa: BLE001 - one request must not fail the others
        for call in running:
            _predict_alone(call, artists)
        return
    ends = np.cumsum([len(part) for part in parts])[:-1]
    for call, shares in zip(running, np.split(probabilities, ends), strict=True):
        call.result.set_result(PredictedRows(shares, artists))


def _artists(calls: Sequence[_Call]) -> Artists:
    """Return the artists of all described tracks of calls of one model."""
    described = [track for call in calls for track in call.descriptions]
    find = next((call.find_artists for call in calls if call.find_artists), None)
    return {} if find is None else find(described)


def _predict_alone(call: _Call, artists: Artists) -> None:
    try:
        shares = call.model.artifact.estimator.predict_proba(frame_of([call.rows]))
        call.result.set_result(PredictedRows(shares, artists))
    except Exception as error:  # noqa: BLE001 - the thread lives on, and the request gets the error
        call.result.set_exception(error)


def _joined(parts: Sequence[PredictedRows]) -> PredictedRows:
    if len(parts) == 1:
        return parts[0]
    artists = {key: one for part in parts for key, one in part.artists.items()}
    return PredictedRows(np.concatenate([part.probabilities for part in parts]), artists)

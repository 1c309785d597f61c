"""What runs when: training on a schedule and as the data grows, answers for new tracks."""

from threading import Lock
from typing import Final, Protocol

import structlog

from classifier.daemon.subprocesses import SubprocessRunner
from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.errors import ClassifierError
from classifier.registry import stored_models
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.runtime.job_scheduler import JobScheduler, ScheduledJob
from genrebase.runtime.schedule import CronSchedule, IntervalSchedule
from genrebase.runtime.shutdown import StopSignal

RETRAIN_GROWTH: Final = 0.2
"""Retraining as the data grows waits for a fifth more tracks: trainings thin out, not pile up."""

_log = structlog.get_logger(__name__)


def enough_new_data(labelled: int, before: int, new_tracks: int) -> bool:
    """Tell whether so many labelled tracks, with `before` last time, ask for a training."""
    return new_tracks > 0 and labelled - before >= max(new_tracks, RETRAIN_GROWTH * before)


class CommandRunner(Protocol):
    """Runs a command of ours to its end, wherever that may be."""

    def __call__(self, *arguments: str) -> None:
        """Run `classifier` with these arguments; raise `ClassifierError` where that failed."""
        ...

    def cancel(self) -> None:
        """End what is in hand and begin nothing more."""
        ...


class Daemon:
    """Trains and answers until it is asked to stop."""

    def __init__(
        self,
        database: Database,
        settings: ClassifierSettings,
        clock: Clock,
        runner: CommandRunner | None = None,
    ) -> None:
        """Raise `BadSchedule` at once for a schedule that nobody can keep.

        Without a `runner` each command is a process of its own.
        """
        self._database, self._settings, self._clock = database, settings, clock
        self._runner = SubprocessRunner(settings, clock) if runner is None else runner
        self.jobs = (
            ScheduledJob("train", self.train, CronSchedule(settings.schedule)),
            ScheduledJob("look", self.poll, IntervalSchedule(settings.look_every)),
        )
        self._training, self._answering = Lock(), Lock()
        self._tried = 0

    def run(self, stop: StopSignal) -> None:
        """Run what is due, then by the clock, until `stop`."""
        JobScheduler(self._database, self._clock, self.jobs).run(stop)

    def cancel(self) -> None:
        """End the child in hand and start no other."""
        self._runner.cancel()

    def train(self) -> None:
        """Train, unless there is plainly too little to learn from yet.

        It waits for no features: a first model of titles and artists answers at once, it warns,
        and features that arrive are new data for the next time.
        """
        with self._training:
            labelled = stored_models.dataset_counts(self._database, None).labelled
            if labelled < 2 * self._settings.min_tracks:
                _log.info("too_few_tracks_to_train", labelled=labelled)
                return
            self._train(labelled)
        self._answer()

    def poll(self) -> None:
        """Train when the data grew enough; answer for tracks without an answer.

        While a training is under way new tracks are answered for by the champion there is.
        """
        last = jobs.last_run(self._database, "train", jobs.COMPLETED_OUTCOMES)
        before = 0 if last is None else int(last.counts.get("labelled", 0))
        labelled = stored_models.dataset_counts(self._database, None).labelled
        # a training that failed is not begun again and again on the same tracks
        enough = enough_new_data(labelled, max(before, self._tried), self._settings.new_tracks)
        if enough and self._training.acquire(blocking=False):
            try:
                self._train(labelled)
            finally:
                self._training.release()
        self._answer()

    def _train(self, labelled: int) -> None:
        self._tried = labelled
        self._run("train", "--niceness", str(self._settings.niceness))

    def _answer(self) -> None:
        with self._answering:
            champion = stored_models.find_champion(self._database, DEFAULT_TASK)
            if champion is not None and len(dataset.tracks_to_predict(self._database, champion)):
                self._run("predict")

    def _run(self, *arguments: str) -> None:
        """Run a command; where it failed because the database is away, that is what is raised.

        Then the timer waits for the database, and begins again.
        """
        try:
            self._runner(*arguments)
        except ClassifierError:
            stored_models.find_champion(self._database, DEFAULT_TASK)
            raise

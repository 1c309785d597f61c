"""The trainer daemon: trains on a schedule and as the data grows, predicts for new tracks."""

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
"""Retraining needs a fifth more tracks, so that trainings become rarer as the data grow."""

_log = structlog.get_logger(__name__)


def enough_new_data(labelled: int, before: int, new_tracks: int) -> bool:
    """Return whether the labelled tracks grew enough since the last training, with `before`."""
    return new_tracks > 0 and labelled - before >= max(new_tracks, RETRAIN_GROWTH * before)


class CommandRunner(Protocol):
    """Runs a `classifier` command to its end."""

    def __call__(self, *arguments: str) -> None:
        """Run `classifier` with these arguments; raise `ClassifierError` if it fails."""
        ...

    def cancel(self) -> None:
        """End the running command and start no other."""
        ...


class Daemon:
    """Trains and predicts until it is stopped."""

    def __init__(
        self,
        database: Database,
        settings: ClassifierSettings,
        clock: Clock,
        runner: CommandRunner | None = None,
    ) -> None:
        """Raise `InvalidSchedule` for an invalid schedule.

        Without a `runner` each command is a subprocess.
        """
        self._database, self._settings, self._clock = database, settings, clock
        self._runner = SubprocessRunner(settings, clock) if runner is None else runner
        self.jobs = (
            ScheduledJob("train", self.train, CronSchedule(settings.schedule)),
            ScheduledJob("look", self.poll, IntervalSchedule(settings.look_every)),
        )
        self._training, self._predicting = Lock(), Lock()
        self._last_labelled = 0

    def run(self, stop: StopSignal) -> None:
        """Run the jobs that are due, then by their schedules, until `stop`."""
        JobScheduler(self._database, self._clock, self.jobs).run(stop)

    def cancel(self) -> None:
        """End the running command and start no other."""
        self._runner.cancel()

    def train(self) -> None:
        """Train, unless there are too few labelled tracks.

        It does not wait for features: a first model of titles and artists predicts at once, with a
        warning, and features that arrive later are new data for the next training.
        """
        with self._training:
            labelled = stored_models.dataset_counts(self._database, None).labelled
            if labelled < 2 * self._settings.min_tracks:
                _log.info("too_few_tracks_to_train", labelled=labelled)
                return
            self._train(labelled)
        self._predict()

    def poll(self) -> None:
        """Train if the data grew enough; predict for tracks without a prediction.

        During a training the current champion predicts for new tracks.
        """
        last = jobs.last_run(self._database, "train", jobs.COMPLETED_OUTCOMES)
        before = 0 if last is None else int(last.counts.get("labelled", 0))
        labelled = stored_models.dataset_counts(self._database, None).labelled
        # a failed training is not repeated on the same tracks
        enough = enough_new_data(
            labelled, max(before, self._last_labelled), self._settings.new_tracks
        )
        if enough and self._training.acquire(blocking=False):
            try:
                self._train(labelled)
            finally:
                self._training.release()
        self._predict()

    def _train(self, labelled: int) -> None:
        self._last_labelled = labelled
        self._run("train", "--niceness", str(self._settings.niceness))

    def _predict(self) -> None:
        with self._predicting:
            champion = stored_models.find_champion(self._database, DEFAULT_TASK)
            if champion is not None and len(dataset.tracks_to_predict(self._database, champion)):
                self._run("predict")

    def _run(self, *arguments: str) -> None:
        """Run a command; if it failed because the database is unavailable, raise that error.

        The scheduler then waits for the database, and tries again.
        """
        try:
            self._runner(*arguments)
        except ClassifierError:
            stored_models.find_champion(self._database, DEFAULT_TASK)
            raise

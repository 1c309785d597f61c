"""The trainer daemon: trains on a schedule and as the data grows, predicts for new tracks."""

from datetime import datetime
from threading import Lock
from typing import Final, Protocol

import structlog

from classifier.daemon import readiness
from classifier.daemon.readiness import RETRAIN_GROWTH, TrainingReadiness, enough_new_data
from classifier.daemon.subprocesses import SubprocessRunner
from classifier.data import rows_to_predict
from classifier.data.dataset import Database
from classifier.errors import ClassifierError
from classifier.registry import stored_models
from classifier.settings import ClassifierSettings
from classifier.training_config import DEFAULT_TASK, TrainingConfig
from genrebase.digests.refresh import daemon_jobs
from genrebase.runtime import daemons, job_requests, jobs
from genrebase.runtime.clock import Clock
from genrebase.runtime.job_scheduler import JobScheduler, ScheduledJob
from genrebase.runtime.schedule import Cron, IntervalSchedule
from genrebase.runtime.shutdown import StopSignal

REQUESTS_EVERY: Final = 10.0
"""Seconds between two looks for jobs that people requested."""
_log = structlog.get_logger(__name__)


class CommandRunner(Protocol):
    """Runs a `classifier` command to its end."""

    def __call__(self, *arguments: str) -> None:
        """Run `classifier` with these arguments; raise `ClassifierError` if it fails."""

    def cancel(self) -> None:
        """End the running command and start no other."""


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
        self._schedule = Cron(settings.schedule)
        self.jobs = (
            ScheduledJob("train", self.train, self._schedule),
            ScheduledJob("look", self.poll, IntervalSchedule(settings.look_every)),
            ScheduledJob("requests", self.run_requested, IntervalSchedule(REQUESTS_EVERY)),
            *daemon_jobs(database, clock),
        )
        self._training, self._predicting = Lock(), Lock()
        self._started = clock.now()
        self._postponed = False
        """Whether a scheduled training waits for features."""
        self._last: TrainingReadiness | None = None
        """The data of the last training of this process, also if it failed."""
        self._refit_failed: int | None = None
        """The champion whose refit was tried."""

    def run(self, stop: StopSignal) -> None:
        """Run the jobs that are due, then by their schedules, until `stop`."""
        with daemons.registered(self._database, self._clock, daemons.CLASSIFIER):
            JobScheduler(self._database, self._clock, self.jobs).run(stop)

    def cancel(self) -> None:
        """End the running command and start no other."""
        self._runner.cancel()

    def train(self) -> None:
        """Train and refit, unless there are too few labelled tracks or features are awaited."""
        with self._training:
            self._refit_failed = None
            now = self._clock.now()
            state = readiness.read(self._database, now)
            if self._waits(state, now):
                self._postponed = state.labelled >= readiness.min_labelled(self._settings)
                _log.info("waiting", reason=readiness.describe_wait(state, self._settings, now))
                return
            self._train(state)
        self._predict()
        self._refit_champion()

    def poll(self) -> None:
        """Train if the data grew enough; predict for tracks without a prediction.

        During a training the current champion predicts for new tracks.
        """
        now = self._clock.now()
        state = readiness.read(self._database, now)
        if self._is_due(state, now) and self._training.acquire(blocking=False):
            try:
                self._train(state)
            finally:
                self._training.release()
        self._predict()
        self._refit_champion()

    def run_requested(self) -> None:
        """Train or predict now if somebody requested it; a training in progress comes first."""
        if self._training.acquire(blocking=False):
            try:
                requested = job_requests.take(self._database, self._clock, ("train", "predict"))
                if "train" in requested:
                    _log.info("requested", job="train")
                    self._train(readiness.read(self._database, self._clock.now()))
            finally:
                self._training.release()
            if requested:
                self._predict()

    def _waits(self, state: TrainingReadiness, now: datetime) -> bool:
        """Return whether the data are too few; features are awaited until the next schedule."""
        if state.labelled < readiness.min_labelled(self._settings):
            return True
        scheduled = self._schedule.next_after(self._started)
        waits_for_features = scheduled is None or now < scheduled
        return waits_for_features and state.missing_features(self._settings.feature_share) > 0

    def _is_due(self, state: TrainingReadiness, now: datetime) -> bool:
        if self._waits(state, now):
            return False
        if not state.trained and self._last is None and (self._postponed or state.quiet):
            return True
        # a failed training is not repeated on the same tracks
        last = self._last
        before = max(state.trained_labelled, 0 if last is None else last.labelled)
        if enough_new_data(state.labelled, before, self._settings.new_tracks):
            return True
        failed_on_these = last is not None and last.share + RETRAIN_GROWTH > state.share
        return self._settings.new_tracks > 0 and state.features_arrived() and not failed_on_these

    def _train(self, state: TrainingReadiness) -> None:
        self._last = state
        arguments = ["--niceness", str(self._settings.niceness)]
        champion = stored_models.find_champion(self._database, DEFAULT_TASK)
        if champion is not None:
            trained_under = TrainingConfig.from_model(champion).licence
            licence = self._settings.scheduled_licence(trained_under)
            if licence != self._settings.licence:
                arguments += ["--licence", licence]
        self._run("train", *arguments)

    def _refit_champion(self) -> None:
        """Refit a champion that has no refit; one that failed is tried again after a training."""
        champion = stored_models.find_champion(self._database, DEFAULT_TASK)
        if not self._settings.refit or champion is None or champion.id == self._refit_failed:
            return
        if stored_models.latest_refit_id(self._database, champion.id) is not None:
            return
        if self._training.acquire(blocking=False):
            try:
                self._refit_failed = champion.id
                self._run("train", "--refit", "--niceness", str(self._settings.niceness))
            finally:
                self._training.release()

    def _predict(self) -> None:
        with self._predicting:
            champion = stored_models.find_champion(self._database, DEFAULT_TASK)
            if champion is None:
                return
            pooled = self._settings.pool_siblings
            if rows_to_predict.has_tracks_to_predict(self._database, champion, pooled=pooled):
                self._run("predict")

    def _run(self, *arguments: str) -> None:
        """Run a command; if it failed because the database is unavailable, raise that error.

        The scheduler then waits for the database, and tries again. Why a process was killed, for
        lack of memory for example, is recorded with its run, since it could not do that itself.
        """
        try:
            self._runner(*arguments)
        except ClassifierError as error:
            jobs.fail_dead_runs(self._database, self._clock, arguments[0], str(error))
            raise

"""What runs when: training on a schedule and as the data grows, answers for new tracks.

Each training is a process of its own: it may be ended at its deadline, steps back behind other
work, and gives its memory back.
"""

import subprocess
import sys
from threading import Event, Lock
from typing import Final

import structlog

from classifier import dataset
from classifier.dataset import Database
from classifier.errors import ClassifierError, TookTooLong
from classifier.records import MAIN
from classifier.settings import ClassifierSettings
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.runtime.schedule import Cron, Every
from genrebase.runtime.stopping import Stop
from genrebase.runtime.timer import Job, Timer
from genrebase.settings import child_environment

GROWTH: Final = 0.2
"""Retraining as the data grows waits for a fifth more tracks: trainings thin out, not pile up."""
_LOOK: Final = 0.5
"""Seconds between two looks at a child."""
_PATIENCE: Final = 10.0
"""Seconds a child may take to stop before it is killed."""

_log = structlog.get_logger(__name__)


def grown(labelled: int, before: int, new_tracks: int) -> bool:
    """Tell whether so many labelled tracks, with `before` last time, ask for a training."""
    return new_tracks > 0 and labelled - before >= max(new_tracks, GROWTH * before)


class Daemon:
    """Trains and answers until it is asked to stop."""

    def __init__(self, database: Database, settings: ClassifierSettings, clock: Clock) -> None:
        """Raise `BadSchedule` at once for a schedule that nobody can keep."""
        self._database, self._settings, self._clock = database, settings, clock
        self._jobs = [
            Job("train", self.train, Cron(settings.schedule)),
            Job("look", self.look, Every(settings.look_every)),
        ]
        self._one_at_a_time = Lock()
        self._given_up = Event()

    def run(self, stop: Stop) -> None:
        """Run what is due, then by the clock, until `stop`."""
        Timer(self._database, self._clock, self._jobs).run(stop)

    def give_up(self) -> None:
        """End the child in hand and start no other."""
        self._given_up.set()

    def train(self) -> None:
        """Train, unless there is plainly too little to learn from yet."""
        with self._one_at_a_time:
            labelled = dataset.standing(self._database, None).labelled
            if labelled < 2 * self._settings.min_tracks:
                _log.info("too_few_tracks_to_train", labelled=labelled)
                return
            niceness = str(self._settings.niceness)
            self._child("train", "--niceness", niceness)
            self._answer()

    def look(self) -> None:
        """Train when the data grew enough; answer for tracks without an answer."""
        last = jobs.last_run(self._database, "train", jobs.COMPLETED)
        before = 0 if last is None else int(last.counts.get("labelled", 0))
        labelled = dataset.standing(self._database, None).labelled
        if grown(labelled, before, self._settings.new_tracks):
            self.train()
            return
        with self._one_at_a_time:
            self._answer()

    def _answer(self) -> None:
        champion = dataset.find_champion(self._database, MAIN)
        if champion is not None and len(dataset.pending(self._database, champion.id)):
            self._child("predict")

    def _child(self, *arguments: str) -> None:
        """Run a command of ours to its end; raise `TookTooLong` at the deadline."""
        if self._given_up.is_set():
            return
        name = arguments[0]
        argv = [sys.executable, "-m", "genrebase.umbrella.guarded", "classifier", *arguments]
        # its standard input is what tells it that we are gone, in whatever way
        process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            [*argv, "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=child_environment(),
        )
        deadline = self._clock.monotonic() + self._settings.deadline
        _log.info("started", command=name, pid=process.pid)
        while process.poll() is None:
            try:
                process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                late = self._clock.monotonic() > deadline
                if late or self._given_up.is_set():
                    _end(process)
                    if late:
                        raise TookTooLong(
                            f"`classifier {name}` was ended after "
                            f"{self._settings.deadline:.0f} s: raise CLASSIFIER_DEADLINE, "
                            "or train on less with --per-genre."
                        ) from None
        if process.stdin is not None:
            process.stdin.close()
        _log.info("ended", command=name, code=process.returncode)
        if process.returncode > 0 and not self._given_up.is_set():
            raise ClassifierError(
                f"`classifier {name}` ended with {process.returncode}; its reason stands above."
            )


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

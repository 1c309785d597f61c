"""What `classifier run` waits for before it trains: tracks, their features, its schedule.

A first model without audio features is worse than the majority baseline, so the first training
waits until a share of the tracks has them. It stops waiting when no new data have arrived for some
time, or at the next scheduled time.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from classifier.registry import stored_models
from classifier.settings import ClassifierSettings
from genrebase.counts import agree, counted
from genrebase.runtime import jobs
from genrebase.runtime.schedule import Cron
from genrebase.store import Engine

RETRAIN_GROWTH: Final = 0.2
"""Retraining needs a fifth more tracks, so the intervals between trainings grow with the data.

A share of tracks with features that is higher by 0.2 suffices, too."""

QUIET: Final = timedelta(minutes=10)
"""Time without new tracks or features after which the first training waits no longer."""


@dataclass(frozen=True, slots=True)
class TrainingReadiness:
    """The data that a training would have, and the data that the last one had."""

    labelled: int
    with_features: int
    """Labelled tracks with audio features."""
    trained: bool
    """Whether a training was completed before."""
    trained_labelled: int
    """Labelled tracks of the last training; 0 without one."""
    trained_share: float | None
    """Share of them that had features; None without a training, or if it was not recorded."""
    quiet: bool
    """Whether no new data have arrived for some time; False after the first training."""

    @property
    def share(self) -> float:
        """Return the share of labelled tracks that have features, 0..1."""
        return self.with_features / self.labelled if self.labelled else 0.0

    def missing_features(self, wanted_share: float) -> int:
        """Return how many tracks with features the first training waits for; 0: none."""
        if self.trained or self.quiet:
            return 0
        return max(0, math.ceil(wanted_share * self.labelled) - self.with_features)

    def features_arrived(self) -> bool:
        """Return whether the share of tracks with features rose by 0.2 since the last training."""
        before = self.trained_share
        return before is not None and self.share - before >= RETRAIN_GROWTH


def enough_new_data(labelled: int, before: int, new_tracks: int) -> bool:
    """Return whether the labelled tracks grew enough since the last training, with `before`."""
    return new_tracks > 0 and labelled - before >= max(new_tracks, RETRAIN_GROWTH * before)


def min_labelled(settings: ClassifierSettings) -> int:
    """Return the minimum of labelled tracks to train on: two genres."""
    return 2 * settings.min_tracks


def read(database: Engine, now: datetime) -> TrainingReadiness:
    """Read the state of the task `main`."""
    counts = stored_models.dataset_counts(database, None)
    last = jobs.last_run(database, "train", jobs.COMPLETED_OUTCOMES)
    before = {} if last is None else last.counts
    labelled = int(before.get("labelled", 0))
    with_features = before.get("with_features")
    arrival = None if last is not None else stored_models.last_arrival(database)
    return TrainingReadiness(
        labelled=counts.labelled,
        with_features=counts.with_features,
        trained=last is not None,
        trained_labelled=labelled,
        trained_share=int(with_features) / labelled
        if with_features is not None and labelled
        else None,
        quiet=arrival is not None and now - arrival >= QUIET,
    )


def describe_wait(state: TrainingReadiness, settings: ClassifierSettings, now: datetime) -> str:
    """Return in a sentence what the next training of `classifier run` waits for."""
    following = Cron(settings.schedule).next_after(now)
    at = "its schedule" if following is None else f"{following:%Y-%m-%d %H:%M %Z}"
    which = "next" if state.trained else "first"
    if state.labelled < min_labelled(settings):
        return (
            f"The {which} training waits for labelled tracks: there are {state.labelled:,}, and "
            f"two genres need {min_labelled(settings):,}."
        )
    missing = state.missing_features(settings.feature_share)
    if missing:
        return (
            f"The first training waits for audio features: {state.with_features:,} of "
            f"{counted(state.labelled, 'labelled track')} {agree(state.labelled, 'has', 'have')} "
            f"them, {missing:,} more are needed "
            f"(CLASSIFIER_FEATURE_SHARE={settings.feature_share:g}). It begins without them when "
            f"nothing has arrived for {QUIET.total_seconds() / 60:.0f} minutes, or at {at}."
        )
    if not state.trained and (state.quiet or state.labelled >= settings.new_tracks > 0):
        return "The first training begins at the next check."
    if settings.new_tracks == 0:
        return f"The {which} training is at {at}."
    needed = max(settings.new_tracks, math.ceil(RETRAIN_GROWTH * state.trained_labelled))
    more = max(0, state.trained_labelled + needed - state.labelled)
    if state.trained_share is None or state.trained_share + RETRAIN_GROWTH > 1:
        share = ""
    else:
        share = (
            f", for audio features of {state.trained_share + RETRAIN_GROWTH:.0%} of them "
            f"(now {state.share:.0%})"
        )
    return (
        f"The {which} training waits for {counted(more, 'more labelled track')}{share}, or until "
        f"{at}."
    )

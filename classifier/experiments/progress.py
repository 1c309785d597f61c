"""How much of an experiment is done: trials one after another, the larger ones the slower."""

from collections.abc import Callable, Sequence

import numpy as np

from classifier.data.training_data import SplitDataset

TrialProgress = Callable[[int, int, str, float], None]
"""Told (done, of how many, what is next, the share of the tracks to learn from behind it)."""


class ExperimentProgress:
    """Trials in their order; what was done before costs nothing now."""

    def __init__(self, progress: TrialProgress, tracks: Sequence[int]) -> None:
        """`tracks` are those that each trial learns from, in their order."""
        self._progress, self._tracks = progress, tracks
        self._done, self._behind, self._all = 0, 0, max(1, sum(tracks))
        self._over = False

    def skip_trial(self) -> None:
        """Pass over a trial that was done before."""
        if self._done < len(self._tracks):
            self._behind += self._tracks[self._done]
            self._done += 1

    def start_trial(self, what: str) -> None:
        """Tell what is tried next."""
        self._tell(what)

    def finish_trial(self, what: str) -> None:
        """Tell that it was done, and stands in the database."""
        self.skip_trial()
        if self._done < len(self._tracks):
            self._tell(what)
        else:
            self.complete()

    def complete(self) -> None:
        """Tell that nothing is left to try, once."""
        if not self._over:
            self._progress(len(self._tracks), len(self._tracks), "done", 1.0)
        self._over = True

    def _tell(self, what: str) -> None:
        self._progress(self._done, len(self._tracks), what, self._behind / self._all)


def n_training_tracks(asked: SplitDataset, most: int | None) -> int:
    """Return how many tracks a trial learns from where each genre gives at most `most`."""
    _, counts = np.unique(asked.labels[asked.train_mask], return_counts=True)
    return int(counts.sum() if most is None else counts.clip(max=most).sum())

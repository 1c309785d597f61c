"""Progress of an experiment: trials in order, weighted by their number of training tracks."""

from collections.abc import Sequence

import numpy as np

from classifier.data.training_data import SplitDataset
from genrebase.progress import ProgressCallback


class ExperimentProgress:
    """Counts trials; trials stored by an earlier run, or pruned, take no time in this one."""

    def __init__(self, callback: ProgressCallback, n_tracks: Sequence[int]) -> None:
        """`n_tracks` are the training tracks of each planned trial, in order."""
        self._callback, self._n_tracks = callback, n_tracks
        self._done, self._tracks_done, self._total_tracks = 0, 0, max(1, sum(n_tracks))
        self._completed = False

    def skip_trial(self) -> None:
        """Count a trial without reporting it."""
        if self._done < len(self._n_tracks):
            self._tracks_done += self._n_tracks[self._done]
            self._done += 1

    def start_trial(self, description: str) -> None:
        """Report which trial runs next."""
        fraction = self._tracks_done / self._total_tracks
        self._callback(self._done, total=len(self._n_tracks), note=description, fraction=fraction)

    def finish_trial(self, description: str) -> None:
        """Report that a trial is stored."""
        self.skip_trial()
        if self._done < len(self._n_tracks):
            self.start_trial(description)
        else:
            self.complete()

    def complete(self) -> None:
        """Report, once, that no trial is left."""
        if not self._completed:
            total = len(self._n_tracks)
            self._callback(total, total=total, note="done", fraction=1.0)
        self._completed = True


def training_tracks(split: SplitDataset, per_genre: int | None) -> dict[str, int]:
    """Return the number of training tracks of each genre, at most `per_genre`."""
    names, counts = np.unique(split.labels[split.train_mask], return_counts=True)
    counts = counts if per_genre is None else counts.clip(max=per_genre)
    return dict(zip(names.tolist(), counts.tolist(), strict=True))

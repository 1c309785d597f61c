"""How much of a run of downloads is done: the share of its limit, or of the tracks needed."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from collector.catalogue import shards
from collector.downloads.queue import DownloadQueue
from collector.http.retry import RequestLimit
from genrebase.store.engine import Engine, read_transaction


@dataclass
class RunShare:
    """Estimates the done share of a run, which ends at whichever of its limits comes first."""

    engine: Engine
    queues: Sequence[DownloadQueue]
    limit: RequestLimit
    max_bytes: int
    """That may be received."""
    _needed: int = field(init=False)
    """Tracks that are needed at the begin."""

    def __post_init__(self) -> None:
        self._needed = self._count_needed()

    def done(self, received: int) -> float:
        """Return the share of the run that is done after `received` bytes, 0..1."""
        shares = [received / self.max_bytes] if self.max_bytes > 0 else [1.0]
        if self.limit.max_requests:
            shares.append(self.limit.used / self.limit.max_requests)
        if self._needed:
            shares.append(1 - self._count_needed() / self._needed)
        return min(1.0, max(0.0, *shares))

    def _count_needed(self) -> int:
        """Return how many tracks the genres lack, and how many tracks wait for their own files."""
        waiting = sum(one.count_waiting() for one in self.queues if one.source.items_are_tracks)
        if all(one.source.items_are_tracks for one in self.queues):
            return waiting
        with read_transaction(self.engine) as connection:
            progress = shards.genre_progress(connection)
        return waiting + sum(max(0, one.target - one.tracks) for one in progress.values())

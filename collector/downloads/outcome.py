"""The outcome of a run of downloads: items, files, tracks, bytes."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from collector.downloads.folder import DiskFull
from collector.run_outcome import RunOutcome

_MAX_SUBJECTS: Final = 20
"""Subjects set aside that are listed, the commonest."""


@dataclass
class DownloadOutcome(RunOutcome):
    """Counts of one run; a file is analysed, failed or waiting."""

    items: int = 0
    """Items whose files were listed."""
    items_left_out: Counter[str] = field(default_factory=Counter)
    """Items without a file to use, by reason."""
    items_postponed: Counter[str] = field(default_factory=Counter)
    """Failures of items and files that are requested again later, by reason."""
    analysed: int = 0
    """Files whose features are stored."""
    tracks_new: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    """Files that cannot be used, by reason."""
    received: int = 0
    """Bytes of audio files."""
    kept: int = 0
    """Files that were kept."""
    subjects_set_aside: Counter[str] = field(default_factory=Counter)
    """Subjects of the items that are no genres of the database, with the number of items."""
    genres_not_collected: Counter[str] = field(default_factory=Counter)
    """Those of them that a vocabulary has: genres that could be collected."""
    waiting: int = 0
    """Items that are not done."""
    done_share: float = 0.0
    """The share of the run that is done, 0..1, an estimate."""
    problems: list[str] = field(default_factory=list)
    """Why a source was left before all its items were done."""
    disk_full: DiskFull | None = None
    """What ended the run where the disk is full."""

    def counts(self) -> dict[str, int]:
        return {
            "items": self.items,
            "analysed": self.analysed,
            "tracks_new": self.tracks_new,
            "failed": self.failed.total(),
            "received_bytes": self.received,
        }

    def facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {"stopped": self.stopped, "problems": list(self.problems)}
        for name in ("items_left_out", "items_postponed", "failed"):
            counter: Counter[str] = getattr(self, name)
            if counter:
                facts[f"{name}_reasons"] = dict(counter.most_common())
        return facts

    def as_json(self) -> dict[str, Any]:
        return {
            "requests": self.requests,
            "items": self.items,
            "items_left_out": dict(self.items_left_out.most_common()),
            "items_postponed": dict(self.items_postponed.most_common()),
            "items_waiting": self.waiting,
            "analysed": self.analysed,
            "tracks_new": self.tracks_new,
            "duplicates": self.analysed - self.tracks_new,
            "failed": dict(self.failed.most_common()),
            "received_bytes": self.received,
            "kept": self.kept,
            "subjects_set_aside": dict(self.subjects_set_aside.most_common(_MAX_SUBJECTS)),
            "genres_not_collected": dict(self.genres_not_collected.most_common(_MAX_SUBJECTS)),
            "problems": self.problems,
            "stopped": self.stopped,
            "blocked_until": self.blocked_until,
        }

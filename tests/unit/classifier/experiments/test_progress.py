"""Progress of an experiment, by trials and by their training tracks."""

from typing import Any

from classifier.experiments.progress import ExperimentProgress


def test_trials_are_weighted_and_the_end_is_reported_once() -> None:
    """A trial stored before is skipped silently; the fraction counts tracks."""
    reports: list[tuple[float, Any, Any, Any]] = []

    def callback(done: float, *, total: Any, note: Any, fraction: Any) -> None:
        reports.append((done, total, note, fraction))

    progress = ExperimentProgress(callback, [100, 100, 300])
    progress.skip_trial()
    for description in ("b", "c"):
        progress.start_trial(description)
        progress.finish_trial(description)
    progress.complete()
    assert reports == [
        (1, 3, "b", 0.2),
        (2, 3, "b", 0.4),
        (2, 3, "c", 0.4),
        (3, 3, "done", 1.0),
    ]

"""How much of an experiment is done, by trials and by the tracks they learn from."""

from classifier.experiments.progress import ExperimentProgress


def test_larger_trials_weigh_more_and_the_end_is_told_once() -> None:
    """A trial done before is passed over in silence; the share counts tracks."""
    told: list[tuple[int, int, str, float]] = []
    work = ExperimentProgress(lambda *one: told.append(one), [100, 100, 300])
    work.skip_trial()
    for what in ("b", "c"):
        work.start_trial(what)
        work.finish_trial(what)
    work.complete()
    assert told == [
        (1, 3, "b", 0.2),
        (2, 3, "b", 0.4),
        (2, 3, "c", 0.4),
        (3, 3, "done", 1.0),
    ]

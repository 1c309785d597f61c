"""Refit the champion's config on the test tracks, too: for predictions, not for evaluation.

A refit is trained on the test tracks, so nothing is left to evaluate it on: it carries the metrics
of its parent, named so, and never competes. The validation sides still stop the training early and
weigh the experts, as its config requires.
"""

from dataclasses import replace

from classifier import estimators, threads
from classifier.data import dataset, soft_labels, training_data
from classifier.data.dataset import Database
from classifier.data.training_data import SplitDataset
from classifier.errors import TooFewTracks
from classifier.model_records import SIBLING_POOL, Epoch, PromotionDecision
from classifier.ports import Estimator
from classifier.registry import model_store, stored_models
from classifier.training import train
from classifier.training.epoch_log import record_epochs
from classifier.training.fingerprint import TrainingFingerprint, find_identical_refit
from classifier.training_config import TrainingConfig, train_job_name
from genrebase.counts import counted
from genrebase.progress import MessageCallback
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock


def run(
    database: Database, task: str, clock: Clock, *, log: MessageCallback, cores: int | None = None
) -> train.TrainResult:
    """Store and return a refit of the champion of `task`.

    Return the existing refit (`nothing_new`) if there is one on the same tracks by the same code.
    Raise `NoChampion`, `BrokenArtifact` if an earlier version trained the champion, `TooFewTracks`
    if genres of it are gone, or `AlreadyRunning` while another training runs.
    """
    with jobs.job_run(database, clock, f"{train_job_name(task)} (refit)", exclusive=True) as job:
        began = clock.monotonic()
        parent = stored_models.champion(database, task)
        parent.refuse_earlier_version()
        config = replace(
            TrainingConfig.from_model(parent), genres=parent.classes, exclude=(), min_tracks=2
        )
        log("reading the tracks")
        data = dataset.load_dataset(database, config)
        split = with_test_tracks(training_data.split_dataset(data, config), config)
        if split.classes != parent.classes:
            raise TooFewTracks(
                f"Genres of model {parent.id} have too few tracks by now: "
                "train again with `classifier train`."
            )
        fingerprint = TrainingFingerprint.of(split, estimators.build(config, threads=1))
        model = find_identical_refit(database, parent, fingerprint)
        if model is not None:
            job.set_outcome("nothing_new")
            return train.TrainResult(model, nothing_new=True)
        log(f"fitting on {counted(int(split.train_mask.sum()), 'track')}")
        fitted, epochs = _fit(split, config, cores, log)
        candidate = model_store.CandidateModel(
            seconds=clock.monotonic() - began,
            created_at=clock.now(),
            task=parent.task,
            estimator=parent.estimator,
            params=parent.params,
            training_config=parent.training_config,
            data_fingerprint=fingerprint.data,
            origin=parent.origin,
            metrics={**parent.metrics, "of_model": parent.id},
            versions=fingerprint.versions,
            parent_id=parent.id,
            track_counts={},
            **train.stored_fields(
                fitted, split, config.features, parent.feature_schema[SIBLING_POOL]
            ),
        )
        reason = (
            f"The config of model {parent.id}, trained on all labelled tracks except the "
            "validation ones; its metrics are those of that model."
        )
        decision = PromotionDecision("refit", reason)
        number = model_store.store_model(database, candidate, (), (), decision, None, epochs)
        job.set_facts(model=number, parent=parent.id, rows=candidate.trained_rows)
        return train.TrainResult(stored_models.model(database, number))


def with_test_tracks(split: SplitDataset, config: TrainingConfig) -> SplitDataset:
    """Return the split with all rows but the validation sides as training rows."""
    rows = split.in_task & ~split.held_out("validation")
    return replace(
        split, train_mask=training_data.subsample(split.tracks, split.labels, rows, config)
    )


def _fit(
    split: SplitDataset, config: TrainingConfig, cores: int | None, log: MessageCallback
) -> tuple[Estimator, list[Epoch]]:
    n_threads = threads.thread_count(len(split.tracks), len(split.classes), cores)
    with threads.limit_threads(n_threads):
        estimator = estimators.build(config, threads=n_threads)
        epochs = record_epochs(estimator, log)
        return soft_labels.fit(estimator, split.training_set(), split.validation()), epochs

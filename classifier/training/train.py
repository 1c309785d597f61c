"""Train a model: load the data, fit, evaluate, decide about promotion, store.

Nothing is computed inside a transaction.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from sklearn.base import clone

from classifier import distributed_fits, estimators, threads
from classifier.arrays import Floats
from classifier.data import audio_joins, dataset, left_out_tracks, soft_labels, training_data
from classifier.data.dataset import Database
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import SplitDataset
from classifier.data_sources import TrainingSources
from classifier.errors import BadTrainingConfig, BrokenArtifact
from classifier.evaluation import promotion, report
from classifier.features import groups
from classifier.model_records import SIBLING_POOL, Epoch, PromotionDecision, StoredModel
from classifier.ports import Estimator
from classifier.registry import (
    artifacts,
    model_store,
    prediction_store,
    retention,
    signature,
    stored_models,
)
from classifier.registry.stored_models import DatasetCounts
from classifier.serving import champion as serving
from classifier.training import model_comparisons, out_of_fold_predictions
from classifier.training.epoch_log import record_epochs
from classifier.training.evaluate import Evaluation, evaluate
from classifier.training.fingerprint import TrainingFingerprint, find_identical
from classifier.training.snapshots import TrainingSnapshot
from classifier.training_config import (
    DEFAULT_TASK,
    LEVELS,
    LICENCES,
    SPLITS,
    TrainingConfig,
    train_job_name,
)
from genrebase.counts import counted
from genrebase.errors import NothingToDo
from genrebase.progress import MessageCallback
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.runtime.db_retry import retry_until_available


@dataclass(frozen=True, slots=True)
class TrainResult:
    """The result of a training."""

    model: StoredModel
    nothing_new: bool = False
    """`model` was there before: same tracks, parameters and code."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Genres with too few tracks, and their numbers of tracks."""
    unmapped: dict[str, int] = field(default_factory=dict)
    """Genres that the mapping lacks, and their numbers of tracks."""
    warnings: tuple[str, ...] = ()
    sources: TrainingSources | None = None
    """Sources and licences of its data, and what was left out."""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `train --json`."""
        return {
            **self.model.as_json(),
            "nothing_new": self.nothing_new,
            "left_out": self.left_out,
            "unmapped": self.unmapped,
            "warnings": list(self.warnings),
        }


def run(
    database: Database,
    config: TrainingConfig,
    clock: Clock,
    *,
    log: MessageCallback,
    cores: int | None = None,
    again: bool = False,
    snapshot: TrainingSnapshot | None = None,
    keep_last: int = retention.DEFAULT_KEEP_LAST,
) -> TrainResult:
    """Train a model by `config` and record the run.

    With `again` train even if nothing is new. A model trained on a `snapshot` reproduces metrics:
    it is stored with them and never competes. Raise `TooFewTracks`, `BadTrainingConfig`,
    `BadParameter` or `UserError` if nothing can be trained; then nothing is written. One
    training runs at a time: raise `AlreadyRunning` while another one runs, `NothingToDo`
    while one with the same config does.
    """
    name = train_job_name(config.task) + ("" if snapshot is None else " (snapshot)")
    unused_groups = None
    if snapshot is None:
        unused_groups = audio_joins.unused_groups_warning(database, config)
        config = audio_joins.resolve_features(database, config)
    with _exclusive_run(database, name, config, clock) as job:
        training = _Training(database, config, clock, log, cores, snapshot, job)
        result = training.run(again=again)
        model = result.model
        job.set_facts(model=model.id, status=model.status, rows=model.trained_rows)
        if result.nothing_new:
            job.set_outcome("nothing_new")
        else:
            pruned = retention.prune(database, config.task, keep_last=keep_last)
            job.set_facts(given_up=pruned.given_up)
            if snapshot is None:
                model_comparisons.update(database, config.task, clock)
    if unused_groups is None:
        return result
    return replace(result, warnings=(unused_groups, *result.warnings))


@contextmanager
def _exclusive_run(
    database: Database, name: str, config: TrainingConfig, clock: Clock
) -> Iterator[jobs.RunRecorder]:
    requested = {name: value for name, value in config.as_full_json().items() if name != "task"}
    try:
        with jobs.job_run(
            database, clock, name, exclusive=True, facts={"asked": requested}
        ) as job:
            yield job
    except jobs.AlreadyRunning as error:
        if error.run.job == name and error.run.counts.get("asked") == requested:
            raise NothingToDo(f"{error} It trains the same config.") from error
        raise


def stored_fields(
    estimator: Estimator,
    split: SplitDataset,
    features: tuple[str, ...],
    sibling_pool: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the fields of `CandidateModel` that describe a fitted estimator and its tracks.

    `sibling_pool`: a `SiblingPool` as JSON.
    """
    artifact = artifacts.serialise(artifacts.ModelArtifact(estimator, split.train_ids))
    artifacts.deserialise(artifact)  # an artifact that cannot be loaded is not worth storing
    columns = groups.columns(estimators.usable_groups(estimator, features), split.tracks)
    train_tracks = split.tracks[split.train_mask]
    schema: dict[str, Any] = {
        "columns": columns,
        "classes": list(split.classes),
        SIBLING_POOL: sibling_pool,
    }
    if left_out := getattr(estimator, "left_out_", ()):
        schema["left_out"] = list(left_out)
    golden_rows = artifacts.golden_predictions(estimator, train_tracks, columns)
    return {
        "feature_schema": schema,
        "trained_rows": len(train_tracks),
        "artifact": artifact,
        "artifact_sha256": signature.sign(artifact, schema, golden_rows),
        "golden_rows": golden_rows,
        "sources": split.sources.as_json(),
        "licence_class": split.sources.licence_class,
    }


@dataclass(frozen=True, slots=True)
class _FitResult:
    evaluation: Evaluation
    stored: dict[str, Any]
    """See `stored_fields`."""
    out_of_fold: Floats | None
    """Probabilities for the training tracks; only a champion needs them."""
    epochs: tuple[Epoch, ...] = ()
    """Of an estimator that is trained in epochs."""


@dataclass(frozen=True, slots=True)
class _Training:
    database: Database
    config: TrainingConfig
    clock: Clock
    log: MessageCallback
    cores: int | None
    snapshot: TrainingSnapshot | None
    job: jobs.RunRecorder

    def run(self, *, again: bool) -> TrainResult:
        config, began = self.config, self.clock.monotonic()
        unfitted = estimators.build(config, threads=1)  # refuses a wrong name before loading data
        self.log("reading the tracks")
        data, champion = self._load()
        counts = None if self.snapshot is not None else self._count_tracks()
        split = training_data.split_dataset(
            data, config, champion_genres=champion.classes if champion else ()
        )
        origin = data.origin
        del data  # the split has the rows
        fingerprint = TrainingFingerprint.of(split, unfitted)
        warning = training_data.missing_audio_warning(split, config)
        warnings = () if warning is None else (warning,)
        self.job.set_facts(**({} if warning is None else {"warning": warning}))
        excluded: dict[str, Any] = {
            "left_out": dict(split.left_out),
            "unmapped": dict(split.unmapped),
            "sources": split.sources,
        }
        if not again:
            snapshot = None if self.snapshot is None else self.snapshot.as_json()
            same = find_identical(self.database, config, fingerprint, snapshot)
            if same is not None:
                return TrainResult(same, nothing_new=True, warnings=warnings, **excluded)
        n_threads = threads.thread_count(len(split.tracks), len(split.classes), self.cores)
        with threads.limit_threads(n_threads):
            fit = self._fit(split, estimators.build(config, threads=n_threads), champion)
        seconds = self.clock.monotonic() - began
        candidate = self._candidate(origin, split, fit, fingerprint, seconds, counts)
        number = retry_until_available(
            self.clock, lambda: self._store(candidate, split, fit, champion)
        )
        model = stored_models.model(self.database, number)
        return TrainResult(model, warnings=(*warnings, *fit.evaluation.warnings), **excluded)

    def _load(self) -> tuple[RawDataset, StoredModel | None]:
        """Return the data and the champion to compete with (none on a snapshot)."""
        if self.snapshot is not None:
            data, champion = self.snapshot.dataset, None
        else:
            data = dataset.load_dataset(self.database, self.config)
            champion = stored_models.find_champion(self.database, self.config.task)
        _check_same_question(self.config, champion)
        return data, champion

    def _count_tracks(self) -> DatasetCounts:
        """Count what the database has, used or not, and record it: the daemon compares it."""
        counts = stored_models.dataset_counts(self.database, None)
        self.job.set_facts(labelled=counts.labelled, with_features=counts.with_features)
        return counts

    def _fit(
        self, split: SplitDataset, unfitted: Estimator, champion: StoredModel | None
    ) -> _FitResult:
        frame, training_set = split.tracks[split.train_mask], split.training_set()
        validation = split.validation()
        self.log(f"fitting {len(split.classes)} genres on {counted(len(frame), 'track')}")
        estimator: Estimator = clone(unfitted)
        epochs = record_epochs(estimator, self.log)
        fitted = soft_labels.fit(estimator, training_set, validation)
        self.log("evaluating, with a second fit on a random split")
        evaluation = evaluate(
            split, fitted, unfitted, self._load_champion(champion), self.config, self.log
        )
        if champion is not None:
            decision = self._keep_narrower_licence(evaluation.decision, champion)
            evaluation = replace(evaluation, decision=decision)
        if self.snapshot is not None:
            reason = f"Trained on the snapshot {self.snapshot.name}: it reproduces metrics."
            evaluation = replace(evaluation, decision=PromotionDecision("rejected", reason))
        probabilities = None
        if evaluation.decision.status == "champion":
            if distributed_fits.are_distributed():  # a worker fits with one thread
                unfitted = estimators.build(self.config, threads=1)
            probabilities = out_of_fold_predictions.predict_out_of_fold(
                unfitted, frame, training_set, validation, np.asarray(split.classes), self.log
            )
        stored = stored_fields(fitted, split, self.config.features, evaluation.sibling_pool)
        return _FitResult(evaluation, stored, probabilities, tuple(epochs))

    def _keep_narrower_licence(
        self, decision: PromotionDecision, champion: StoredModel
    ) -> PromotionDecision:
        licence, before = self.config.licence, TrainingConfig.from_model(champion).licence
        if LICENCES.index(licence) >= LICENCES.index(before):
            return decision
        return promotion.keep_narrower_licence(
            decision, champion_id=champion.id, licence=licence, champion_licence=before
        )

    def _load_champion(self, champion: StoredModel | None) -> serving.LoadedModel | None:
        if champion is None:
            return None
        try:
            return serving.load(self.database, champion)
        except BrokenArtifact as error:
            self.log(
                f"training without comparison to the champion: {str(error).removesuffix('.')}"
            )
            return None

    def _candidate(
        self,
        origin: str | None,
        split: SplitDataset,
        fit: _FitResult,
        fingerprint: TrainingFingerprint,
        seconds: float,
        counts: DatasetCounts | None,
    ) -> model_store.CandidateModel:
        if self.snapshot is not None:
            fit.stored["feature_schema"]["snapshot"] = self.snapshot.as_json()
        return model_store.CandidateModel(
            created_at=self.clock.now(),
            task=self.config.task,
            estimator=self.config.estimator,
            params=dict(self.config.params),
            training_config=self.config.as_json(),
            data_fingerprint=fingerprint.data,
            origin=origin,
            seconds=seconds,
            metrics=report.headline_metrics(fit.evaluation.metrics),
            versions=fingerprint.versions,
            track_counts={}
            if counts is None
            else left_out_tracks.of_training(
                split.left_out_by_reason(),
                int(split.train_mask.sum()),
                tracks=counts.tracks,
                labelled=counts.labelled,
                allowed=dataset.count_allowed(self.database, self.config),
                config=self.config,
            ),
            **fit.stored,
        )

    def _store(
        self,
        candidate: model_store.CandidateModel,
        split: SplitDataset,
        fit: _FitResult,
        champion: StoredModel | None,
    ) -> int:
        request = None
        if fit.out_of_fold is not None:
            genres, probabilities = serving.top_k(fit.out_of_fold, np.arange(len(split.classes)))
            seen = split.seen_artist[split.train_mask]
            predictions = prediction_store.PredictionBatch(
                split.train_ids, genres, probabilities, seen, in_training=True
            )
            request = model_store.PromotionRequest(predictions, champion.id if champion else None)
        return model_store.store_model(
            self.database,
            candidate,
            fit.evaluation.metrics,
            fit.evaluation.confusions,
            fit.evaluation.decision,
            request,
            fit.epochs,
            self._test_predictions(split, fit.evaluation),
        )

    def _test_predictions(
        self, split: SplitDataset, evaluation: Evaluation
    ) -> prediction_store.PredictionBatch | None:
        """Return the first prediction for each test track, to compare models on them."""
        chosen = split.held_out("test")
        if self.snapshot is not None or not chosen.any():
            return None
        shares = evaluation.test.probabilities
        first = shares.argmax(axis=1)[:, np.newaxis]
        return prediction_store.PredictionBatch(
            split.ids[chosen],
            first,
            np.take_along_axis(shares, first, axis=1).clip(0.0, 1.0),
            split.seen_artist[chosen],
            in_training=False,
        )


def _check_same_question(config: TrainingConfig, champion: StoredModel | None) -> None:
    """Raise `BadTrainingConfig` if models of one task would have different tasks."""
    if config.task == DEFAULT_TASK and config.level != LEVELS[0]:
        raise BadTrainingConfig(
            f"The task {DEFAULT_TASK!r} predicts the genres that tracks have: name another task "
            "for broad genres, as in --task broad."
        )
    if config.task == DEFAULT_TASK and config.split != SPLITS[0]:
        raise BadTrainingConfig(
            f"The task {DEFAULT_TASK!r} is evaluated on the frozen folds: name another task for "
            "the published split, as in --task official."
        )
    if champion is not None and not TrainingConfig.from_model(champion).same_question(config):
        used = TrainingConfig.from_model(champion)
        raise BadTrainingConfig(
            f"The task {config.task!r} predicts {used.level} genres (mapping "
            f"{used.mapping or 'by default'}, unmapped {used.unmapped}, {used.split} split): "
            "train with the same options, or name another task."
        )

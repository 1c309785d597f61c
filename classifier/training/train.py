"""Train a model: load, fit, evaluate, decide, store. Nothing is computed inside a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from classifier import estimators, threads
from classifier.data import audio_joins, dataset, soft_labels
from classifier.data import training_data as selecting
from classifier.data.dataset import Database, RawDataset
from classifier.data.training_data import SplitDataset
from classifier.errors import BadTrainingConfig, BrokenArtifact, SameTrainingRunning
from classifier.evaluation import report
from classifier.features import groups
from classifier.ports import Estimator, ReportsEpochs
from classifier.records import Epoch, PromotionDecision, StoredModel
from classifier.registry import artifacts, model_store, retention, stored_models
from classifier.serving import champion as serving
from classifier.training import out_of_fold as outoffold
from classifier.training.evaluate import Evaluation, evaluate
from classifier.training.snapshots import TrainingSnapshot
from classifier.training_config import DEFAULT_TASK, LEVELS, SPLITS, TrainingConfig, train_job_name
from genrebase.progress import MessageCallback
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.runtime.db_retry import retry_until_available


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training came to."""

    model: StoredModel
    nothing_new: bool = False
    """Same tracks, parameters and code as `model`, which stands as it is."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Genres with too few tracks, and how many they have."""
    unmapped: dict[str, int] = field(default_factory=dict)
    """Genres that the mapping does not know, and how many tracks they have."""
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return what `train --json` shows."""
        return {
            **self.model.as_json(),
            "nothing_new": self.nothing_new,
            "left_out": self.left_out,
            "unmapped": self.unmapped,
            "warnings": list(self.warnings),
        }


def run(
    database: Database,
    choice: TrainingConfig,
    clock: Clock,
    *,
    log: MessageCallback,
    cores: int | None = None,
    again: bool = False,
    snapshot: TrainingSnapshot | None = None,
    keep_last: int = retention.DEFAULT_KEEP_LAST,
) -> TrainResult:
    """Train what `choice` asks for, and write down that it was done.

    With `again` also where nothing is new. On `frozen` rows it repeats figures: such a model is
    stored with them, and never competes. Raise `TooFewTracks`, `BadTrainingConfig`, `BadParameter` or
    `UnknownPlugin` where it cannot be; then nothing but the `job_run` row is written. One training
    at a time: raise `AlreadyRuns` beside another, `SameTrainingRunning` beside one of the same question.
    """
    name = train_job_name(choice.task) + ("" if snapshot is None else " (snapshot)")
    if snapshot is None:
        choice = audio_joins.resolve_features(database, choice)
    with _alone(database, name, choice, clock) as job:
        done = _run(database, choice, clock, log, cores, job, again=again, frozen=snapshot)
        job.set_facts(model=done.model.id, status=done.model.status, rows=done.model.trained_rows)
        if done.nothing_new:
            job.set_outcome("nothing_new")
        else:
            pruned = retention.prune(database, choice.task, keep_last=keep_last)
            job.set_facts(given_up=pruned.dropped_artifacts)
        return done


@contextmanager
def _alone(
    database: Database, name: str, choice: TrainingConfig, clock: Clock
) -> Iterator[jobs.RunRecorder]:
    asked = {"estimator": choice.estimator, "params": dict(choice.params), **choice.as_json()}
    facts = {"asked": asked}
    try:
        entered = jobs.job_run(database, clock, name, exclusive=True, facts=facts)
        with entered as job:
            yield job
    except jobs.AlreadyRunning as error:
        if error.run.job == name and error.run.counts.get("asked") == asked:
            raise SameTrainingRunning(f"{error} It trains what was asked for here.") from error
        raise


def _run(
    database: Database,
    choice: TrainingConfig,
    clock: Clock,
    tell: MessageCallback,
    cores: int | None,
    job: jobs.RunRecorder,
    *,
    again: bool,
    frozen: TrainingSnapshot | None,
) -> TrainResult:
    began = clock.monotonic()
    asked = estimators.build(choice, threads=1)  # a wrong name is refused before the loading
    tell("reading the tracks")
    found = dataset.load_dataset(database, choice) if frozen is None else frozen.dataset
    if frozen is None:
        job.set_facts(labelled=len(found.tracks))
    champion = stored_models.find_champion(database, choice.task) if frozen is None else None
    _check_question(choice, champion)
    selection = selecting.split_dataset(
        found, choice, champion_genres=champion.classes if champion else ()
    )
    recipe = _recipe(choice, selection, asked)
    told: dict[str, Any] = {"left_out": dict(selection.left_out)}
    told["unmapped"] = dict(selection.unmapped)
    unheard = selecting.missing_audio_warning(selection, choice)
    warnings = () if unheard is None else (unheard,)
    job.set_facts(**({} if unheard is None else {"warning": unheard}))
    if not again:
        same = _same(database, choice, recipe, frozen)
        if same is not None:
            return TrainResult(same, nothing_new=True, warnings=warnings, **told)
    workers = threads.thread_count(len(selection.tracks), len(selection.classes), cores)
    with threads.limit_threads(workers):
        estimator = estimators.build(choice, threads=workers)
        made = _make(database, selection, estimator, champion, choice, tell, frozen)
    seconds = clock.monotonic() - began
    candidate = _candidate(found, choice, selection, made, recipe, clock, seconds)
    if frozen is not None:
        schema = {**candidate.feature_schema, "snapshot": frozen.as_json()}
        candidate = replace(candidate, feature_schema=schema)
    number = retry_until_available(
        clock, lambda: _store(database, candidate, made, champion, selection)
    )
    return TrainResult(
        stored_models.model(database, number), warnings=(*warnings, *made.judged.warnings), **told
    )


def _check_question(choice: TrainingConfig, champion: StoredModel | None) -> None:
    """Raise `BadTrainingConfig` where models of one task would answer different questions."""
    if choice.task == DEFAULT_TASK and choice.level != LEVELS[0]:
        raise BadTrainingConfig(
            f"The task {DEFAULT_TASK!r} answers with the genres that tracks carry: name another one "
            "for broad genres, as in --task broad."
        )
    if choice.task == DEFAULT_TASK and choice.split != SPLITS[0]:
        raise BadTrainingConfig(
            f"The task {DEFAULT_TASK!r} is judged on the frozen folds: name another one for the "
            "published split, as in --task official."
        )
    if champion is not None and not TrainingConfig.from_model(champion).same_question(choice):
        told = champion.training_config
        raise BadTrainingConfig(
            f"The task {choice.task!r} tells apart {told['level']} genres "
            f"(mapping {told['mapping'] or 'by default'}, unmapped {told['unmapped']}, "
            f"{told.get('split', SPLITS[0])} split): "
            "train with the same, or name another task."
        )


@dataclass(frozen=True, slots=True)
class _Made:
    """What the computing came to."""

    fitted: Estimator
    judged: Evaluation
    artifact: bytes
    out_of_fold: NDArray[np.float64] | None
    """Answers about the tracks it learned from; only a champion needs them."""
    epochs: tuple[Epoch, ...] = ()
    """Of an estimator that learns by epochs."""


def _make(
    database: Database,
    selection: SplitDataset,
    estimator: Estimator,
    champion: StoredModel | None,
    choice: TrainingConfig,
    tell: MessageCallback,
    frozen: TrainingSnapshot | None,
) -> _Made:
    learned, validation = selection.train_mask, selection.validation()
    frame, learning = selection.tracks[learned], selection.training_set()
    tell(f"learning {len(selection.classes)} genres from {len(frame):,} tracks")
    fresh: Estimator = clone(estimator)
    epochs = record_epochs(fresh, tell)
    fitted = soft_labels.fit(fresh, learning, validation)
    tell("evaluating")
    rival = _rival(database, champion, tell)
    judged = evaluate(selection, fitted, estimator, rival, choice)
    if frozen is not None:
        reason = f"Learned from the frozen rows of {frozen.name}: it repeats figures."
        judged = replace(judged, decision=PromotionDecision("rejected", reason))
    artifact = artifacts.serialise(artifacts.ModelArtifact(fitted, selection.train_ids))
    artifacts.deserialise(artifact)  # what cannot be loaded again is not worth storing
    out_of_fold = None
    if judged.decision.status == "champion":
        classes = np.asarray(selection.classes)
        out_of_fold = outoffold.predict_out_of_fold(
            estimator, frame, learning, validation, classes, tell
        )
    return _Made(fitted, judged, artifact, out_of_fold, tuple(epochs))


def record_epochs(estimator: Estimator, tell: MessageCallback) -> list[Epoch]:
    """Return where the epochs of the estimator's next `fit` will stand, each told when over."""
    epochs: list[Epoch] = []

    def listener(epoch: Epoch) -> None:
        epochs.append(epoch)
        share = epoch.validation_accuracy
        held = "" if share is None else f", {share:.3f} of the validation tracks right"
        tell(f"epoch {epoch.epoch}: loss {epoch.train_loss:.3f}{held}")

    if isinstance(estimator, ReportsEpochs):
        estimator.on_epoch(listener)
    return epochs


def _rival(
    database: Database, champion: StoredModel | None, tell: MessageCallback
) -> serving.LoadedModel | None:
    if champion is None:
        return None
    try:
        return serving.load(database, champion)
    except BrokenArtifact as error:
        tell(f"going on without a champion to beat: {error}")
        return None


def _recipe(
    choice: TrainingConfig, selection: SplitDataset, estimator: Estimator
) -> dict[str, Any]:
    """Return what makes a training this one and no other, as it is stored."""
    return {
        "choice": choice.as_json(),
        "data": selecting.fingerprint(selection),
        "versions": {**artifacts.versions(estimator), "code": artifacts.code_fingerprint()},
    }


def _same(
    database: Database,
    choice: TrainingConfig,
    recipe: dict[str, Any],
    frozen: TrainingSnapshot | None,
) -> StoredModel | None:
    """Return the model that this training would only make again."""
    rows = None if frozen is None else frozen.as_json()
    for model in stored_models.models(database, choice.task):
        same = (
            model.estimator == choice.estimator
            and model.params == dict(choice.params)
            and model.training_config == recipe["choice"]
            and model.data_fingerprint == recipe["data"]
            and model.versions == recipe["versions"]
            and model.feature_schema.get("snapshot") == rows
            and model.status != "refit"
        )
        if same and (model.status != "champion" or _usable(database, model)):
            return model
    return None


def _usable(database: Database, model: StoredModel) -> bool:
    try:
        serving.load(database, model)
    except BrokenArtifact:
        return False
    return True


def _candidate(
    found: RawDataset,
    choice: TrainingConfig,
    selection: SplitDataset,
    made: _Made,
    recipe: dict[str, Any],
    clock: Clock,
    seconds: float,
) -> model_store.CandidateModel:
    columns = groups.columns(
        estimators.usable_groups(made.fitted, choice.features), selection.tracks
    )
    learned = selection.tracks[selection.train_mask]
    return model_store.CandidateModel(
        created_at=clock.now(),
        task=choice.task,
        estimator=choice.estimator,
        params=dict(choice.params),
        training_config=recipe["choice"],
        feature_schema={
            "columns": columns,
            "classes": list(selection.classes),
        },
        data_fingerprint=recipe["data"],
        origin=found.origin,
        trained_rows=int(selection.train_mask.sum()),
        seconds=seconds,
        artifact=made.artifact,
        artifact_sha256=artifacts.checksum(made.artifact),
        metrics=report.headline_metrics(made.judged.metrics),
        versions=recipe["versions"],
        golden_rows=artifacts.golden_predictions(made.fitted, learned, columns),
    )


def _store(
    database: Database,
    candidate: model_store.CandidateModel,
    made: _Made,
    champion: StoredModel | None,
    selection: SplitDataset,
) -> int:
    claim = None
    if made.out_of_fold is not None:
        places = np.arange(len(selection.classes))
        genres, probabilities = serving.top_k(made.out_of_fold, places)
        answers = model_store.PredictionBatch(
            selection.train_ids,
            genres,
            probabilities,
            selection.seen_artist[selection.train_mask],
            in_training=True,
        )
        claim = model_store.PromotionRequest(answers, None if champion is None else champion.id)
    return model_store.store_model(
        database,
        candidate,
        made.judged.metrics,
        made.judged.confusions,
        made.judged.decision,
        claim,
        made.epochs,
    )

"""Fit the champion's recipe on the test tracks too: to serve, not to judge.

What was held out to be tested on is learned from here, so nothing is left to measure it on: it
carries the figures of its parent, named so, and never competes. The validation sides still end
the learning and weigh the experts, as the recipe wants it.
"""

from dataclasses import replace
from typing import Any

from classifier import estimators, threads
from classifier.data import dataset, soft_labels
from classifier.data import training_data as selecting
from classifier.data.dataset import Database
from classifier.data.training_data import SplitDataset
from classifier.errors import TooFewTracks
from classifier.features import groups
from classifier.ports import Estimator
from classifier.records import Epoch, PromotionDecision, StoredModel
from classifier.registry import artifacts, model_store, stored_models
from classifier.training import train
from classifier.training_config import TrainingConfig, train_job_name
from genrebase.progress import MessageCallback
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock


def run(
    database: Database, task: str, clock: Clock, *, log: MessageCallback, cores: int | None = None
) -> StoredModel:
    """Store and return a refit of the champion of `task`.

    Where the champion was refitted on the same tracks by the same code, return that one. Raise
    `NoChampion`, `TooFewTracks` where the champion's genres are no longer there, or `AlreadyRuns`
    beside another training.
    """
    name = f"{train_job_name(task)} (refit)"
    with jobs.job_run(database, clock, name, exclusive=True) as job:
        began = clock.monotonic()
        parent = stored_models.champion(database, task)
        choice = replace(
            TrainingConfig.from_model(parent), genres=parent.classes, exclude=(), min_tracks=2
        )
        log("reading the tracks")
        found = dataset.load_dataset(database, choice)
        selection = with_test_tracks(selecting.split_dataset(found, choice), choice)
        if selection.classes != parent.classes:
            raise TooFewTracks(
                f"Genres of model {parent.id} have too few tracks by now: "
                "train again with `classifier train`."
            )
        recipe = {
            "data": selecting.fingerprint(selection),
            "versions": {
                **artifacts.versions(estimators.build(choice, threads=1)),
                "code": artifacts.code_fingerprint(),
            },
        }
        model = _same(database, parent, recipe)
        if model is not None:
            job.set_outcome("nothing_new")
            return model
        log(f"learning from {int(selection.train_mask.sum()):,} tracks")
        fitted, epochs = _fitted(selection, choice, cores, log)
        seconds = clock.monotonic() - began
        candidate = _candidate(parent, selection, fitted, recipe, clock, seconds)
        reason = (
            f"Recipe of model {parent.id} on all labelled tracks but the validation ones; its "
            "figures are not its own."
        )
        decision = PromotionDecision("refit", reason)
        number = model_store.store_model(database, candidate, (), (), decision, None, epochs)
        job.set_facts(model=number, parent=parent.id, rows=candidate.trained_rows)
        return stored_models.model(database, number)


def with_test_tracks(selection: SplitDataset, choice: TrainingConfig) -> SplitDataset:
    """Return a selection that learns from every side but the validation sides."""
    kept = selection.in_task & ~selection.held_out("validation")
    learned = selecting.subsample(selection.tracks, selection.labels, kept, choice)
    return replace(selection, train_mask=learned)


def _same(database: Database, parent: StoredModel, recipe: dict[str, Any]) -> StoredModel | None:
    for model in stored_models.models(database, parent.task):
        same = (
            model.status == "refit"
            and model.parent_id == parent.id
            and model.data_fingerprint == recipe["data"]
            and model.versions == recipe["versions"]
        )
        if same and model.artifact_sha256 is not None:
            return model
    return None


def _fitted(
    selection: SplitDataset, choice: TrainingConfig, cores: int | None, tell: MessageCallback
) -> tuple[Estimator, list[Epoch]]:
    workers = threads.thread_count(len(selection.tracks), len(selection.classes), cores)
    with threads.limit_threads(workers):
        estimator = estimators.build(choice, threads=workers)
        epochs = train.record_epochs(estimator, tell)
        fitted = soft_labels.fit(estimator, selection.training_set(), selection.validation())
        return fitted, epochs


def _candidate(
    parent: StoredModel,
    selection: SplitDataset,
    fitted: Estimator,
    recipe: dict[str, Any],
    clock: Clock,
    seconds: float,
) -> model_store.CandidateModel:
    artifact = artifacts.serialise(artifacts.ModelArtifact(fitted, selection.train_ids))
    artifacts.deserialise(artifact)  # what cannot be loaded again is not worth storing
    looked_at = estimators.usable_groups(fitted, tuple(parent.training_config["features"]))
    columns = groups.columns(looked_at, selection.tracks)
    return model_store.CandidateModel(
        created_at=clock.now(),
        task=parent.task,
        estimator=parent.estimator,
        params=parent.params,
        training_config=parent.training_config,
        feature_schema={"columns": columns, "classes": list(selection.classes)},
        data_fingerprint=recipe["data"],
        origin=parent.origin,
        trained_rows=int(selection.train_mask.sum()),
        seconds=seconds,
        artifact=artifact,
        artifact_sha256=artifacts.checksum(artifact),
        metrics={**parent.metrics, "of_model": parent.id},
        versions=recipe["versions"],
        golden_rows=artifacts.golden_predictions(
            fitted, selection.tracks[selection.train_mask], columns
        ),
        parent_id=parent.id,
    )

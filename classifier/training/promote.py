"""Promote a model to champion by hand: a former champion (rollback) or a rejected model."""

import numpy as np

from classifier import estimators, threads
from classifier.data import dataset, regimes, soft_labels, training_data, vote_shares
from classifier.data.dataset import Database
from classifier.data.soft_labels import TrainingSet
from classifier.errors import BadTrainingConfig, ClassifierError, NoChampion
from classifier.model_records import StoredModel
from classifier.registry import model_store, prediction_store, retention, stored_models
from classifier.serving import champion as serving
from classifier.training import model_comparisons, out_of_fold_predictions
from classifier.training_config import DEFAULT_TASK, SOFT_LABELS, TrainingConfig
from genrebase.errors import UserError
from genrebase.progress import MessageCallback
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.store import tables

_VALIDATION_SIDES = tuple(side for side in tables.SIDES if side.startswith("validation"))


def run(
    database: Database,
    number: int,
    clock: Clock,
    *,
    log: MessageCallback,
    cores: int | None = None,
) -> StoredModel:
    """Promote model `number` and return it.

    Raise `BrokenArtifact`, or `UserError` without the model or if only its metrics were kept.
    """
    with jobs.job_run(database, clock, "promote") as job:
        model = stored_models.model(database, number)
        job.set_facts(model=number)
        if model.status == "champion":
            job.set_outcome("nothing_new")
            return model
        _check_promotable(model)
        champion = stored_models.find_champion(database, model.task)
        loaded = serving.load(database, model)
        predictions = None
        if model.status != "retired" or not prediction_store.has_all_ranks(database, number):
            predictions = _out_of_fold(database, loaded, log, cores)
        request = model_store.PromotionRequest(
            predictions, None if champion is None else champion.id
        )
        reason, now = "Promoted by hand.", clock.now()
        model_store.promote(database, number, model.task, reason, now, request)
        model_comparisons.update(database, model.task, clock)
        return stored_models.model(database, number)


def rollback(
    database: Database,
    clock: Clock,
    *,
    log: MessageCallback,
    task: str = DEFAULT_TASK,
    cores: int | None = None,
) -> StoredModel:
    """Promote the champion before the present one; raise `NoChampion` without one."""
    stored_models.require_task(database, task)
    previous = retention.previous_champions(stored_models.models(database, task))
    if not previous:
        raise NoChampion(f"The task {task!r} had no champion before this one.")
    return run(database, previous[0].id, clock, log=log, cores=cores)


def _check_promotable(model: StoredModel) -> None:
    """Raise `BadTrainingConfig` for a model that cannot be evaluated as champion."""
    if model.status == "refit":
        raise BadTrainingConfig(
            f"Model {model.id} is a refit of model {model.parent_id} and has no metrics of its "
            f"own: promote {model.parent_id}."
        )
    if "snapshot" in model.feature_schema:
        raise BadTrainingConfig(
            f"Model {model.id} was trained on a snapshot, not on the rows of this database: "
            "train the same config here, without --snapshot."
        )
    if not model.has_artifact:
        raise UserError(
            f"Model {model.id} cannot predict: only its metrics were kept. `classifier models` "
            "shows which models are kept whole; `classifier pin ID` keeps one for good."
        )


def _out_of_fold(
    database: Database, loaded: serving.LoadedModel, log: MessageCallback, cores: int | None
) -> prediction_store.PredictionBatch:
    """Return predictions for the training tracks of a model, made by refits without them."""
    model, config = loaded.model, TrainingConfig.from_model(loaded.model)
    train_ids = loaded.artifact.train_ids
    data = dataset.load_dataset(database, config, also=train_ids)
    labelled = training_data.labelled_rows(data, config)
    tracks, labels = labelled.tracks, labelled.tracks["label"].to_numpy(dtype=str)
    of_model = np.isin(labels, model.classes)
    train = np.isin(regimes.ids_of(tracks), train_ids) & of_model
    if not train.any():
        raise ClassifierError(
            f"No track that model {model.id} was trained on is left: "
            "train again with `classifier train`."
        )
    held_out = np.isin(tracks["side"].to_numpy(dtype=str), _VALIDATION_SIDES) & of_model
    validation = (tracks[held_out], labels[held_out]) if held_out.any() else None
    training_set = TrainingSet(tracks[train], labels[train])
    if config.labels == SOFT_LABELS:
        by_genre = labelled.tracks_by_genre()
        training_set = soft_labels.expand_soft_labels(
            tracks[train],
            labels[train],
            {genre: by_genre[genre] for genre in model.classes if genre in by_genre},
            vote_shares.of_tracks(data, tracks[train], labelled.renamed, model.classes),
        )
    n_threads = threads.thread_count(len(tracks), len(model.classes), cores)
    with threads.limit_threads(n_threads):
        probabilities = out_of_fold_predictions.predict_out_of_fold(
            estimators.build(config, threads=n_threads),
            tracks[train],
            training_set,
            validation,
            np.asarray(model.classes),
            log,
        )
    genres, best = serving.top_k(probabilities, loaded.genre_ids)
    ids = regimes.ids_of(tracks[train])
    seen = regimes.has_seen_artist(ids, data.credits, train_ids)
    return prediction_store.PredictionBatch(ids, genres, best, seen, in_training=True)

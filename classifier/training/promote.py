"""Make a model champion by hand: one that was before (rollback), or one that was rejected."""

import numpy as np

from classifier import estimators, threads
from classifier.data import dataset, published_split, regimes, soft_labels
from classifier.data.dataset import Database
from classifier.data.genre_mapping import apply_label_policy
from classifier.data.soft_labels import TrainingSet
from classifier.errors import ArtifactDropped, BadTrainingConfig, ClassifierError, NoChampion
from classifier.records import StoredModel
from classifier.registry import model_store, retention, stored_models
from classifier.serving import champion as serving
from classifier.training import out_of_fold
from classifier.training_config import DEFAULT_TASK, SOFT_LABELS, TrainingConfig
from genrebase.progress import MessageCallback
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.store import tables


def run(
    database: Database,
    number: int,
    clock: Clock,
    *,
    log: MessageCallback,
    cores: int | None = None,
) -> StoredModel:
    """Crown model `number`; return it.

    Raise `UnknownModel`, `ArtifactDropped` for one that retention left only the figures of, or
    `BrokenArtifact`.
    """
    with jobs.job_run(database, clock, "promote") as job:
        model = stored_models.model(database, number)
        job.set_facts(model=number)
        if model.status == "champion":
            job.set_outcome("nothing_new")
            return model
        _check(model)
        if model.artifact_sha256 is None:
            raise ArtifactDropped(
                f"Model {number} cannot answer: only its figures were kept. `classifier models` "
                "shows which are kept whole; `classifier pin ID` keeps one whatever comes."
            )
        champion = stored_models.find_champion(database, model.task)
        loaded = serving.load(database, model)
        answers = None
        if model.status != "retired":  # who was champion before has them
            answers = _out_of_fold(database, loaded, log, cores)
        claim = model_store.PromotionRequest(answers, None if champion is None else champion.id)
        model_store.promote(database, number, model.task, "Promoted by hand.", clock.now(), claim)
        return stored_models.model(database, number)


def rollback(
    database: Database,
    clock: Clock,
    *,
    log: MessageCallback,
    task: str = DEFAULT_TASK,
    cores: int | None = None,
) -> StoredModel:
    """Crown the champion before the present one again; raise `NoChampion` where none was."""
    before = retention.previous_champions(stored_models.models(database, task))
    if not before:
        raise NoChampion(f"No model was champion of the task {task!r} before this one.")
    return run(database, before[0].id, clock, log=log, cores=cores)


def _check(model: StoredModel) -> None:
    """Raise `BadTrainingConfig` for a model that nobody could judge as champion."""
    if model.status == "refit":
        raise BadTrainingConfig(
            f"Model {model.id} is a refit of model {model.parent_id} and has no figures of its "
            f"own: promote {model.parent_id}."
        )
    if "snapshot" in model.feature_schema:
        raise BadTrainingConfig(
            f"Model {model.id} learned from frozen rows, not from this database's: "
            "train the same here, without --snapshot."
        )


def _out_of_fold(
    database: Database, champion: serving.LoadedModel, tell: MessageCallback, cores: int | None
) -> model_store.PredictionBatch:
    """Return answers about the tracks that a model learned from, by refits."""
    model, choice = champion.model, TrainingConfig.from_model(champion.model)
    found = dataset.load_dataset(database, choice)
    if choice.split == "official":
        found = published_split.apply_published_split(found)
    asked = apply_label_policy(found.tracks, found.sightings, found.mappings, choice)
    tracks = asked.tracks
    ids = tracks["track_id"].to_numpy(dtype=np.int64)
    labels = tracks["label"].to_numpy(dtype=str)
    known = np.isin(labels, model.classes)
    learned = np.isin(ids, champion.artifact.train_ids) & known
    if not learned.any():
        raise ClassifierError(
            f"None of the tracks that model {model.id} learned from is there any more: "
            "train again with `classifier train`."
        )
    held = np.isin(tracks["side"].to_numpy(dtype=str), _VALIDATION) & known
    validation = (tracks[held], labels[held]) if held.any() else None
    workers = threads.thread_count(len(ids), len(model.classes), cores)
    with threads.limit_threads(workers):
        estimator = estimators.build(choice, threads=workers)
        learning = TrainingSet(tracks[learned], labels[learned])
        if choice.labels == SOFT_LABELS:
            under = asked.sightings[asked.sightings["genre"].isin(model.classes)].groupby("genre")
            learning = soft_labels.expand_soft_labels(
                learning.frame,
                learning.labels,
                {str(genre): rows.to_numpy(dtype=np.int64) for genre, rows in under["track_id"]},
            )
        shares = out_of_fold.predict_out_of_fold(
            estimator,
            tracks[learned],
            learning,
            validation,
            np.asarray(model.classes),
            tell,
        )
    genres, probabilities = serving.top_k(shares, champion.genre_ids)
    seen = regimes.has_seen_artist(
        ids[learned],
        found.credits["track_id"].to_numpy(dtype=np.int64),
        found.credits["artist_id"].to_numpy(dtype=np.int64),
        champion.artifact.train_ids,
    )
    return model_store.PredictionBatch(ids[learned], genres, probabilities, seen, in_training=True)


_VALIDATION = tuple(side for side in tables.SIDES if side.startswith("validation"))

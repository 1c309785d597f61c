"""Train a model: load, fit, evaluate, decide, store. Nothing is computed inside a transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from classifier import estimators, threads
from classifier.data import audio_joins, dataset, soft_labels
from classifier.data import training_data as selecting
from classifier.data.dataset import Database, Snapshot
from classifier.data.training_data import Selection
from classifier.errors import BadChoice, BrokenArtifact, SameUnderWay
from classifier.evaluation import report
from classifier.features import groups
from classifier.ports import ByEpochs, Estimator
from classifier.records import LEVELS, MAIN, SPLITS, Choice, Decision, Epoch, StoredModel
from classifier.registry import artifacts, model_store, retention
from classifier.serving import champion as serving
from classifier.training import out_of_fold as outoffold
from classifier.training.evaluate import Judged, judge
from classifier.training.snapshots import Frozen
from genrebase.runtime import jobs
from genrebase.runtime.clock import Clock
from genrebase.runtime.db_retry import outlast

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
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


def job_name(task: str) -> str:
    """Return the name of the job in `job_run`."""
    return "train" if task == MAIN else f"train {task}"


def run(
    database: Database,
    choice: Choice,
    clock: Clock,
    *,
    tell: Tell,
    cores: int | None = None,
    again: bool = False,
    frozen: Frozen | None = None,
    remembered: int = retention.REMEMBERED,
) -> Trained:
    """Train what `choice` asks for, and write down that it was done.

    With `again` also where nothing is new. On `frozen` rows it repeats figures: such a model is
    stored with them, and never competes. Raise `TooFewTracks`, `BadChoice`, `BadParameter` or
    `UnknownPlugin` where it cannot be; then nothing but the `job_run` row is written. One training
    at a time: raise `AlreadyRuns` beside another, `SameUnderWay` beside one of the same question.
    """
    name = job_name(choice.task) + ("" if frozen is None else " (snapshot)")
    if frozen is None:
        choice = audio_joins.settled(database, choice)
    with _alone(database, name, choice, clock) as job:
        done = _run(database, choice, clock, tell, cores, job, again=again, frozen=frozen)
        job.note(model=done.model.id, status=done.model.status, rows=done.model.trained_rows)
        if done.nothing_new:
            job.outcome("nothing_new")
        else:
            pruned = retention.prune(database, choice.task, remembered=remembered)
            job.note(given_up=pruned.given_up)
        return done


@contextmanager
def _alone(database: Database, name: str, choice: Choice, clock: Clock) -> Iterator[jobs.Run]:
    asked = {"estimator": choice.estimator, "params": dict(choice.params), **choice.as_json()}
    facts = {"asked": asked}
    try:
        entered = jobs.job_run(database, clock, name, alone=True, facts=facts)
        with entered as job:
            yield job
    except jobs.AlreadyRuns as error:
        if error.run.job == name and error.run.counts.get("asked") == asked:
            raise SameUnderWay(f"{error} It trains what was asked for here.") from error
        raise


def _run(
    database: Database,
    choice: Choice,
    clock: Clock,
    tell: Tell,
    cores: int | None,
    job: jobs.Run,
    *,
    again: bool,
    frozen: Frozen | None,
) -> Trained:
    began = clock.monotonic()
    asked = estimators.build(choice, threads=1)  # a wrong name is refused before the loading
    tell("reading the tracks")
    found = dataset.snapshot(database, choice) if frozen is None else frozen.found
    if frozen is None:
        job.note(labelled=len(found.tracks))
    champion = dataset.find_champion(database, choice.task) if frozen is None else None
    _check_question(choice, champion)
    selection = selecting.select(found, choice, also=champion.classes if champion else ())
    recipe = _recipe(choice, selection, asked)
    told: dict[str, Any] = {"left_out": dict(selection.left_out)}
    told["unmapped"] = dict(selection.unmapped)
    unheard = selecting.unheard(selection, choice)
    warnings = () if unheard is None else (unheard,)
    job.note(**({} if unheard is None else {"warning": unheard}))
    if not again:
        same = _same(database, choice, recipe, frozen)
        if same is not None:
            return Trained(same, nothing_new=True, warnings=warnings, **told)
    workers = threads.fitting(len(selection.tracks), len(selection.classes), cores)
    with threads.capped(workers):
        estimator = estimators.build(choice, threads=workers)
        made = _make(database, selection, estimator, champion, choice, tell, frozen)
    seconds = clock.monotonic() - began
    candidate = _candidate(found, choice, selection, made, recipe, clock, seconds)
    if frozen is not None:
        schema = {**candidate.feature_schema, "snapshot": frozen.as_json()}
        candidate = replace(candidate, feature_schema=schema)
    number = outlast(clock, lambda: _store(database, candidate, made, champion, selection))
    return Trained(
        dataset.model(database, number), warnings=(*warnings, *made.judged.warnings), **told
    )


def _check_question(choice: Choice, champion: StoredModel | None) -> None:
    """Raise `BadChoice` where models of one task would answer different questions."""
    if choice.task == MAIN and choice.level != LEVELS[0]:
        raise BadChoice(
            f"The task {MAIN!r} answers with the genres that tracks carry: name another one "
            "for broad genres, as in --task broad."
        )
    if choice.task == MAIN and choice.split != SPLITS[0]:
        raise BadChoice(
            f"The task {MAIN!r} is judged on the frozen folds: name another one for the "
            "published split, as in --task official."
        )
    if champion is not None and not Choice.of(champion).asks_like(choice):
        told = champion.choice
        raise BadChoice(
            f"The task {choice.task!r} tells apart {told['level']} genres "
            f"(mapping {told['mapping'] or 'by default'}, unmapped {told['unmapped']}, "
            f"{told.get('split', SPLITS[0])} split): "
            "train with the same, or name another task."
        )


@dataclass(frozen=True, slots=True)
class _Made:
    """What the computing came to."""

    fitted: Estimator
    judged: Judged
    artifact: bytes
    out_of_fold: NDArray[np.float64] | None
    """Answers about the tracks it learned from; only a champion needs them."""
    epochs: tuple[Epoch, ...] = ()
    """Of an estimator that learns by epochs."""


def _make(
    database: Database,
    selection: Selection,
    estimator: Estimator,
    champion: StoredModel | None,
    choice: Choice,
    tell: Tell,
    frozen: Frozen | None,
) -> _Made:
    learned, validation = selection.learned, selection.validation()
    frame, learning = selection.tracks[learned], selection.learning()
    tell(f"learning {len(selection.classes)} genres from {len(frame):,} tracks")
    fresh: Estimator = clone(estimator)
    epochs = heard(fresh, tell)
    fitted = soft_labels.fit(fresh, learning, validation)
    tell("evaluating")
    rival = _rival(database, champion, tell)
    judged = judge(selection, fitted, estimator, rival, choice)
    if frozen is not None:
        reason = f"Learned from the frozen rows of {frozen.name}: it repeats figures."
        judged = replace(judged, decision=Decision("rejected", reason))
    artifact = artifacts.pack(artifacts.Packed(fitted, selection.learned_ids))
    artifacts.unpack(artifact)  # what cannot be loaded again is not worth storing
    out_of_fold = None
    if judged.decision.status == "champion":
        classes = np.asarray(selection.classes)
        out_of_fold = outoffold.answers(estimator, frame, learning, validation, classes, tell)
    return _Made(fitted, judged, artifact, out_of_fold, tuple(epochs))


def heard(estimator: Estimator, tell: Tell) -> list[Epoch]:
    """Return where the epochs of the estimator's next `fit` will stand, each told when over."""
    epochs: list[Epoch] = []

    def listener(epoch: Epoch) -> None:
        epochs.append(epoch)
        share = epoch.validation_accuracy
        held = "" if share is None else f", {share:.3f} of the validation tracks right"
        tell(f"epoch {epoch.epoch}: loss {epoch.train_loss:.3f}{held}")

    if isinstance(estimator, ByEpochs):
        estimator.listen(listener)
    return epochs


def _rival(
    database: Database, champion: StoredModel | None, tell: Tell
) -> serving.Champion | None:
    if champion is None:
        return None
    try:
        return serving.load(database, champion)
    except BrokenArtifact as error:
        tell(f"going on without a champion to beat: {error}")
        return None


def _recipe(choice: Choice, selection: Selection, estimator: Estimator) -> dict[str, Any]:
    """Return what makes a training this one and no other, as it is stored."""
    return {
        "choice": choice.as_json(),
        "data": selecting.fingerprint(selection),
        "versions": {**artifacts.versions(estimator), "code": artifacts.code_fingerprint()},
    }


def _same(
    database: Database, choice: Choice, recipe: dict[str, Any], frozen: Frozen | None
) -> StoredModel | None:
    """Return the model that this training would only make again."""
    rows = None if frozen is None else frozen.as_json()
    for model in dataset.models(database, choice.task):
        same = (
            model.estimator == choice.estimator
            and model.params == dict(choice.params)
            and model.choice == recipe["choice"]
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
    found: Snapshot,
    choice: Choice,
    selection: Selection,
    made: _Made,
    recipe: dict[str, Any],
    clock: Clock,
    seconds: float,
) -> model_store.Candidate:
    columns = groups.columns(estimators.looked_at(made.fitted, choice.features), selection.tracks)
    learned = selection.tracks[selection.learned]
    return model_store.Candidate(
        created_at=clock.now(),
        task=choice.task,
        estimator=choice.estimator,
        params=dict(choice.params),
        choice=recipe["choice"],
        feature_schema={
            "columns": columns,
            "classes": list(selection.classes),
        },
        data_fingerprint=recipe["data"],
        origin=found.origin,
        trained_rows=int(selection.learned.sum()),
        seconds=seconds,
        artifact=made.artifact,
        artifact_sha256=artifacts.checksum(made.artifact),
        metrics=report.headline(made.judged.metrics),
        versions=recipe["versions"],
        probes=artifacts.probe(made.fitted, learned, columns),
    )


def _store(
    database: Database,
    candidate: model_store.Candidate,
    made: _Made,
    champion: StoredModel | None,
    selection: Selection,
) -> int:
    claim = None
    if made.out_of_fold is not None:
        places = np.arange(len(selection.classes))
        genres, probabilities = serving.best(made.out_of_fold, places)
        answers = model_store.Predictions(
            selection.learned_ids,
            genres,
            probabilities,
            selection.known[selection.learned],
            in_training=True,
        )
        claim = model_store.Claim(answers, None if champion is None else champion.id)
    return model_store.store_model(
        database,
        candidate,
        made.judged.metrics,
        made.judged.confusions,
        made.judged.decision,
        claim,
        made.epochs,
    )

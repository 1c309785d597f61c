"""Checks of the trainer for `genrebase doctor`: the threads, and whether the champion loads."""

from collections.abc import Iterator

from classifier import threads
from classifier.errors import BrokenArtifact
from classifier.settings import ClassifierSettings
from genrebase.errors import GenrebaseError
from genrebase.runtime.checks import Check


def checks() -> Iterator[Check]:
    """Yield a check of the training threads and one of the champion."""
    try:
        settings = ClassifierSettings.load()
    except GenrebaseError:
        yield Check("training", ok=None, sentence="Not checked: correct the settings first.")
        return
    cores = threads.available_cores()
    yield _threads(settings.threads, cores)
    yield _champion()


def _threads(configured: int | None, cores: int) -> Check:
    if configured is not None and configured > cores:
        return Check(
            "threads",
            ok=False,
            sentence=f"CLASSIFIER_THREADS={configured}, but this process may use {cores} cores: "
            "more threads than cores make training several times slower.",
        )
    used = configured or cores
    return Check("threads", ok=True, sentence=f"Trains with {used} of {cores} usable cores.")


def _champion() -> Check:
    # imports of SQLAlchemy, which the other checks do not need
    from classifier.registry import stored_models
    from classifier.training_config import DEFAULT_TASK
    from genrebase.store import connect, disposing

    try:
        with disposing(connect()) as database:
            model = stored_models.find_champion(database, DEFAULT_TASK)
            if model is not None:
                from classifier.serving import champion  # imports scikit-learn

                champion.load(database, model)
    except BrokenArtifact as error:
        return Check("champion", ok=False, sentence=str(error))
    except GenrebaseError as error:
        return Check("champion", ok=None, sentence=f"Unknown: {error}")
    if model is None:
        return Check("champion", ok=None, sentence="No model yet: run `classifier train`.")
    return Check(
        "champion",
        ok=True,
        sentence=f"Model {model.id} ({model.estimator}) predicts {len(model.classes)} genres.",
    )

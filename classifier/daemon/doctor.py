"""The doctor's questions about the trainer: threads, and whether somebody answers."""

from collections.abc import Iterator

from classifier import threads
from classifier.settings import ClassifierSettings
from genrebase.errors import GenrebaseError
from genrebase.runtime.checks import Check


def checks() -> Iterator[Check]:
    """Yield a line about the threads to train with and one about the champion."""
    settings = ClassifierSettings.load()
    cores = threads.available_cores()
    yield _threads(settings.threads, cores)
    yield _champion()


def _threads(wanted: int | None, cores: int) -> Check:
    if wanted is not None and wanted > cores:
        return Check(
            "threads",
            ok=False,
            sentence=f"CLASSIFIER_THREADS={wanted}, but this process may use {cores} cores: "
            "more threads than cores make training several times slower.",
        )
    used = wanted or cores
    return Check("threads", ok=True, sentence=f"Trains with {used} of {cores} usable cores.")


def _champion() -> Check:
    # these bring pandas and SQLAlchemy: the doctor's other lines need not wait
    from classifier.registry import stored_models
    from classifier.training_config import DEFAULT_TASK
    from genrebase.store import connect

    try:
        database = connect()
        try:
            found = stored_models.find_champion(database, DEFAULT_TASK)
        finally:
            database.dispose()
    except GenrebaseError as error:
        return Check("champion", ok=None, sentence=f"Not known: {error}")
    if found is None:
        return Check("champion", ok=None, sentence="No model yet: run `classifier train`.")
    return Check(
        "champion",
        ok=True,
        sentence=f"Model {found.id} ({found.estimator}) answers for {len(found.classes)} genres.",
    )

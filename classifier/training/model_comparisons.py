"""Compare the champion with every other model whose predictions for test tracks are stored."""

from classifier.data import common_test_tracks
from classifier.data.dataset import Database
from classifier.evaluation.model_comparison import compare
from classifier.registry import model_store, stored_models
from classifier.training_config import LEVELS, SPLITS, TrainingConfig
from genrebase.runtime.clock import Clock


def update(database: Database, task: str, clock: Clock) -> int:
    """Replace the stored comparisons of a task; return how many there are.

    Models predict nothing: compared are predictions that were stored when each was trained, or
    was champion. Tasks with broad genres or a published split have no comparisons: the labels and
    sides that the database shows are others.
    """
    champion = stored_models.find_champion(database, task)
    if champion is None:
        return 0
    config = TrainingConfig.from_model(champion)
    if (config.level, config.split) != (LEVELS[0], SPLITS[0]):
        return 0
    documents = {}
    for model in stored_models.models(database, task):
        if model.id == champion.id or model.status == "refit" or not model.has_artifact:
            continue
        tracks = common_test_tracks.read(database, champion, model)
        if len(tracks.rows):
            documents[model.id] = compare(tracks)
    model_store.replace_comparisons(database, task, champion.id, documents, clock.now())
    return len(documents)

"""Stored models: which one is the champion, and why there is none."""

import pytest
from sqlalchemy import Engine

from classifier.errors import NoChampion
from classifier.registry import stored_models
from genrebase.store.engine import transaction
from tests import factories as make


def test_without_a_model_a_training_is_proposed(engine: Engine):
    """Nothing was trained yet."""
    with pytest.raises(NoChampion, match="no champion yet: run `classifier train`"):
        stored_models.champion(engine, "main")


def test_after_a_rejected_model_it_is_named_with_its_reason(engine: Engine):
    """A training was run: the message says what to do instead of running it again."""
    with transaction(engine) as connection:
        make.add_model(connection, "rejected", reason="Not better than guessing.")
    with pytest.raises(NoChampion) as refused:
        stored_models.champion(engine, "main")
    message = str(refused.value)
    assert "latest model, 1, is rejected: Not better than guessing. Import" in message
    assert message.endswith("`classifier promote 1`.")


def test_the_tasks_with_a_champion(engine: Engine):
    """In alphabetical order, whatever their models."""
    with transaction(engine) as connection:
        make.add_model(connection, "rejected")
        make.add_model(connection, task="pair")
        make.add_model(connection, task="broad")
    assert stored_models.champion_tasks(engine) == ["broad", "pair"]


def test_training_tracks_with_a_prediction_are_counted(engine: Engine):
    """Each once, however many genres are predicted."""
    with transaction(engine) as connection:
        genres = [make.add_genre(connection, name) for name in ("rock", "jazz")]
        tracks = [make.add_track(connection, f"Song {n}", ["Ann"]) for n in range(3)]
        model = make.add_model(connection)
        for track, in_training in zip(tracks, (True, True, False), strict=True):
            ranked = [(genre, 0.5) for genre in genres]
            make.add_predictions(connection, model, track, ranked, in_training=in_training)
    assert stored_models.out_of_fold_count(engine, model) == 2

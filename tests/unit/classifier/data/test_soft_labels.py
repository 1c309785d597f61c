"""A track that counts for several genres."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from classifier import estimators
from classifier.data import soft_labels
from classifier.data.dataset import Snapshot
from classifier.data.training_data import fingerprint, select
from classifier.errors import BadChoice
from classifier.estimators.preprocessing import PreparedFeatures
from classifier.features.audio import AudioFeatures
from classifier.records import Choice, Preparation
from tests.music import GENRES, Music

SHARED = Choice(estimator="tree", labels="shared", features=("audio", "metadata"))


def seen_twice() -> Snapshot:
    """Music whose blues was all seen under techno, too; a person settled the first track."""
    music = Music()
    found = music.snapshot()
    blues = [song.id for song in music.songs if song.genre == 0]
    also = pd.DataFrame({"track_id": blues, "genre": GENRES[2]})
    verdict = found.tracks["verdict"].mask(found.tracks["track_id"] == blues[0], "blues")
    return replace(
        found,
        tracks=found.tracks.assign(verdict=verdict),
        sighted=pd.concat([found.sighted, also], ignore_index=True),
    )


def test_a_track_has_a_row_for_each_of_its_genres() -> None:
    """Each as light as there are many; a verdict stands alone."""
    tracks = pd.DataFrame(
        {
            "track_id": [3, 5, 8],
            "verdict": pd.array([None, "jazz", None], dtype="string"),
        }
    )
    labels = np.array(["rock", "jazz", "folk"])
    sighted = {"rock": np.array([3, 5]), "jazz": np.array([3]), "pop": np.array([3, 9])}
    found = soft_labels.shared(tracks, labels, sighted)
    assert found.frame["track_id"].tolist() == [3, 3, 3, 5, 8]
    assert found.labels.tolist() == ["jazz", "pop", "rock", "jazz", "folk"]
    assert found.weights is not None
    assert found.weights.tolist() == pytest.approx([1 / 3, 1 / 3, 1 / 3, 1, 1])


def test_a_model_gives_the_genres_of_a_track_their_shares() -> None:
    """What was seen under two genres as often is told half and half, and counts as one track."""
    selection = select(seen_twice(), SHARED)
    learning = selection.learning()
    assert learning.weights is not None
    assert learning.weights.sum() == pytest.approx(selection.learned.sum())
    model = soft_labels.fit(estimators.build(SHARED, threads=1), learning, selection.validation())
    tested = selection.on("test") & (selection.labels == "blues")
    assert tested.sum() > 5
    shares = model.predict_proba(selection.tracks[tested]).mean(axis=0)
    assert shares[0] == pytest.approx(shares[2], abs=0.1)
    assert shares[1] < 0.1
    assert (selection.labels == select(seen_twice(), Choice()).labels).all()


def test_what_was_seen_is_part_of_what_is_learned() -> None:
    """Another sighting makes other data of it, under claims too: `blend` learns from them."""
    found = seen_twice()
    learned = select(found, SHARED).learned_ids
    twice = found.sighted["track_id"].isin(learned) & found.sighted["track_id"].duplicated()
    fewer = replace(found, sighted=found.sighted.drop(index=found.sighted.index[twice][-1]))
    assert fingerprint(select(found, SHARED)) != fingerprint(select(fewer, SHARED))
    assert fingerprint(select(found, Choice())) != fingerprint(select(fewer, Choice()))


@pytest.mark.parametrize("name", ["blend", "knn", "voting"])
def test_who_cannot_weigh_says_so(name: str) -> None:
    """Before anything is read; and SMOTE's tracks have no share in two genres."""
    params = {"member": "knn"} if name == "voting" else {}
    choice = replace(SHARED, estimator=name, params=params)
    with pytest.raises(BadChoice, match=f"{name} cannot weigh tracks"):
        estimators.build(choice, threads=1)
    smote = replace(SHARED, preparation=Preparation(balance="smote"))
    with pytest.raises(BadChoice, match="use --balance weights"):
        estimators.build(smote, threads=1)


@pytest.mark.parametrize("name", ["voting", "svm", "logistic", "gradient_boosting", "dummy"])
def test_others_weigh(name: str) -> None:
    """A genre whose tracks count next to nothing is next to never told."""
    music = select(Music().snapshot(), Choice())
    choice = replace(SHARED, estimator=name)
    learning = replace(
        music.learning(), weights=np.where(music.labels[music.learned] == "metal", 1e-6, 1.0)
    )
    model = soft_labels.fit(estimators.build(choice, threads=1), learning, None)
    tested = music.on("test")
    shares = model.predict_proba(music.tracks[tested])[:, 1]
    assert shares.mean() < 0.1


def test_balance_counts_what_rows_weigh() -> None:
    """Genres weigh the same together, whatever their rows weigh on their own."""
    frame = pd.DataFrame({"energy": np.linspace(0, 1, 6)})
    labels = np.array(["a", "a", "a", "a", "b", "b"])
    weights = np.array([0.5, 0.5, 0.5, 0.5, 1.0, 0.5])
    features = PreparedFeatures(AudioFeatures(("audio",)), balance="weights", complete=True)
    _, _, found = features.fit_resample(frame, labels, weights)
    assert found is not None
    assert found[:4].sum() == pytest.approx(found[4:].sum())
    assert found.sum() == pytest.approx(weights.sum())
    assert found[4] == pytest.approx(2 * found[5])

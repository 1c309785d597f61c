"""Playlists, and sets of other genres, as finer classes of the networks."""

import numpy as np
import pandas as pd
import pytest

from classifier.experts import fine_classes
from classifier.experts.content_nets import ContentNetworksExpert
from classifier.experts.fine_classes import FineClasses, of_genres
from classifier.experts.stacking_net import StackingExpert

GROUPS = ("audio", "metadata")
N_TRACKS, N_HELD = 120, 40
PLACES = ((2, "folk"), (3, "blues"))


def world() -> tuple[pd.DataFrame, np.ndarray, pd.DataFrame]:
    """Two genres with two large playlists each; some tracks are in none, or in a small one."""
    random = np.random.default_rng(0)
    size = N_TRACKS + N_HELD
    codes = random.integers(0, 4, size)
    frame = pd.DataFrame(
        {
            "track_id": np.arange(size) + 7,
            "title": [f"song {place}" for place in range(size)],
            "artists": [f"artist {place // 2}" for place in range(size)],
            "album": None,
            "energy": codes / 4 + random.normal(0, 0.1, size),
        }
    )
    labels = np.array(["jazz", "rock", "jazz", "rock"])[codes]
    names = pd.array([f"list {code}" for code in codes], dtype="string")
    names[:3] = ["small", None, "small"]
    sightings = pd.DataFrame(
        {"track_id": frame["track_id"], "genre": labels, "best_rank": 0, "playlist": names}
    )
    return frame, labels, sightings


def test_a_class_is_a_playlist_of_a_genre() -> None:
    """Small playlists and tracks without one are of the genre's own class."""
    frame, labels, sightings = world()
    other = sightings.assign(genre=np.where(labels == "jazz", "rock", "jazz"), playlist="other")
    of_both = pd.concat([other[6:], sightings])  # playlists of other genres than the label
    fine = fine_classes.fine_classes(frame, labels, of_both)
    assert fine is not None
    assert len(set(fine.codes[3:])) == 4
    assert len(set(fine.codes)) == 4 + len(set(labels[:3]))
    genre_of_class = (
        np.searchsorted(fine.starts, np.arange(fine.codes.max() + 1), side="right") - 1
    )
    assert (np.array(["jazz", "rock"])[genre_of_class[fine.codes]] == labels).all()
    shares = np.eye(fine.codes.max() + 1, dtype=np.float32)[fine.codes]
    assert (of_genres(shares, fine.starts).argmax(axis=1) == (labels == "rock")).all()


def test_without_playlists_a_class_is_the_other_genres_of_a_track() -> None:
    frame, labels, sightings = world()
    label = sightings.drop(columns="playlist")
    several = np.arange(len(frame)) % 4
    folk, blues = (label[several >= place].assign(genre=genre) for place, genre in PLACES)
    fine = fine_classes.fine_classes(frame, labels, pd.concat([label, folk, blues]))
    assert fine is not None
    keys = list(zip(labels, np.maximum(several, 1), strict=True))  # 0, 1: none; 2: folk; 3: both
    assert len(set(zip(keys, fine.codes, strict=True))) == len(set(keys)) == len(set(fine.codes))


def test_there_are_no_classes_but_genres() -> None:
    """Without sightings, without other genres, and where all playlists are small."""
    frame, labels, sightings = world()
    few = sightings.assign(playlist=[f"list {place // 7}" for place in range(len(frame))])
    for rows in (None, sightings.drop(columns="playlist"), few):
        assert fine_classes.fine_classes(frame, labels, rows) is None


@pytest.mark.parametrize("kind", [ContentNetworksExpert, StackingExpert])
def test_playlists_of_other_tracks_do_not_leak(kind: type) -> None:
    """The networks are the same whatever the playlists of tracks outside of the training."""
    frame, labels, sightings = world()
    train = np.arange(len(frame)) < N_TRACKS
    held = frame[~train]
    changed = sightings.copy()
    changed.loc[~train, "playlist"] = "list 0"
    scores = [
        kind(GROUPS, n_networks=1).fit(frame[train], labels[train], rows).predict_scores(held)
        for rows in (sightings, changed, sightings.drop(columns="playlist"))
    ]
    assert np.array_equal(scores[0], scores[1])
    assert not np.array_equal(scores[0], scores[2])
    assert scores[0].shape[2] == 2


def test_the_history_of_a_training_track_is_from_the_other_splits() -> None:
    """Other playlists of the tracks of one split change the history of the others only."""
    frame, labels, sightings = world()
    fine = fine_classes.fine_classes(frame, labels, sightings)
    assert fine is not None
    splits = np.arange(len(frame)) % 5
    first = splits == 0
    moved = np.where(first, np.roll(fine.codes, 5), fine.codes)
    (_, one), (fitted, two) = (
        fine_classes.fine_class_history(frame, FineClasses(codes, fine.starts), splits)
        for codes in (fine.codes, moved)
    )
    assert np.array_equal(one[first], two[first])
    assert not np.array_equal(one[~first], two[~first])
    assert not fitted.transform(frame.assign(artists="nobody")).any()

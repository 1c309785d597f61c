"""Shares of genres by votes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from classifier.data import soft_labels, vote_shares
from classifier.data.raw_dataset import RawDataset
from classifier.data.training_data import split_dataset
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import TrainingConfig
from tests.synthetic_music import GENRES, Music

Row = tuple[int, str, str, int, int | None]
"""(track, genre, source, rank, votes)"""
CLASSES = ("folk", "jazz", "rock")


def data(*rows: Row) -> RawDataset:
    frame = pd.DataFrame(rows, columns=["track_id", "genre", "source", "best_rank", "votes"])
    frame = frame.astype({"votes": "Int64", "source": "category", "genre": "string"})
    return replace(Music(artists=12).snapshot(), sightings=frame)


def tracks(**claims: str) -> pd.DataFrame:
    """Return tracks with claims, by their number: t1="rock"."""
    ids = [int(name[1:]) for name in claims]
    claim = pd.array(list(claims.values()), dtype="string")
    verdict = pd.array([None] * len(ids), dtype="string")
    return pd.DataFrame({"track_id": ids, "claim": claim, "verdict": verdict})


def shares(raw: RawDataset, **claims: str) -> dict[tuple[int, str], float]:
    result = vote_shares.of_tracks(raw, tracks(**claims), {}, CLASSES)
    assert result is not None
    return {
        (track, genre): pytest.approx(share)
        for track, genre, share in result.itertuples(index=False, name=None)
    }


def test_votes_are_shares_of_the_genres_of_the_task() -> None:
    """A genre outside of the task has no share; without votes nothing is said."""
    voted = data(
        (1, "rock", "mb", 0, 6), (1, "jazz", "mb", 1, 2), (1, "polka", "mb", 2, 2),
        (2, "rock", "csv", 0, None),
    )  # fmt: skip
    assert shares(voted, t1="rock", t2="rock") == {(1, "rock"): 0.75, (1, "jazz"): 0.25}
    without = data((1, "rock", "csv", 0, None))
    assert vote_shares.of_tracks(without, tracks(t1="rock"), {}, CLASSES) is None


def test_the_source_of_the_claim_decides_alone() -> None:
    """Sources are not added up: votes first, then most votes, then the name."""
    weaker = data(
        (1, "rock", "mb", 1, 9), (1, "jazz", "mb", 2, 1),
        (1, "folk", "csv", 0, None), (1, "rock", "csv", 0, None),
    )  # fmt: skip
    assert shares(weaker, t1="folk") == {(1, "folk"): 0.5, (1, "rock"): 0.5}
    tied = data(
        (1, "rock", "a", 0, None), (1, "folk", "a", 0, None),
        (1, "rock", "b", 0, 3), (1, "jazz", "b", 1, 1),
        (1, "rock", "c", 0, 2), (1, "folk", "c", 1, 2),
    )  # fmt: skip
    assert shares(tied, t1="rock") == {(1, "rock"): 0.75, (1, "jazz"): 0.25}
    named = data((1, "rock", "y", 0, 2), (1, "rock", "x", 0, 2), (1, "jazz", "x", 1, 2))
    assert shares(named, t1="rock") == {(1, "rock"): 0.5, (1, "jazz"): 0.5}


def test_broad_genres_get_the_sum_of_their_fine_ones() -> None:
    fine = data((1, "bebop", "mb", 0, 3), (1, "swing", "mb", 1, 1), (1, "rock", "mb", 1, 1))
    broad = {"bebop": "jazz", "swing": "jazz"}
    result = vote_shares.of_tracks(fine, tracks(t1="bebop"), broad, CLASSES)
    assert result is not None
    assert dict(zip(result["genre"], result["share"], strict=True)) == {
        "jazz": pytest.approx(0.8),
        "rock": pytest.approx(0.2),
    }
    two = vote_shares.one_vs_rest(result, "rock", "not rock")
    assert dict(zip(two["genre"], two["share"], strict=True)) == {
        "rock": pytest.approx(0.2),
        "not rock": pytest.approx(0.8),
    }


def test_a_training_weighs_by_votes() -> None:
    """Only tracks with votes change; a verdict remains the only label."""
    music = Music()
    raw = music.snapshot()
    blues = [song.id for song in music.songs if song.genre == 0]
    more = pd.DataFrame({"track_id": blues, "genre": GENRES[2], "best_rank": 5000, "votes": 1})
    sightings = pd.concat([raw.sightings.assign(votes=3), more], ignore_index=True)
    sightings = sightings.assign(source="mb").astype({"votes": "Int64"})
    judged = raw.tracks["verdict"].mask(raw.tracks["track_id"] == blues[0], "blues")
    voted = replace(raw, tracks=raw.tracks.assign(verdict=judged), sightings=sightings)
    config = TrainingConfig(estimator="tree", labels="shared", features=("audio",))
    training_set = split_dataset(voted, config).training_set()
    ids = training_set.frame["track_id"].to_numpy()
    weights = training_set.weights
    assert weights is not None
    of_blues = np.isin(ids, blues[1:])
    assert set(weights[of_blues & (training_set.labels == "blues")]) == {0.75}
    assert set(weights[of_blues & (training_set.labels == GENRES[2])]) == {0.25}
    assert set(weights[~np.isin(ids, blues)]) == {1.0}
    assert training_set.labels[ids == blues[0]].tolist() in (["blues"], [])
    equal = replace(voted, sightings=sightings.assign(votes=pd.NA))
    halves = split_dataset(equal, config).training_set()
    assert halves.weights is not None
    assert set(halves.weights) == {0.5, 1.0}
    assert data_fingerprint(split_dataset(voted, config)) != data_fingerprint(
        split_dataset(equal, config)
    )


def test_rows_are_in_the_order_of_the_tracks() -> None:
    """Tracks with and without shares are mixed; each track's rows are together."""
    raw = data((3, "rock", "mb", 0, 1), (3, "jazz", "mb", 1, 1), (1, "rock", "csv", 0, None))
    frame = tracks(t3="rock", t1="rock")
    result = soft_labels.expand_soft_labels(
        frame,
        np.array(["rock", "rock"]),
        {"rock": np.array([1, 3]), "jazz": np.array([3])},
        vote_shares.of_tracks(raw, frame, {}, CLASSES),
    )
    assert result.frame["track_id"].tolist() == [3, 3, 1]
    assert result.labels.tolist() == ["jazz", "rock", "rock"]
    assert result.weights is not None
    assert result.weights.tolist() == [0.5, 0.5, 1.0]

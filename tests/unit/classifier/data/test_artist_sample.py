"""Which tracks are read of a large genre."""

import numpy as np
import pandas as pd
import pytest

from classifier.data import artist_sample
from classifier.data.artist_sample import KeyCollector, TrackKeys, choose

LIMIT = 40


def catalogue(artists: int, *, start: int = 0) -> pd.DataFrame:
    """Return tracks of one genre, 1 to 9 of each artist, every fourth on a side for tests."""
    sides = ("train", "train", "train", "test_seen")
    rows = [
        (f"song {number}", f"artist {artist}; guest", sides[number % 4])
        for artist in range(start, start + artists)
        for number in range(1 + artist * 7 % 9)
    ]
    frame = pd.DataFrame(rows, columns=["title", "artists", "side"], dtype="string")
    return frame.assign(label=pd.array(["rock"] * len(rows), dtype="string"))


def taken(tracks: pd.DataFrame, limit: int = LIMIT) -> pd.DataFrame:
    numbered = tracks.assign(track_id=np.arange(len(tracks)))
    return numbered[choose(TrackKeys.of(numbered, {}), limit)]


def training(tracks: pd.DataFrame) -> pd.DataFrame:
    return tracks[tracks["side"] == "train"]


def test_the_limit_is_reached_and_never_passed() -> None:
    """It counts training tracks only."""
    assert len(training(taken(catalogue(200)))) == LIMIT


def test_artists_are_taken_with_all_their_tracks() -> None:
    """Those that test seen artists, too; no others are left."""
    tracks = catalogue(200)
    chosen = taken(tracks)
    assert len(chosen) > len(training(chosen)) > 0
    whole = tracks[tracks["artists"].isin(chosen["artists"])]
    assert chosen["title"].tolist() == whole["title"].tolist()


def test_the_choice_is_that_of_names_and_not_of_order_or_number() -> None:
    """Another database with the same tracks takes the same."""
    tracks = catalogue(100)
    shuffled = taken(tracks.sample(frac=1, random_state=3))
    one, other = (
        set(zip(t["artists"], t["title"], strict=True)) for t in (taken(tracks), shuffled)
    )
    assert one == other


def test_a_growing_genre_keeps_the_artists_with_the_smallest_hashes() -> None:
    """What is taken of twice the tracks was mostly taken before, or is new."""
    before = set(taken(catalogue(100))["artists"])
    after = set(taken(pd.concat([catalogue(100), catalogue(100, start=100)]))["artists"])
    old = {f"artist {number}; guest" for number in range(100)}
    assert len(after & before) > len((after & old) - before)


def test_a_small_genre_is_taken_whole_whatever_its_sides() -> None:
    """Tracks that are on no side stay as well."""
    tracks = catalogue(5)
    tracks.loc[0, "side"] = "none"
    assert len(taken(tracks, limit=1_000)) == len(tracks)


@pytest.mark.parametrize("side", ["test_new", "validation_new", "test", "validation"])
def test_unseen_artists_have_a_limit_of_their_own(side: str) -> None:
    """On each of their sides, and on those of a published split."""
    tracks = catalogue(200)
    half = np.arange(len(tracks)) < len(tracks) // 2
    tracks["side"] = tracks["side"].mask(half, side)
    chosen = taken(tracks)
    assert len(training(chosen)) == LIMIT
    assert (chosen["side"] == side).sum() == LIMIT


def test_an_artist_above_the_limit_fills_what_the_others_leave() -> None:
    """With a part of its tracks, so that its genre is not empty."""
    large = pd.DataFrame(
        [(f"song {number}", "one artist", "train") for number in range(100)],
        columns=["title", "artists", "side"],
        dtype="string",
    ).assign(label=pd.array(["rock"] * 100, dtype="string"))
    chosen = taken(pd.concat([large, catalogue(3)], ignore_index=True))
    assert len(training(chosen)) == LIMIT
    assert set(chosen["artists"]) > {"one artist"}


def test_every_genre_has_its_own_limit() -> None:
    """A track counts for its label."""
    tracks = catalogue(200)
    tracks["label"] = tracks["label"].mask(np.arange(len(tracks)) % 3 == 0, "jazz")
    assert training(taken(tracks))["label"].value_counts().to_dict() == {
        "rock": LIMIT,
        "jazz": LIMIT,
    }


def test_nothing_is_chosen_from_nothing() -> None:
    """No tracks, no error."""
    assert len(taken(catalogue(0))) == 0


@pytest.mark.parametrize("large_artist", [False, True])
def test_the_choice_is_the_same_where_keys_are_dropped_meanwhile(
    monkeypatch: pytest.MonkeyPatch, large_artist: bool
) -> None:
    """Unless artists that do not fit make it uncertain: then the collector says so."""
    monkeypatch.setattr(artist_sample, "_KEPT", 300)
    tracks = catalogue(1_200).sample(frac=1, random_state=1)
    half = np.arange(len(tracks)) % 2 == 0
    tracks["side"] = tracks["side"].mask(half & (tracks["side"] == "train").to_numpy(), "test_new")
    if large_artist:
        tracks["artists"] = "one artist"
    tracks = tracks.assign(track_id=np.arange(len(tracks)))
    keys = TrackKeys.of(tracks, {})
    collector = KeyCollector(LIMIT)
    for start in range(0, len(keys), 100):
        places = np.arange(len(keys))
        collector.add(keys.where((places >= start) & (places < start + 100)))
    kept = sum(map(len, collector._parts))
    ids = collector.chosen_ids()
    if large_artist:
        assert ids is None
    else:
        assert ids is not None
        assert kept < len(keys) / 3
        assert sorted(ids) == sorted(keys.track_ids[choose(keys, LIMIT)])

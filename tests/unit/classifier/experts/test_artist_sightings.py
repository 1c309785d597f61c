"""Features from the sightings of an artist's other tracks."""

import numpy as np
import pandas as pd

from classifier.experts.artist_sightings import (
    COLUMNS_PER_GENRE,
    EXTRA_COLUMNS,
    ArtistSightingFeatures,
)

GENRES = np.array(["rap", "rock"])


def tracks(*rows: tuple[int, str, float | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["track_id", "artists", "popularity"])


KNOWN = tracks((1, "Ann", 10.0), (2, "Ann; Bob", 50.0), (3, "Bob", None))
LABELS = np.array(["rap", "rock", "rock"])
SEEN = pd.DataFrame(
    [(1, "rap", 4), (2, "rap", 8), (2, "rock", 2), (3, "rock", 6), (9, "rap", 0)],
    columns=["track_id", "genre", "best_rank"],
)


def features_of(*rows: tuple[int, str, float | None]) -> np.ndarray:
    return ArtistSightingFeatures().fit(KNOWN, LABELS, SEEN).transform(tracks(*rows))


def test_an_artists_tracks_are_shares_and_mean_ranks() -> None:
    """Both of Ann's were seen in rap, at ranks 4 and 8; one of two in rock, at rank 2."""
    row = features_of((7, "Ann", 45.0))[0]
    assert row[:2].tolist() == [1.0, 0.5]
    assert row[2:4].tolist() == [6.0, 2.0]


def test_the_track_nearest_in_popularity_has_its_own_columns() -> None:
    """At 45 it is the track of 50, sighted under both; at 12 that of 10, under rap only."""
    near, low = features_of((7, "Ann", 45.0), (8, "Ann", 12.0))[:, 4:8]
    assert near.tolist() == [1.0, 1.0, 8.0, 2.0]
    assert low[:2].tolist() == [1.0, 0.0]
    assert low[2] == 4.0
    assert np.isnan(low[3])


def test_popularity_is_compared_with_the_artists_tracks() -> None:
    """The mean of Ann's is 30: a track of 45 is 15 above it, and 5 below the nearest of two."""
    assert features_of((7, "Ann", 45.0))[0, 8:].tolist() == [30.0, 15.0, 2.0, 5.0]


def test_a_track_of_two_credited_artists_counts_once() -> None:
    """Ann and Bob have three tracks together, although one credits both."""
    assert features_of((7, "Ann; Bob", 45.0))[0, 10] == 3.0


def test_unseen_artists_have_missing_values() -> None:
    """An artist without a training track, and a track without an artist, are all NaN."""
    result = features_of((7, "Cid", 45.0), (8, "", 45.0))
    assert result.shape == (2, COLUMNS_PER_GENRE * len(GENRES) + EXTRA_COLUMNS)
    assert np.isnan(result).all()


def test_sightings_of_other_tracks_are_ignored() -> None:
    """Those of a track that is not in training, also its own."""
    more = pd.concat([SEEN, SEEN.assign(track_id=7, genre="rock", best_rank=0)])
    one = ArtistSightingFeatures().fit(KNOWN, LABELS, SEEN).transform(tracks((7, "Ann", 45.0)))
    two = ArtistSightingFeatures().fit(KNOWN, LABELS, more).transform(tracks((7, "Ann", 45.0)))
    assert np.array_equal(one, two, equal_nan=True)


def test_without_ranks_the_shares_remain() -> None:
    """Snapshots without ranks, and tracks without any sighting, are no error."""
    bare = SEEN.drop(columns="best_rank")
    assert ArtistSightingFeatures().fit(KNOWN, LABELS, bare).transform(KNOWN)[0, :2].tolist() == [
        1.0,
        0.5,
    ]
    none = ArtistSightingFeatures().fit(KNOWN, LABELS, SEEN.iloc[:0]).transform(KNOWN)
    assert none[0, :2].tolist() == [0.0, 0.0]


def test_empty_frames_are_no_error() -> None:
    """In training and in prediction."""
    nobody = ArtistSightingFeatures().fit(KNOWN.assign(artists=""), LABELS, SEEN)
    assert np.isnan(nobody.transform(KNOWN)).all()
    assert nobody.transform(KNOWN.iloc[:0]).shape == (
        0,
        COLUMNS_PER_GENRE * len(GENRES) + EXTRA_COLUMNS,
    )


def test_unknown_popularity_leaves_the_rest() -> None:
    """There is no nearest track, but shares and counts remain."""
    row = features_of((7, "Ann", None))[0]
    assert row[:2].tolist() == [1.0, 0.5]
    assert row[10] == 2.0

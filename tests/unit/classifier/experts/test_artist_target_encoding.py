"""Target encoding of artists and albums."""

import numpy as np
import pandas as pd

from classifier.experts.artist_target_encoding import ArtistHistoryExpert

FRAME = pd.DataFrame(
    {
        "title": list("abcdef"),
        "artists": ["Ana", "Ana; Bo", "Ana", "Bo", "Cy", "Cy"],
        "album": ["Hits", "Hits", None, "Hits", None, None],
    }
)
GENRES = np.array(["rock", "rock", "jazz", "jazz", "jazz", "rock"])


def encoded(artists: str, album: str | None = None) -> np.ndarray:
    """Return the four scores of one track: (scores, genres jazz and rock)."""
    expert = ArtistHistoryExpert().fit(FRAME, GENRES)
    return expert.predict_scores(pd.DataFrame({"artists": [artists], "album": [album]}))[:, 0]


def test_unseen_artists_and_albums_score_0() -> None:
    """Exactly 0 for every genre."""
    assert (encoded("Somebody", "Something") == 0).all()
    assert (encoded("") == 0).all()


def test_artists_score_for_the_genres_of_their_tracks() -> None:
    """Case does not matter; guests count only in the score of all artists."""
    first, everybody, *_ = encoded("ANA; bo")
    assert first[1] > 0 > first[0]
    assert first[1] > everybody[1]  # Bo's jazz


def test_an_album_has_scores_of_its_own() -> None:
    """One score is within the artist's tracks, one by album name alone."""
    _, _, own, named = encoded("Ana", "hits")
    assert own[1] > named[1] > 0
    _, _, own, named = encoded("Somebody else", "Hits")
    assert (own == 0).all()
    assert named[1] > 0


def test_artist_track_counts_are_those_of_training_tracks() -> None:
    """Of all credited artists."""
    expert = ArtistHistoryExpert().fit(FRAME, GENRES)
    requested = pd.DataFrame({"artists": ["Ana", "Ana; Bo", "Dee"]})
    assert expert.artist_track_counts(requested).tolist() == [3, 5, 0]


def test_overall_genre_shares_are_no_evidence() -> None:
    """An artist with the overall shares scores 0."""
    assert np.allclose(encoded("Cy")[0], 0, atol=1e-6)

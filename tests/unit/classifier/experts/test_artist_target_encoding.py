"""The expert for artists' history."""

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


def said(artists: str, album: str | None = None) -> np.ndarray:
    """Return what the four voices say of one track: (voices, genres jazz and rock)."""
    expert = ArtistHistoryExpert().fit(FRAME, GENRES)
    return expert.predict_scores(pd.DataFrame({"artists": [artists], "album": [album]}))[:, 0]


def test_unknown_artists_and_albums_say_nothing() -> None:
    """Exactly 0 for every genre."""
    assert (said("Somebody", "Something") == 0).all()
    assert (said("") == 0).all()


def test_an_artist_speaks_for_the_genres_of_their_tracks() -> None:
    """Whatever the case of the name; guests only where all credited count."""
    first, everybody, *_ = said("ANA; bo")
    assert first[1] > 0 > first[0]
    assert first[1] > everybody[1]  # Bo's jazz


def test_an_album_speaks_for_itself() -> None:
    """Within the artist's, and under its name whoever is on it."""
    _, _, own, named = said("Ana", "hits")
    assert own[1] > named[1] > 0
    _, _, own, named = said("Somebody else", "Hits")
    assert (own == 0).all()
    assert named[1] > 0


def test_evidence_is_the_number_of_known_tracks() -> None:
    """Of all credited artists."""
    expert = ArtistHistoryExpert().fit(FRAME, GENRES)
    asked = pd.DataFrame({"artists": ["Ana", "Ana; Bo", "Dee"]})
    assert expert.artist_track_counts(asked).tolist() == [3, 5, 0]


def test_a_genre_that_is_common_anyway_is_no_news() -> None:
    """An artist with the usual mixture says nothing."""
    assert np.allclose(said("Cy")[0], 0, atol=1e-6)

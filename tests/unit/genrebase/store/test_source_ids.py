"""Track ids of sources, in every form."""

import pytest

from genrebase.store import source_ids

ID = "6f807x0ima9a1j3VPbc7VN"


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f"  {ID} ",
        f"spotify:track:{ID}",
        f"https://open.spotify.com/track/{ID}?si=abc",
        f"https://open.spotify.com/intl-de/track/{ID}",
        f"https://api.spotify.com/v1/tracks/{ID}",
    ],
)
def test_a_track_id_is_parsed_in_every_form(text):
    """An id, a URI and a URL name the same track."""
    assert source_ids.parse_track_id(text) == ID


@pytest.mark.parametrize(
    "text",
    ["", "12", ID[:-1], ID + "a", f"spotify:album:{ID}", f"https://x.org/album/{ID}", "é" * 22],
)
def test_what_names_no_track(text):
    """Another length, another alphabet or another kind of thing is no track."""
    assert source_ids.parse_track_id(text) is None


def test_a_playlist_is_no_track():
    """The kind in a URL counts."""
    url = f"https://open.spotify.com/playlist/{ID}"
    assert source_ids.parse_playlist_id(url) == ID
    assert source_ids.parse_track_id(url) is None

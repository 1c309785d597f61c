"""Columns of datasets."""

import pytest

from collector.datasets import columns
from collector.datasets.columns import ColumnsMissing, DatasetColumns


def named(header, result):
    """Return the columns by the header's names."""
    return {
        what: header[at]
        for what in DatasetColumns.__slots__
        if type(at := getattr(result, what)) is int
    }


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            ",track_id,artists,album_name,track_name,popularity,duration_ms,explicit,track_genre",
            {
                "track_id": "track_id",
                "artists": "artists",
                "album": "album_name",
                "title": "track_name",
                "popularity": "popularity",
                "duration": "duration_ms",
                "explicit": "explicit",
                "genre": "track_genre",
            },
        ),
        (
            (
                "track_id,track_name,track_artist,track_popularity,track_album_name,"
                "track_album_release_date,playlist_name,playlist_genre,playlist_subgenre"
            ),
            {
                "track_id": "track_id",
                "title": "track_name",
                "artists": "track_artist",
                "popularity": "track_popularity",
                "album": "track_album_name",
                "release_date": "track_album_release_date",
                "genre": "playlist_genre",
                "fine_genre": "playlist_subgenre",
                "broad_genre": "playlist_genre",
            },
        ),
        (
            "Track URI,Track Name,Artist Name(s),Album Name,Release Date,Duration (ms),Explicit",
            {
                "track_id": "Track URI",
                "title": "Track Name",
                "artists": "Artist Name(s)",
                "album": "Album Name",
                "release_date": "Release Date",
                "duration": "Duration (ms)",
                "explicit": "Explicit",
            },
        ),
    ],
)
def test_published_layouts_are_understood(header, expected):
    """The layouts of common datasets need no option."""
    names = header.split(",")
    assert named(names, columns.find_columns(names)) == expected


def test_the_genre_of_the_artist_is_never_the_genre():
    """`artist_genres` are genres of the artist, not of the track."""
    assert columns.find_columns(["title", "artist", "artist_genres"]).genre is None


def test_the_first_of_the_genre_columns_wins():
    """`genre` takes precedence over `track_genre` in any column order."""
    assert columns.find_columns(["title", "artist", "label", "track_genre", "genre"]).genre == 4


def test_a_genre_column_can_be_named():
    """`--genre-column` beats the usual ones; one that is not there is refused by name."""
    header = ["title", "artist", "genre", "My Style"]
    assert columns.find_columns(header, "My Style").genre == 3
    assert columns.find_columns(header, "my_style").genre == 3
    with pytest.raises(ColumnsMissing, match=r"'mood'.*title, artist, genre, My Style"):
        columns.find_columns(header, "mood")


def test_the_unit_of_a_duration_is_taken_from_its_name():
    """Seconds only if the column's name has the unit; a bare `duration` is ignored."""
    assert columns.find_columns(["title", "artist", "duration_s"]).milliseconds is False
    assert columns.find_columns(["title", "artist", "duration"]).duration is None


def test_percentages_are_not_features():
    """`danceability_%` runs to 100 and is another measure."""
    assert columns.find_columns(["title", "artist", "danceability_%"]).features[0] is None


def test_a_dataset_without_a_title_is_refused():
    """The message names the missing and the existing columns."""
    with pytest.raises(ColumnsMissing, match=r"title.*artist.*filename, tempo"):
        columns.find_columns(["filename", "tempo"])


def test_control_characters_of_a_name_do_not_reach_the_terminal():
    """They are escaped; letters of any script stay."""
    with pytest.raises(columns.ColumnsMissing) as refused:
        columns.find_columns(["\x1b[2J", "caf\udce9", "曲名"])
    assert "\\x1b[2J, caf\\udce9, 曲名" in str(refused.value)

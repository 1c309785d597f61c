"""The fields that a column can hold, by the names that `--column` takes."""

from typing import Final

FIELDS: Final = (
    *("id", "title", "artists", "artist_ids", "artist_count", "album", "release_date"),
    *(
        "release_year",
        "popularity",
        "duration",
        "explicit",
        "isrc",
        "split",
        "licence",
        "genre",
        "subgenre",
        "playlist",
    ),
    *("danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness"),
    *("instrumentalness", "liveness", "valence", "tempo", "time_signature"),
)
"""This module imports nothing slow, because help texts list the fields."""

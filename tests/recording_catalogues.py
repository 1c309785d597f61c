"""Small catalogues as MusicBrainz has them."""

from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from sandbox.tracks.recordings import RecordingCatalogue

COLUMNS = (
    "track_id", "track_name", "artists", "album_name", "release_date", "isrc", "duration_ms",
    "tempo", "key", "mode", "loudness", "danceability", "energy", "genre",
)  # fmt: skip
GENRES = ("rock", "indie rock", "hip hop", "underground hip hop", "r&b")
N_TRACKS = 2_000
MBID_COLUMNS = (
    "recording_mbid", "title", "artist_mbid", "artist_name", "release_mbid", "album",
    "release_date", "length_ms", "bpm", "key_key", "key_scale", "average_loudness",
    "danceability_dfa", "dynamic_complexity", "artist_term_msd",
)  # fmt: skip


def rows_of_tracks(n_tracks=N_TRACKS):
    for number in range(n_tracks):
        genres = [GENRES[number % len(GENRES)], *(["rock"] if number % 4 == 0 else [])]
        for genre in dict.fromkeys(genres):
            yield (
                f"{number:022}",
                f"Song {number}" + (" (feat. Guest)" if number % 3 == 0 else ""),
                f"Artist {number % 37}" + (";Guest" if number % 3 == 0 else ""),
                f"Album {number % 90}",
                f"{1960 + number % 60}-{1 + number % 12:02}-15",
                f"USRC1{number // 2:07}",
                str(180_000 + number * 7),
                *("120.5", "9", "0", "-7.5", "0.6", "0.7"),
                genre,
            )


def tracks_with_derived_ids(n_tracks=N_TRACKS):
    """A catalogue without MBIDs of its own."""
    return SandboxCatalogue(CatalogueTable(COLUMNS, list(rows_of_tracks(n_tracks)), "t", "0" * 64))


def mbid(number):
    return f"{number:08}-0000-4000-8000-000000000000"


def tracks_with_mbids(default_genre=None):
    """A catalogue with MBIDs; two recordings have one name, one has no genre, one no date."""
    rows = [
        (mbid(1), "One", mbid(91), "Ana", mbid(81), "A", "1999-05-06", "200400",
         "120.25", "A", "minor", "0.9", "1.1", "3.5", "rock"),
        (mbid(2), "One", mbid(91), "Ana", mbid(82), "B", "2001", "260000",
         "98.5", "C", "major", "0.8", "1.2", "2.5", "rock"),
        (mbid(3), "Two", mbid(92), "Bo", mbid(83), "C", "", "", "", "", "", "", "", "", ""),
    ]  # fmt: skip
    table = CatalogueTable(MBID_COLUMNS, rows, "m", "0" * 64, default_genre=default_genre)
    return SandboxCatalogue(table)


def recordings(catalogue=None):
    return RecordingCatalogue(catalogue or tracks_with_derived_ids())

"""Tracks parsed from rows of a dataset."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.datasets.column_roles import columns
from collector.datasets.rows import RowParser, RowRejection
from collector.datasets.scales.scale_inference import infer_scales
from collector.providers.feature_values import parse_audio_features
from collector.records import ArtistCredit, AudioFeatures
from genrebase.store import tables

ID = "6f807x0ima9a1j3VPbc7VN"
FEATURES = {
    "danceability": "0.5",
    "energy": "0.6",
    "key": "11",
    "loudness": "-7.5",
    "mode": "1",
    "speechiness": "0.05",
    "acousticness": "0.1",
    "instrumentalness": "0",
    "liveness": "0.2",
    "valence": "0.3",
    "tempo": "120.5",
    "time_signature": "4",
}


def reading(header, genre_column=None):
    result = columns.find_columns(header, genre_column)
    numbers = infer_scales(result, {}, last_year=2027)
    return RowParser(result, "csv:data.csv", numbers.parser)


def read(**cells):
    """Read one row of a dataset with these columns."""
    cells = {"title": "Song", "artist": "Artist", **cells}
    return reading(list(cells)).parse(list(cells.values()))


def track(**cells):
    return read(**cells).track


def features(**changed):
    return track(**(FEATURES | changed)).features


def test_a_whole_row():
    """Every cell reaches the track, typed."""
    parsed, genres, *_ = read(
        track_id=ID,
        album="Album",
        release_date="2019-06-14",
        popularity="91.0",
        duration_ms="194754",
        explicit="True",
        isrc="USS1Z9900001",
        split="train",
        genre=" r&b ",
        **FEATURES,
    )
    assert genres == ("r&b",)
    assert (parsed.source, parsed.source_id) == ("spotify", ID)
    assert (parsed.title, parsed.artists) == ("Song", (ArtistCredit("Artist"),))
    assert (parsed.album, parsed.release_date, parsed.release_year) == (
        "Album",
        "2019-06-14",
        2019,
    )
    assert (parsed.popularity, parsed.duration_ms, parsed.explicit) == (91, 194_754, True)
    assert (parsed.isrc, parsed.split) == ("USS1Z9900001", "train")
    assert parsed.features == AudioFeatures(
        0.5, 0.6, 11, -7.5, 1, 0.05, 0.1, 0.0, 0.2, 0.3, 120.5, 4
    )


@pytest.mark.parametrize("feature", tables.FEATURES)
@pytest.mark.parametrize("cell", ["", "nan", "1e9", "-1e9", "loud"])
def test_a_feature_out_of_its_range_is_null(feature, cell):
    """The track is kept."""
    parsed = features(**{feature: cell})
    assert getattr(parsed, feature) is None


def test_unknown_key_and_mode_are_null():
    """Spotify writes -1 for a key it did not find."""
    parsed = features(key="-1", mode="-1")
    assert (parsed.key, parsed.mode, parsed.tempo) == (None, None, 120.5)


def test_without_a_beat_dependent_features_are_null():
    """Tempo 0 is a failed analysis: time signature, danceability, valence, and speechiness 0."""
    parsed = features(tempo="0.0", speechiness="0.0")
    lost = ("tempo", "time_signature", "danceability", "valence", "speechiness")
    assert [name for name in tables.FEATURES if getattr(parsed, name) is None] == [
        name for name in tables.FEATURES if name in lost
    ]
    assert features(tempo="0").speechiness == 0.05


def test_a_time_signature_of_zero_is_null():
    """The beat was detected without its meter."""
    parsed = features(time_signature="0")
    assert (parsed.time_signature, parsed.tempo) == (None, 120.5)


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["", "0", "0.0", "-1", "1", "nan", "inf", "x", "4", "11", "3.5"]),
            st.floats().map(str),
            st.integers(-2, 500).map(str),
        ),
        min_size=len(FEATURES),
        max_size=len(FEATURES),
    )
)
def test_a_dataset_is_read_by_the_rules_of_every_provider(cells):
    """The fast path gives the same values as `parse_audio_features`."""
    row = dict(zip(FEATURES, cells, strict=True))
    assert features(**row) == parse_audio_features(row)


def test_without_any_feature_there_are_none():
    """Empty cells are no features; neither are columns that are not there."""
    assert features(**dict.fromkeys(FEATURES, "")) is None
    assert track().features is None


@pytest.mark.parametrize("word", ["", "NA", "nan", "null", "None"])
def test_a_row_without_a_name(word):
    """Title and artist are both empty or NA: nothing identifies the track."""
    assert read(title=word, artist=word) is RowRejection.NO_NAME


@pytest.mark.parametrize("word", ["NA", "nan", "null", "None"])
def test_a_song_may_be_called_none(word):
    """Text is text where the other half is there."""
    assert track(title=word).title == word
    assert track(artist=word).artists == (ArtistCredit(word),)


@pytest.mark.parametrize("cell", ["", "nan", "NaN", "None"])
def test_no_genre_is_no_genre(cell):
    """The row is taken without a label; 'nan' never becomes a class."""
    parsed, genres, *_ = read(genre=cell)
    assert (parsed.title, genres) == ("Song", ())


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        (f"spotify:track:{ID}", ("spotify", ID)),
        ("17", ("csv:data.csv", "17")),
        ("", ("name", "")),
        ("nan", ("name", "")),
        ("x" * 500, ("name", "")),
    ],
)
def test_ids_belong_to_spotify_or_the_file(cell, address):
    """22 characters of base 62 are a Spotify id; others belong to their file."""
    result = track(track_id=cell)
    assert (result.source, result.source_id) == address


def test_several_artists():
    """`artists` holds several, with ids where there are as many; a name twice is one credit."""
    other = "0" * 22
    cells = {"title": "T", "artists": "['A', 'B', 'A']", "artist_ids": f"['{ID}', '{other}', 'x']"}
    named = {**cells, "track_id": ID}
    parsed = reading(list(named)).parse(list(named.values())).track
    assert parsed.artists == (ArtistCredit("A", ID), ArtistCredit("B", other))
    anonymous = reading(list(cells)).parse(list(cells.values())).track
    assert anonymous.artists == (ArtistCredit("A"), ArtistCredit("B"))


def test_one_artist_is_not_taken_apart():
    """In a column for one artist, a semicolon is part of the name."""
    assert track(artist="A;B").artists == (ArtistCredit("A;B"),)


def test_a_track_without_an_artist_is_kept():
    """A title is enough."""
    assert track(artist="").artists == (ArtistCredit(""),)


def test_seconds_become_milliseconds():
    """If the column's name has the unit seconds."""
    assert track(duration_s="194.754").duration_ms == 194_754


@pytest.mark.parametrize("cell", ["0", "-5", "99999999999", "x"])
def test_an_impossible_duration_is_null(cell):
    """The track is kept."""
    assert track(duration_ms=cell).duration_ms is None


def test_a_year_stands_in_for_a_date():
    """A column of years is used if the date is missing."""
    result = track(release_date="0000", year="1999")
    assert (result.release_date, result.release_year) == ("1999", 1999)


def test_nul_characters_are_dropped():
    """No database stores them."""
    parsed, genres, *_ = read(title="So\0ng", artist="Ar\0tist", genre="po\0p", album="\0")
    assert (parsed.title, parsed.artists[0].name, *genres, parsed.album) == (
        "Song",
        "Artist",
        "pop",
        None,
    )


@pytest.mark.parametrize("column", ["title", "artist", "album", "genre", "playlist_subgenre"])
def test_undecodable_bytes_reject_the_row(column):
    """A name with holes would be another name."""
    assert read(**{"genre": "rock", column: "caf\udce9"}) is RowRejection.UNDECODABLE


@pytest.mark.parametrize("column", ["title", "artist", "album", "genre", "playlist_subgenre"])
@pytest.mark.parametrize("half", [0xD800, 0xD83C, 0xDC00, 0xDFB5])
def test_half_of_a_character_rejects_the_row(column, half):
    """It has nothing to do with the file's encoding: JSON wrote it as an escape."""
    assert read(**{"genre": "rock", column: f"caf{chr(half)}"}) is RowRejection.HALF_CHARACTER


@pytest.mark.parametrize("column", ["title", "artist"])
@pytest.mark.parametrize("text", ["x" * 5_000, "ﷺ" * 100, "🎵" * 1_000])
def test_a_name_too_long_for_an_index_rejects_the_row(column, text):
    """PostgreSQL's indexes have a size limit, also for normalised names."""
    assert read(**{column: text}) is RowRejection.TOO_LONG


def test_subgenres_are_paired_with_their_genre():
    """A fine genre belongs to a broad one; the row's own genre is the broad one."""
    header = ["title", "artist", "playlist_genre", "playlist_subgenre"]
    rows = reading(header)
    row = ["T", "A", "pop", "dance pop"]
    assert rows.parse(row)[1:3] == (("pop",), ("dance pop", "pop"))
    assert rows.parse(["T", "A", "pop", ""]).subgenre is None


def test_a_genre_is_one_line():
    """A line break inside a genre becomes a blank: a search query has one line."""
    header = ["track_name", "artists", "genre"]
    assert reading(header).parse(["Song", "Band", "rock\nmetal"]).genres == ("rock metal",)


@pytest.mark.parametrize("missing", ["title", "artist"])
def test_half_a_name_does_not_identify_a_track(missing):
    """Two rows without a title or an artist are two tracks, and the same row is the same track."""
    rows = [track(**{missing: ""}, genre=genre) for genre in ("pop", "rock", "pop")]
    assert [row.match_by_name for row in rows] == [False, False, False]
    assert [row.source for row in rows] == ["csv:data.csv"] * 3
    assert rows[0].source_id == rows[2].source_id != rows[1].source_id
    named = track(track_id=ID, **{missing: ""})
    assert (named.source, named.source_id, named.match_by_name) == ("spotify", ID, False)


def test_names_that_numpy_left_out_are_counted():
    """The names before and after the dots are kept; a title may hold dots."""
    header = ["title", "artist", "genre"]
    parser = reading(header)
    read_row = parser.parse(["Song ...", "['Ana' 'Bo' ... 'Zed']", "rock"])
    assert parser.shortened_cells == {header.index("artist"): 1}
    parser.parse(["Song", "...", "['pop' ... 'soul']"])
    parser.parse(["Song", "['Ana' ... 'Zed']", "['rock' '...']"])
    assert [artist.name for artist in read_row.track.artists] == ["Ana", "Bo", "Zed"]
    assert [hint.partition(" with ")[0] for hint in parser.hints(header)] == [
        "2 cells of artist",
        "1 cell of genre",
    ]

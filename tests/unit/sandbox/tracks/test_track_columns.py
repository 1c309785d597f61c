"""Columns of catalogue tables."""

import pytest

from genrebase.store.tables import FEATURES
from sandbox import ids
from sandbox.errors import UnusableCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from sandbox.tracks.track_columns import TrackColumns


def columns_of(names):
    return TrackColumns(CatalogueTable(tuple(names), (), "x.csv", ""))


def track(**cells):
    cells = {"genre": "rock", "track_name": "Song", "artists": "A"} | cells
    return columns_of(tuple(cells)).track(tuple(cells.values()))


@pytest.mark.parametrize(
    "columns",
    [
        "track_id track_name artist_name popularity genre duplicated_x",
        "track_id track_name track_artist playlist_genre playlist_subgenre",
        "track_id artists album_name track_name track_genre",
        "Title Artist LABEL",
    ],
)
def test_common_column_names_are_supported(columns):
    """Tables with the columns of published datasets need no change."""
    columns_of(columns.split())


@pytest.mark.parametrize(
    ("columns", "missing"),
    [("track_name artists", "genre"), ("genre artists", "title"), ("genre track_name", "artist")],
)
def test_missing_column_is_named(columns, missing):
    """The sentence names the missing field, the expected columns and the present ones."""
    with pytest.raises(UnusableCatalogue, match=rf"no column for (the|an?) {missing}.*It has"):
        columns_of(columns.split())


def test_one_artist_column_is_one_artist():
    """Only `artists` is a list; a name in another column may hold any character."""
    cells = {"genre": "g", "track_name": "t", "artist_name": "Earth; Wind, & Fire"}
    layout = columns_of(tuple(cells))
    assert layout.artists(tuple(cells.values())) == ("Earth; Wind, & Fire",)
    assert track(artists="A;B ; C").artists == ("A", "B", "C")


def test_a_row_is_listed_under_genre_and_subgenre():
    """A row is listed under its genre and its subgenre, once where they are the same."""
    layout = columns_of(["playlist_genre", "playlist_subgenre", "track_name", "artists"])
    assert layout.genres(("edm", "big room", "t", "a")) == ("edm", "big room")
    assert layout.genres(("edm", "edm", "t", "a")) == ("edm",)
    assert layout.genres(("", "", "t", "a")) == ()


def test_text_is_not_interpreted():
    """A song called NA by nan keeps both names."""
    result = track(track_name="NA", artists="nan")
    assert (result.title, result.artists) == ("NA", ("nan",))


def test_unnamed_row_is_served():
    """A row without any name keeps its id and has one artist without a name."""
    result = track(track_name="", artists="", track_id="x" * 22)
    assert (result.id, result.title, result.artists) == ("x" * 22, "", ("",))


def test_a_row_without_an_id_gets_one_from_its_name():
    """The derived id has Spotify's form and is the same for the same name."""
    assert ids.is_id(track().id)
    assert track().id == track(track_name="SONG").id != track(track_name="Other").id


@pytest.mark.parametrize("date", ["1994", "1994-05", "1994-05-31"])
def test_release_dates_keep_their_precision(date):
    """A date keeps its precision."""
    assert track(release_date=date).release_date == date


def test_a_float_year_is_a_year():
    """1994.0 is 1994."""
    assert track(year="1994.0").release_date == "1994"


@pytest.mark.parametrize("cells", [{}, {"release_date": ""}])
def test_a_derived_year_is_returned_and_searchable(cells):
    """Without a date the year is derived from the id, in responses and searches."""
    cells = {"genre": "g", "track_name": "t", "artists": "a", "track_id": "b" * 22} | cells
    layout = columns_of(tuple(cells))
    row = tuple(cells.values())
    assert layout.track(row).release_date == str(layout.year(row))
    assert 1950 <= layout.year(row) <= 2026


def test_date_0000_is_kept_and_searchable():
    """Spotify returns such dates; the row is still listed under some year."""
    layout = columns_of(["genre", "track_name", "artists", "release_date"])
    row = ("g", "t", "a", "0000")
    assert layout.track(row).release_date == "0000"
    assert 1950 <= layout.year(row) <= 2026


def test_float_numbers_are_rounded():
    """`91.0` is 91, text that is no number is none."""
    result = track(popularity="91.0", duration_ms="1000.0", explicit="True")
    assert (result.popularity, result.duration_ms, result.explicit) == (91, 1000, True)
    assert track(popularity="n/a").popularity == 0


def test_missing_features_are_left_out():
    """Blank and non-finite cells are left out; categories are whole numbers."""
    result = track(tempo="120.5", key="7.0", energy="", valence="nan").features
    assert result == {"tempo": 120.5, "key": 7}
    assert isinstance(result["key"], int)
    assert track(**dict.fromkeys(FEATURES, "")).features == {}


@pytest.mark.parametrize(
    "cell",
    ["['Ana', 'Bo']", '["Ana", "Bo"]', "['Ana' 'Bo']", "[{'name': 'Ana'}, {'name': 'Bo'}]"],
)
def test_artists_are_read_as_an_import_reads_them(cell):
    """Lists in every spelling."""
    assert track(artists=cell).artists == ("Ana", "Bo")


def test_a_damaged_list_is_no_name():
    """The row has an artist without a name."""
    assert track(artists="['Ana', 'B").artists == ("",)


def test_genres_are_read_as_an_import_reads_them():
    """A row is listed under each genre of a list; an empty list is none."""
    layout = columns_of(["genre", "track_name", "artists"])
    assert layout.genres(("['pop', 'dance pop']", "t", "a")) == ("pop", "dance pop")
    assert layout.genres(("[]", "t", "a")) == layout.genres(("\\N", "t", "a")) == ()


@pytest.mark.parametrize("cell", ["-1", "0", "x", "1e12", ""])
def test_an_impossible_duration_is_missing(cell):
    """It is served as a missing one."""
    assert track(duration_ms=cell).duration_ms == 0


@pytest.mark.parametrize("cell", ["soon", "99/99/2017", "-1", "3017"])
def test_a_date_that_is_none_is_missing(cell):
    """A year is derived, as for a missing date."""
    assert track(release_date=cell).release_date == track(release_date="").release_date


def test_content_decides_as_in_an_import():
    """Scales, ids and artists are those of the whole table."""
    rows = [
        (str(n), f"spotify:track:{n:022d}", f"T{n}", "Ana, Bo", "2", f"{n % 100}", "pop")
        for n in range(1, 60)
    ]
    header = ("id", "uri", "title", "artists", "artist_count", "energy", "genre")
    table = CatalogueTable(header, rows, "x.csv", "0" * 64)
    layout = TrackColumns(table)
    result = layout.track(rows[4])
    assert (result.id, result.artists) == (f"{5:022d}", ("Ana", "Bo"))
    assert result.features["energy"] == pytest.approx(0.05)

"""Searches in the sandbox's catalogue."""

from sandbox.tracks import catalogue, search_query
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable

COLUMNS = (
    "track_id",
    "track_name",
    "artists",
    "album_name",
    "year",
    "isrc",
    "genre",
    "popularity",
)
ROWS = [
    ("a" * 22, "One", "Abba", "First", "1990", "US1", "rock", "10"),
    ("b" * 22, "Two", "Abba;Björk", "First", "1991", "US2", "r&b", "20"),
    ("a" * 22, "One", "Abba", "First", "1990", "US1", "R&B", "10"),
    ("a" * 22, "One", "Abba", "First", "1990", "US1", "rock", "10"),
    ("c" * 22, "夜", "きみ", "Night", "2001", "", "rock", "30"),
    ("d" * 22, "NA", "NA", "", "1999", "", "", "0"),
]
SMALL = SandboxCatalogue(CatalogueTable(COLUMNS, ROWS, "small.csv", "0" * 64))


def matches(text):
    return list(SMALL.search(search_query.parse_query(text)))


def test_genre_rows_keep_file_order_and_repeats():
    """A search returns the file's rows, repeated ids included."""
    assert matches('genre:"rock"') == [0, 3, 4]


def test_genre_is_matched_whole_and_in_any_case():
    """`R&B` is `r&b`; `r` is neither."""
    assert matches('genre:"r&b"') == matches("genre:R&B") == [1, 2]
    assert matches("genre:r") == []


def test_genres_keep_the_spelling_of_their_first_row():
    """Rows without a genre are listed under no genre."""
    assert SMALL.genres == {"rock": 3, "r&b": 2}


def test_years_are_inclusive():
    """First and last year belong to the range."""
    assert matches("genre:rock year:1990-2001") == [0, 3, 4]
    assert matches("genre:rock year:2001") == [4]
    assert matches("genre:rock year:1991-2000") == []
    assert matches("genre:rock year:never") == []


def test_year_ranges_partition_the_genre():
    """Every row is in exactly one range."""
    slices = [matches(f"genre:rock year:{year}") for year in range(1900, 2031)]
    assert sorted(number for slice_ in slices for number in slice_) == matches("genre:rock")


def test_searches_without_a_genre_return_each_id_once():
    """Artists, tracks, albums, ISRCs and words match in every genre."""
    assert matches("artist:abba") == [0, 1]
    assert matches("artist:BJÖRK") == [1]
    assert matches('track:"夜"') == [4]
    assert matches('album:"first" year:1991') == [1]
    assert matches("isrc:us1") == [0]
    assert matches("two abba") == [1]
    assert matches("track:NA") == [5]


def test_an_id_returns_its_first_row():
    """Unknown ids return nothing."""
    assert SMALL.track_by_id("c" * 22).title == "夜"
    assert SMALL.track_by_id("e" * 22) is None


def test_an_artist_id_is_derived_from_the_name():
    """Genres and popularity come from the rows."""
    abba = SMALL.artist_by_id(catalogue.id_of_artist(" ABBA "))
    assert (abba.name, abba.genres, abba.popularity) == ("Abba", ("rock", "r&b", "R&B"), 20)
    assert SMALL.artist_by_id("e" * 22) is None

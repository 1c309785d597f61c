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


def found(text):
    return list(SMALL.search(search_query.parse_query(text)))


def test_genre_rows_come_in_the_files_order_with_repeats():
    """A search shows what the file has, repeated ids included."""
    assert found('genre:"rock"') == [0, 3, 4]


def test_genre_is_matched_whole_and_in_any_case():
    """`R&B` is `r&b`; `r` is neither."""
    assert found('genre:"r&b"') == found("genre:R&B") == [1, 2]
    assert found("genre:r") == []


def test_genres_are_spelled_as_they_first_come():
    """Rows without a genre are under none."""
    assert SMALL.genres == {"rock": 3, "r&b": 2}


def test_years_are_inclusive():
    """First and last year belong to the range."""
    assert found("genre:rock year:1990-2001") == [0, 3, 4]
    assert found("genre:rock year:2001") == [4]
    assert found("genre:rock year:1991-2000") == []
    assert found("genre:rock year:never") == []


def test_year_slices_together_are_the_genre():
    """However the years are cut, every row is in exactly one slice."""
    slices = [found(f"genre:rock year:{year}") for year in range(1900, 2031)]
    assert sorted(number for slice_ in slices for number in slice_) == found("genre:rock")


def test_without_a_genre_each_id_comes_once():
    """Artists, tracks, albums, ISRCs and words are found in every genre."""
    assert found("artist:abba") == [0, 1]
    assert found("artist:BJÖRK") == [1]
    assert found('track:"夜"') == [4]
    assert found('album:"first" year:1991') == [1]
    assert found("isrc:us1") == [0]
    assert found("two abba") == [1]
    assert found("track:NA") == [5]


def test_first_row_of_an_id_answers_for_it():
    """Ids are found, others are not."""
    assert SMALL.track_by_id("c" * 22).title == "夜"
    assert SMALL.track_by_id("e" * 22) is None


def test_artist_is_known_by_name():
    """An artist's id is that of the name; genres and popularity come from the rows."""
    abba = SMALL.artist_by_id(catalogue.id_of_artist(" ABBA "))
    assert (abba.name, abba.genres, abba.popularity) == ("Abba", ("rock", "r&b", "R&B"), 20)
    assert SMALL.artist_by_id("e" * 22) is None

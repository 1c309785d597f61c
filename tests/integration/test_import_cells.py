"""What the cells of a table hold reaches the database: credits, genres, ids and names."""

import csv
import unicodedata

import pyarrow as pa
import pytest
from pyarrow import parquet
from sqlalchemy import select

from genrebase.store import tables, views
from genrebase.store.engine import read_transaction
from tests.import_runs import run_dataset

ANA, BO, CY = (f"0aaaaaaaaaaaaaaaaaaab{n}" for n in (1, 2, 3))
BLUE, RED, TAN, LIME = (f"0aaaaaaaaaaaaaaaaaaaa{n}" for n in (1, 2, 3, 4))


@pytest.fixture
def run(sqlite_engine, tmp_path):
    """Import a table, given by its columns, and return the result."""

    def import_table(table, **options):
        path = tmp_path / "data.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(table)
            writer.writerows(zip(*table.values(), strict=True))
        return run_dataset(sqlite_engine, path, **options)

    return import_table


@pytest.fixture
def stored(sqlite_engine):
    """Return columns of the stored tracks, in their order."""

    def read(*names):
        columns = [views.tracks.c[name] for name in names]
        with read_transaction(sqlite_engine) as connection:
            query = select(*columns).order_by(views.tracks.c.track_id)
            rows = [tuple(row) for row in connection.execute(query)]
        return [row[0] for row in rows] if len(names) == 1 else rows

    return read


@pytest.fixture
def sighted(sqlite_engine):
    """Return the genres that a track was seen in, by title."""

    def read():
        by_title = {}
        query = select(views.tracks.c.title, views.track_genres.c.genre).join(
            views.track_genres, views.track_genres.c.track_id == views.tracks.c.track_id
        )
        with read_transaction(sqlite_engine) as connection:
            for title, genre in connection.execute(query):
                by_title.setdefault(title, set()).add(genre)
        return by_title

    return read


def aliases(engine):
    alias = tables.track_alias
    with read_transaction(engine) as connection:
        return {
            tuple(row) for row in connection.execute(select(alias.c.source, alias.c.source_id))
        }


def artists(engine):
    artist = tables.artist
    with read_transaction(engine) as connection:
        return {
            tuple(row) for row in connection.execute(select(artist.c.source_id, artist.c.name))
        }


@pytest.mark.parametrize("separator", [", ", ";", " & ", " / ", " | "])
def test_as_many_artists_as_uris(run, stored, sqlite_engine, separator):
    """An Exportify table: each artist has its id, nobody has two names."""
    uri = "spotify:artist:"
    run(
        {
            "Track URI": [f"spotify:track:{track}" for track in (BLUE, RED, TAN, LIME)],
            "Track Name": ["Blue", "Red", "Tan", "Lime"],
            "Artist URI(s)": [
                f"{uri}{ANA}, {uri}{BO}",
                uri + BO,
                f"{uri}{CY}, {uri}{BO}",
                uri + ANA,
            ],
            "Artist Name(s)": [f"Ana{separator}Bo", "Bo", f"Cy{separator}Bo", "Ana"],
        }
    )
    assert stored("artists") == ["Ana; Bo", "Bo", "Cy; Bo", "Ana"]
    assert artists(sqlite_engine) == {(ANA, "Ana"), (BO, "Bo"), (CY, "Cy")}


def test_a_name_with_a_comma_stays_one(run, stored, sqlite_engine):
    """One URI means one artist; other rows show where the names of several end."""
    tyler = "Tyler, The Creator"
    result = run(
        {
            "Track URI": [BLUE, RED, TAN],
            "Track Name": ["Blue", "Red", "Tan"],
            "Artist URI(s)": [ANA, f"{ANA}, {BO}", f"{CY}, {ANA}"],
            "Artist Name(s)": [tyler, f"{tyler}, Bo", f"Cy, {tyler}"],
        }
    )
    assert stored("artists") == [tyler, f"{tyler}; Bo", f"Cy; {tyler}"]
    assert artists(sqlite_engine) == {(ANA, tyler), (BO, "Bo"), (CY, "Cy")}
    assert result.unreadable == {}


def test_names_that_do_not_match_their_ids_are_counted(run, stored, sqlite_engine):
    """One credit without an id, which is counted."""
    result = run(
        {
            "Track URI": [BLUE],
            "Track Name": ["Blue"],
            "Artist URI(s)": [f"{ANA}, {BO}, {CY}"],
            "Artist Name(s)": ["Ana, Bo & Cy"],
        }
    )
    assert stored("artists") == ["Ana; Bo; Cy"]
    result = run(
        {
            "Track URI": [RED],
            "Track Name": ["Red"],
            "Artist URI(s)": [f"{ANA}, {BO}"],
            "Artist Name(s)": ["Crosby, Stills, Nash"],
        }
    )
    assert stored("artists")[1] == "Crosby, Stills, Nash"
    assert result.unreadable == {"Artist URI(s)": 1}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("[{'id': 'x', 'name': 'Ana Ferro'}, {'id': 'y', 'name': 'Bo Lind'}]", "['Bo Lind']"),
        ("['Ana Ferro' 'Bo Lind']", "['Bo Lind']"),
        ("['Ana Ferro'\n 'Bo Lind']", "['Bo Lind']"),
        ("('Ana Ferro', 'Bo Lind')", "('Bo Lind',)"),
        ('["Ana Ferro", "Bo Lind"]', '["Bo Lind"]'),
        ("Ana Ferro;Bo Lind", "Bo Lind"),
    ],
)
def test_lists_of_artists(run, stored, first, second):
    """Whatever wrote them; titles that are equal are not merged."""
    result = run(
        {
            "track_id": ["x1", "x2", "x3"],
            "track_name": ["Blue", "Red", "Blue"],
            "artists": [first, second, "['Cy Mo']"],
            "genre": ["pop"] * 3,
        }
    )
    assert stored("title", "artists") == [
        ("Blue", "Ana Ferro; Bo Lind"),
        ("Red", "Bo Lind"),
        ("Blue", "Cy Mo"),
    ]
    assert (result.tracks_new, result.duplicates) == (3, 0)


def test_a_damaged_list_of_artists_rejects_the_row(run, stored):
    """It is neither one name nor none, and it is counted."""
    result = run(
        {"track_name": ["Blue", "Red"], "artists": ["['Ana', 'B", "['Bo']"], "genre": ["pop"] * 2}
    )
    assert stored("title") == ["Red"]
    assert result.reasons == {"the list of artists is damaged": 1}


def test_an_empty_list_is_no_genre(run, stored):
    """In every spelling; none of them is a genre."""
    cells = ["[]", "\\N", "#N/A", "(null)", "set()", "{}", "()", "[nan]", "pop"]
    titles = [f"T{number}" for number in range(len(cells))]
    result = run({"track_name": titles, "artist_name": titles, "genre": cells})
    assert stored("label") == [None] * 8 + ["pop"]
    assert (result.unlabelled, result.genres, result.unreadable) == (8, 1, {})


@pytest.mark.parametrize(
    "cell",
    ["['pop', 'dance pop']", '["pop", "dance pop"]', "['pop' 'dance pop']", "pop; dance pop"],
)
def test_the_first_genre_of_a_list_is_the_claim(run, stored, sighted, cell):
    """The others are sightings, however often they were seen before."""
    titles = ["Blue", "Red", "Tan"]
    run({"track_name": titles, "artist_name": titles, "genre": ["['pop']", "pop", cell]})
    assert stored("label") == ["pop"] * 3
    assert sighted()["Tan"] == {"pop", "dance pop"}


def test_lists_of_parquet(sqlite_engine, tmp_path, stored, sighted):
    """Lists and structs, without a name that nobody gave."""
    path = tmp_path / "l.parquet"
    table = {
        "id": [BLUE, RED, TAN],
        "name": ["Blue", "Red", "Tan"],
        "artists": [
            [{"name": "Ana", "id": ANA}],
            [{"name": "Bo", "id": BO}, {"name": "Ana", "id": ANA}],
            [{"name": "Cy", "id": CY}],
        ],
        "genre": [["pop", "rock"], ["rock"], []],
    }
    parquet.write_table(pa.table(table), path)
    run_dataset(sqlite_engine, path)
    assert stored("artists", "label") == [("Ana", "pop"), ("Bo; Ana", "rock"), ("Cy", None)]
    assert sighted() == {"Blue": {"pop", "rock"}, "Red": {"rock"}}
    assert artists(sqlite_engine) == {(ANA, "Ana"), (BO, "Bo"), (CY, "Cy")}


def test_unicode_forms_are_one_genre(run, stored):
    """Other case is another genre; both are named."""
    genres = [unicodedata.normalize(form, "música") for form in ("NFC", "NFD")]
    result = run(
        {
            "track_name": ["A", "B", "C"],
            "artist_name": ["a", "b", "c"],
            "genre": [*genres, unicodedata.normalize("NFD", "MúSICA")],
        }
    )
    assert stored("label") == ["m\xfasica", "m\xfasica", "M\xfaSICA"]
    assert result.similar_genres == [["M\xfaSICA", "m\xfasica"]]


def test_a_record_label_is_no_genre(run, stored):
    """The artists' genres count, and the import reports both."""
    result = run(
        {
            "Track URI": [f"spotify:track:{BLUE}", f"spotify:track:{RED}"],
            "Track Name": ["Blue", "Red"],
            "Artist Name(s)": ["Ana", "Bo"],
            "Artist Genres": ["pop,dance pop", "rock"],
            "Label": ["Blue Tile Records", "Sea Music Ltd"],
        }
    )
    assert stored("label") == ["pop", "rock"]
    assert result.columns["genre"] == "Artist Genres"
    assert result.ignored_columns == ("Label",)


def test_genres_are_separated_by_commas_only_when_asked(run, stored):
    """Else a hint names the option."""
    table = {"track_name": ["Blue"], "artist_name": ["Ana"], "genre": ["pop, rock"]}
    result = run(table)
    assert stored("label") == ["pop, rock"]
    assert result.warnings[0] == (
        "1 cell of genre with a comma, taken as one name each; if they are lists: "
        "--genre-separator ,"
    )
    result = run({**table, "track_name": ["Red"]}, genre_separator=",")
    assert stored("label")[1] == "pop"
    assert result.warnings == ()


def test_uris_beat_row_numbers(run, sqlite_engine):
    """`collector enrich` can request them."""
    result = run(
        {
            "id": ["1", "2"],
            "uri": [f"spotify:track:{BLUE}", f"spotify:track:{RED}"],
            "name": ["Blue", "Red"],
            "artist": ["Ana", "Bo"],
            "genre": ["pop", "rock"],
        }
    )
    assert aliases(sqlite_engine) == {("spotify", BLUE), ("spotify", RED)}
    assert result.ignored_columns == ("id",)


def test_names_that_python_wrote_as_bytes(run, stored):
    """They are decoded, and so are references of HTML."""
    run(
        {
            "Title": ["b'Blue'", 'b"It\'s"', "Red &amp; Blue"],
            "Artist Name": ["b'Rapha\\xc3\\xabl'", "b'Ana'", "B-side"],
            "Album": ["b'Caf\\xc3\\xa9'", "b''", "R&#39;s"],
        }
    )
    assert stored("title", "artists", "album") == [
        ("Blue", "Raphaël", "Café"),
        ("It's", "Ana", None),
        ("Red & Blue", "B-side", "R's"),
    ]


def test_a_count_of_artists_splits_their_names(run, stored):
    """As many names as `artist_count` states; one stays one."""
    table = {
        "track_name": ["A", "B", "C", "D"],
        "artist(s)_name": ["Ana, Bo", "Tyler, The Creator", "Tyler, The Creator, Ana", "Ana"],
        "artist_count": ["2", "1", "2", "1"],
        "released_year": ["2023"] * 4,
    }
    result = run(table)
    assert stored("artists") == [
        "Ana; Bo",
        "Tyler, The Creator",
        "Tyler, The Creator; Ana",
        "Ana",
    ]
    assert result.warnings == ()


def test_names_joined_by_commas_without_a_count(run, stored):
    """They are split where each of the names stands alone in another row, else counted."""
    result = run(
        {
            "track_name": ["A", "B", "C", "D"],
            "artist(s)_name": ["Ana, Bo", "Ana", "Bo", "Earth, Wind & Fire"],
        }
    )
    assert stored("artists") == ["Ana; Bo", "Ana", "Bo", "Earth, Wind & Fire"]
    assert "1 cell of artist(s)_name with a comma" in result.warnings[0]

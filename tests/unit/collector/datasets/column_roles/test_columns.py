"""Columns of datasets."""

import pytest

from collector.datasets.column_roles import columns
from collector.datasets.column_roles.columns import ColumnsMissing, DatasetColumns
from collector.datasets.rows import RowParser
from collector.datasets.scales.scale_inference import infer_scales
from collector.datasets.survey import summarise
from genrebase.errors import UserError

ID, OTHER_ID = "0aaaaaaaaaaaaaaaaaaaa1", "0aaaaaaaaaaaaaaaaaaaa2"


def find(table, **options):
    """Find the columns of a table, given as names with their cells."""
    summaries = {at: summarise(name, table[name]) for at, name in enumerate(table)}
    return columns.find_columns(list(table), survey=summaries, **options)


def named(header, result):
    """Return the columns by the header's names."""
    return {
        what: header[at]
        for what in DatasetColumns.__slots__
        if type(at := getattr(result, what)) is int
    } | {what: header[column.position] for what, column in result.numeric.items()}


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
                "playlist": "playlist_name",
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


def test_genres_of_the_artist_count_where_the_track_has_none():
    """The import reports it; a genre of the track comes first."""
    found = columns.find_columns(["title", "artist", "Artist Genres"])
    assert (found.genre, found.genre_separator) == (2, ",")
    assert found.notes == ("Artist Genres holds genres of the artists: the first of them counts.",)
    assert columns.find_columns(["title", "artist", "artist_genres", "genre"]).genre == 3


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
    """Without one, the numbers decide."""
    for name, unit in (("duration_s", "s"), ("Length (min)", "min"), ("duration", None)):
        assert columns.find_columns(["title", "artist", name]).numeric["duration"] == (2, unit)


def test_percentages_are_features():
    """`danceability_%` runs to 100."""
    column = columns.find_columns(["title", "artist", "danceability_%"]).numeric["danceability"]
    assert column == (2, "percent")


def test_a_dataset_without_a_title_is_refused():
    """The message names the missing and the existing columns."""
    with pytest.raises(ColumnsMissing, match=r"title.*artist.*filename, tempo"):
        columns.find_columns(["filename", "tempo"])


def test_control_characters_of_a_name_do_not_reach_the_terminal():
    """They are escaped; letters of any script stay."""
    with pytest.raises(columns.ColumnsMissing) as refused:
        columns.find_columns(["\x1b[2J", "caf\udce9", "曲名"])
    assert "\\x1b[2J, caf\\udce9, 曲名" in str(refused.value)


@pytest.mark.parametrize(
    ("title", "artist"),
    [
        ("track_name", "artist(s)_name"),
        ("trackName", "artistName"),
        ("track_name", "artists_name"),
        ("Track Name", "Artist Name(s)"),
        ("track.name", "track.artists.name"),
        ("NAME", "ARTISTS"),
        ("Song Title", "Performer"),
        ("Song-Name", "Artist Names"),
        ("track-name", "Track Artist"),
        ("Titel", "Künstler"),
        ("Título", "Artista"),
    ],
)
def test_names_are_compared_by_letters_and_digits(title, artist):
    """Case, blanks, brackets, points and underscores do not matter."""
    found = columns.find_columns(["index", title, artist])
    assert (found.title, found.artists) == (1, 2)


@pytest.mark.parametrize(
    "header",
    [
        (
            "Track-URI,Track-Name,Künstler-URI(s),Künstlername(n),Album-Name,"
            "Veröffentlichungsdatum des Albums,Track-Dauer (ms),Künstler-Genres,Label,Tonart"
        ),
        (
            "URI du titre,Nom du titre,URI(s) de l'artiste,Nom(s) de l'artiste,Nom de l'album,"
            "Date de sortie de l'album,Durée du titre (ms),Genres de l'artiste,Label,Tonalité"
        ),
        (
            "URI de la canción,Nombre de la canción,URI(s) del artista,Nombre(s) del artista,"
            "Nombre del álbum,Fecha de lanzamiento del álbum,Duración de la canción (ms),"
            "Géneros del artista,Sello,Tonalidad"
        ),
        (
            "トラックURI,トラック名,アーティストURI,アーティスト名,アルバム名,アルバム発売日,"
            "トラックの長さ（ミリ秒）,アーティストジャンル,レーベル,キー"
        ),
    ],
)
def test_headers_in_other_languages(header):
    """Exportify writes its columns' names in the language of its user."""
    found = columns.find_columns(header.split(","))
    assert (found.track_id, found.title, found.artist_ids, found.artists) == (0, 1, 2, 3)
    assert (found.album, found.release_date, found.genre) == (4, 5, 7)
    assert found.numeric == {"duration": (6, "ms"), "key": (9, None)}


def test_ids_are_chosen_by_content():
    """Spotify's ids come before running numbers and before other ids, whatever their names."""
    names = {"name": ["Blue", "Red"], "artist": ["Ana", "Bo"]}
    uris = [f"spotify:track:{ID}", f"spotify:track:{OTHER_ID}"]
    assert find({"id": ["1", "2"], "uri": uris, **names}).track_id == 1
    assert find({"track_id": ["x", "y"], **names, "whatever": [ID, OTHER_ID]}).track_id == 3
    assert find({"track_id": ["x", "y"], **names, "album_id": [ID, OTHER_ID]}).track_id == 0
    assert find({"id": ["1", "2"], **names, "artist_id": [ID, OTHER_ID]}).track_id is None
    urls = [f"https://open.spotify.com/track/{ID}", ""]
    assert find({"id": ["7", "9"], **names, "Album Track Link": urls}).track_id == 3


def test_running_numbers_are_no_ids():
    """They number the rows of one file; the import reports it."""
    names = {"name": ["Blue", "Red"], "artist": ["Ana", "Bo"]}
    found = find({"id": ["0", "1"], **names})
    assert found.track_id is None
    assert found.notes == ("id numbers the rows and is not taken as an id.",)
    assert find({"id": ["17", "4"], **names}).track_id == 0
    assert find({"id": ["0" * 22, "0" * 21 + "1"], **names}).track_id == 0
    assert find({"id": ["1", "2"], "track_id": ["x7", "x9"], **names}).track_id == 1


def test_a_column_of_ids_holds_no_names():
    """`artists` may hold ids, `track` may number the tracks."""
    table = {
        "track": ["1", "2"],
        "song": ["Blue", "Red"],
        "artists": [ID, OTHER_ID],
        "artist": ["Ana", "Bo"],
    }
    found = find(table)
    assert (found.title, found.artists, found.many_artists) == (1, 3, False)


@pytest.mark.parametrize(
    "cells",
    [
        [f"['{ID}', '{OTHER_ID}']", f"['{ID}']"],
        [f"spotify:artist:{ID},spotify:artist:{OTHER_ID}", f"spotify:artist:{ID}"],
        [f"https://open.spotify.com/artist/{ID}?si=a1; {OTHER_ID}", f'["{ID}"]'],
    ],
)
def test_lists_of_ids_are_the_ids_of_the_artists(cells):
    """Whatever their column is called; the names stand in another one."""
    table = {"artists": cells, "artist_name": ["Ana, Bo", "Ana"], "name": ["Blue", "Red"]}
    result = find(table)
    assert (result.artists, result.artist_ids) == (1, 0)


NAMES = {"name": ["A", "B", "C", "D"], "artist": ["a", "b", "c", "d"]}


@pytest.mark.parametrize(
    ("label", "beside"),
    [
        (["Blue Tile Records", "Sea Music Ltd", "Sea Music Ltd", "Blue Tile Records"], {}),
        (["pop", "rock", "jazz", "folk"], {}),
        (["Columbia", "Columbia", "Capitol", "Capitol"], {}),
        (["pop", "pop", "rock", "rock"], {"Copyrights": ["x"] * 4}),
        (["pop", "pop", "rock", "rock"], {"Album Genres": [""] * 4}),
        (["(P) 2019 Ana", "(P) 2019 Ana", "x", "x"], {}),
    ],
)
def test_a_record_label_is_no_genre(label, beside):
    """Unless its values repeat, are no companies, and nothing beside it is called a genre."""
    found = find({**NAMES, "Label": label, **beside})
    assert found.genre is None or list({**NAMES, "Label": 0, **beside})[found.genre] != "Label"


def test_a_label_that_is_no_genre_is_reported():
    """With the option that takes it."""
    (note,) = find({**NAMES, "Label": ["A Records", "B", "C", "D"]}).notes
    assert note.endswith("--genre-column Label")


def test_a_label_may_be_the_genre():
    """Its values repeat, and no other column is called a genre."""
    assert find({**NAMES, "label": ["pop", "pop", "rock", "rock"]}).genre == 2
    assert find({**NAMES, "label": ["world music", "world music", "rock", "rock"]}).genre == 2


def test_an_empty_genre_column_is_passed_over():
    """Exportify's genres of albums are empty; numbers are no genres."""
    filled = ["pop"] * 4
    assert find({**NAMES, "Album Genres": ["[]"] * 4, "Artist Genres": filled}).genre == 3
    assert find({**NAMES, "genre": ["3"] * 4, "genre_name": filled}).genre == 3
    found = find({**NAMES, "genre": ["3"] * 4})
    assert found.genre is None
    assert found.notes == (
        "genre holds numbers only, which are no genres: replace them by names.",
    )


def test_overrides_come_first():
    """A field is given a column by its name, or none at all."""
    header = ["title", "artist", "genre", "Other Title", "Style (own)"]
    found = columns.find_columns(header, overrides={"title": "other title", "genre": ""})
    assert (found.title, found.genre) == (3, None)
    assert columns.find_columns(header, overrides={"genre": "style own"}).genre == 4
    with pytest.raises(ColumnsMissing, match=r"'mood'.*title, artist"):
        columns.find_columns(header, overrides={"title": "mood"})
    with pytest.raises(UserError, match=r"'colour'.*title, artists"):
        columns.find_columns(header, overrides={"colour": "title"})


def test_every_column_has_a_role_or_is_ignored():
    """In one message."""
    header = ["Track Name", "artists", "genre", "mood", ""]
    found = columns.find_columns(header)
    assert found.roles == {0: "title", 1: "artists", 2: "genre"}
    assert columns.describe(*columns.name_columns(header, found)) == (
        "Columns: title=Track Name, artists, genre; ignored: mood, (unnamed)."
    )


@pytest.mark.parametrize(
    ("others", "title"),
    [
        ({"name": ["My Playlist"] * 4, "track": ["A", "B", "C", "D"]}, "track"),
        ({"title": ["Mine"] * 4, "song": ["A", "B", "C", "A"]}, "song"),
        ({"name": ["Mine", "Mine", "Yours", "Yours"], "track": list("ABCD")}, "name"),
        ({"name": ["One", "Two"] * 4, "Track Title": list("ABCDEFGH")}, "Track Title"),
        ({"name": ["One"] * 3 + ["Two"], "track": ["Blue", "Red", "Tan", "Lime"]}, "track"),
        ({"name": ["A", "B", "C", "C"], "track": ["1", "2", "3", "4"]}, "name"),
    ],
)
def test_a_constant_name_beside_varied_titles_is_no_title(others, title):
    rows = len(next(iter(others.values())))
    table = {**others, "artist": ["Ana"] * rows}
    assert list(table)[find(table).title] == title


@pytest.mark.parametrize(
    ("labels", "is_genre"),
    [
        (["Ostgut Ton", "Kompakt", "Ninja Tune", "Hyperdub", "Stones Throw"], False),
        (["Warp", "4AD", "Mute", "Rough Trade", "Blue Note"], False),
        (["0", "1"], False),
        (["rock", "Hip-Hop", "hip hop", "Deep House", "Techno"], True),
        (["Jazz", "K-Pop", "Folk", "Indie Rock", "Post-Punk"], True),
    ],
)
def test_a_label_is_a_genre_if_most_values_are_named_as_genres(labels, is_genre):
    rows = labels * 4
    table = {"name": [f"T{n}" for n in range(len(rows))], "artist": ["Ana"] * len(rows)}
    found = find({**table, "label": rows})
    assert (found.genre is not None) == is_genre
    (note,) = found.notes
    assert ("--column genre=" in note) == is_genre
    assert find({**table, "label": rows}, genre_column="label").genre == 2
    assert find({**table, "label": rows}, overrides={"genre": ""}).genre is None


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (
            (
                "Titel",
                "Interpret",
                "Energie",
                "Tanzbarkeit",
                "Tonart",
                "Dauer (ms)",
                "Beliebtheit",
            ),
            ("energy", "danceability", "key", "duration", "popularity"),
        ),
        (("Titre", "Artiste", "Énergie", "Durée (ms)", "Genre"), ("energy", "duration", "genre")),
        (("Título", "Artista", "Energía", "Género"), ("energy", "genre")),
        (("曲名", "アーティスト", "ジャンル", "テンポ"), ("genre", "tempo")),
        (("title", "artist", "duration_in min/ms"), ("duration",)),
        (("title", "artist", "Camelot"), ("key",)),
        (("title", "creator", "key_name", "mode_name"), ("key", "mode")),
        (("title", "artist", "Volume"), ()),
    ],
)
def test_names_of_other_languages(header, expected):
    """A name that may mean something else, such as a volume, is not the loudness."""
    result = columns.find_columns(header)
    assert {"title", "artists", *expected} == set(named(header, result))


def test_the_artist_beside_an_empty_list():
    """ListenBrainz lists the artists in some rows, and names the credit in all."""
    rows = {"track_name": ["Blue", "Red"], "artist_names": ["['Ana', 'Bo']", ""]}
    result = find(rows | {"artist_name": ["Ana & Bo", "Cy"]})
    assert (result.artists, result.main_artist) == (1, 2)
    parser = RowParser(result, "csv:data.csv", infer_scales(result, {}, 2027).parser)
    artists = [
        tuple(artist.name for artist in parser.parse(row).track.artists)
        for row in (("Blue", "['Ana', 'Bo']", "Ana & Bo"), ("Red", "", "Cy"))
    ]
    assert artists == [("Ana", "Bo"), ("Cy",)]


def test_addresses_of_artists_under_any_name():
    """The only column with addresses of artists holds their ids."""
    table = {
        "title": ["Blue", "Red"],
        "artists": ["Ana, Bo", "Bo"],
        "wykonawcy": [f"spotify:artist:{ID}, spotify:artist:{OTHER_ID}", f"spotify:artist:{ID}"],
    }
    assert find(table).artist_ids == 2
    assert find(table | {"others": table["wykonawcy"]}).artist_ids is None

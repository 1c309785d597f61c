"""JSON and JSON lines: lists of tracks wherever they lie in a document."""

import json

import pytest

from collector.datasets import reader
from collector.datasets.formats.table import BrokenRow, DamagedFile, NotADataset
from tests.dataset_tables import open_table

TRACKS = [
    {"track_name": "Blue", "artist_name": "Ana", "genre": ["pop", "rock"], "tempo": 120.5},
    {"track_name": "Café", "artist_name": "Bo", "explicit": True, "tempo": None},
]
ROWS = [
    {"track_name": "Blue", "artist_name": "Ana", "genre": '["pop", "rock"]', "tempo": "120.5"},
    {"track_name": "Café", "artist_name": "Bo", "explicit": "True"},
]
PRIVACY_PLAYLIST = {
    "playlists": [
        {
            "name": "Mine",
            "lastModifiedDate": "2024-01-01",
            "items": [
                {
                    "track": {
                        "trackName": "Blue",
                        "artistName": "Ana",
                        "albumName": "Tiles",
                        "trackUri": "spotify:track:0aaaaaaaaaaaaaaaaaaaa1",
                    },
                    "episode": None,
                    "localTrack": None,
                    "addedDate": "2023-12-31",
                }
            ],
        },
        {"name": "Empty", "items": []},
    ]
}
SLICE = {
    "info": {"slice": "0-1"},
    "playlists": [
        {
            "name": "Throwbacks",
            "pid": pid,
            "tracks": [
                {"pos": 0, "artist_name": "Ana", "track_uri": "u", "track_name": f"Blue {pid}"}
            ],
        }
        for pid in range(3)
    ],
}
LISTEN = {
    "listened_at": 1,
    "track_metadata": {
        "artist_name": "Ana",
        "track_name": "Blue",
        "additional_info": {"spotify_id": "https://open.spotify.com/track/x", "isrc": "Q"},
        "mbid_mapping": {"artists": [{"artist_mbid": "m"}], "recording_mbid": "r"},
    },
}


@pytest.fixture
def read(tmp_path):
    def read_rows(document, table=None):
        path = tmp_path / "data.json"
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            text = document if isinstance(document, str) else json.dumps(document, indent=1)
            path.write_text(text, encoding="utf-8")
        with open_table(path, table) as dataset:
            passes = [list(dataset.rows()) for _ in range(2)]
            assert passes[0] == passes[1]
            return [
                row
                if isinstance(row, BrokenRow)
                else {n: c for n, c in zip(dataset.header, row, strict=True) if c}
                for row in passes[0]
            ]

    return read_rows


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(TRACKS),
        json.dumps(TRACKS, ensure_ascii=False, indent=2),
        "\ufeff" + json.dumps(TRACKS),
        "\n".join(json.dumps(track) for track in TRACKS) + "\n",
        "\n\n".join(json.dumps(track) for track in TRACKS),
        json.dumps({"tracks": TRACKS, "albums": [{"album": "Tiles", "artist": "Ana"}]}),
        json.dumps({"data": {"listed": TRACKS}}),
        json.dumps(TRACKS).encode("utf-16"),
        json.dumps([{"added_at": "", "track": track} for track in TRACKS]),
        json.dumps({"href": "", "items": [{"track": track} for track in TRACKS]}),
    ],
)
def test_a_list_of_tracks_is_a_table(read, text):
    """An array, lines, or a list inside of objects; nested values are JSON text."""
    assert read(text) == ROWS


def test_playlists_of_a_privacy_export_hold_tracks(read):
    """Their names, albums and URIs are columns."""
    assert read(PRIVACY_PLAYLIST) == [
        {
            "trackName": "Blue",
            "artistName": "Ana",
            "albumName": "Tiles",
            "trackUri": "spotify:track:0aaaaaaaaaaaaaaaaaaaa1",
            "addedDate": "2023-12-31",
        }
    ]


def test_slices_of_playlists_hold_tracks(read):
    """All playlists of a slice are one table."""
    assert [row["track_name"] for row in read(SLICE)] == ["Blue 0", "Blue 1", "Blue 2"]


def test_listens_hold_tracks(read):
    """Wrappers leave no trace in the names, other objects do."""
    lines = f"{json.dumps(LISTEN)}\n{json.dumps(LISTEN)}\n"
    expected = {
        "listened_at": "1",
        "artist_name": "Ana",
        "track_name": "Blue",
        "spotify_id": "https://open.spotify.com/track/x",
        "isrc": "Q",
        "mbid_mapping.artists": '[{"artist_mbid": "m"}]',
        "mbid_mapping.recording_mbid": "r",
    }
    assert read(lines) == [expected, expected]
    assert read({"payload": {"count": 1, "listens": [LISTEN]}}) == [expected]


def test_the_tracks_of_albums_are_the_table(read):
    """Although an album has a name and artists, too."""
    album = {"name": "Tiles", "artists": ["Ana"], "tracks": TRACKS}
    assert read([album, album]) == [{**row, "album": "Tiles"} for row in ROWS] * 2


def test_the_artists_of_tracks_are_no_table(read):
    """They are a cell of their track."""
    track = {"name": "Blue", "artists": [{"name": "Ana", "artist": "x"}]}
    assert read([track]) == [{"name": "Blue", "artists": '[{"name": "Ana", "artist": "x"}]'}]


def test_tracks_by_id_are_a_table(read):
    """An object of objects, as pandas writes with orient="index"."""
    document = {f"x{n}": {"name": f"Blue {n}", "artist": "Ana"} for n in range(3)}
    assert read(document)[2] == {"id": "x2", "name": "Blue 2", "artist": "Ana"}


@pytest.mark.parametrize(
    "document",
    [
        {"name": {"0": "Blue", "1": "Red"}, "artist": {"0": "Ana", "1": "Bo"}},
        {"name": ["Blue", "Red"], "artist": ["Ana", "Bo"]},
        {"columns": ["name", "artist"], "index": [0, 1], "data": [["Blue", "Ana"], ["Red", "Bo"]]},
        [["name", "artist"], ["Blue", "Ana"], ["Red", "Bo"]],
    ],
)
def test_tables_by_columns_or_without_names_of_cells(read, document):
    """The forms in which pandas writes a frame, and a list of rows below a header."""
    assert read(document) == [{"name": "Blue", "artist": "Ana"}, {"name": "Red", "artist": "Bo"}]


def test_one_track_is_a_table_of_one_row(read):
    """As a catalogue returns it."""
    track = {
        "name": "Blue",
        "artists": [{"name": "Ana", "id": "a"}],
        "album": {"name": "Tiles", "artists": [{"name": "Ana"}]},
    }
    assert read(track) == [
        {
            "name": "Blue",
            "artists": '[{"name": "Ana", "id": "a"}]',
            "album.name": "Tiles",
            "album.artists": '[{"name": "Ana"}]',
        }
    ]


def test_a_line_that_is_no_json_costs_no_other(read):
    """It is counted with its reason."""
    lines = [json.dumps(TRACKS[0]), '{"track_name": "Cut', json.dumps(TRACKS[1])]
    assert read("\n".join(lines)) == [ROWS[0], BrokenRow.NOT_JSON, ROWS[1]]


def test_nan_is_missing_or_text(read):
    """Python writes it, although it is no JSON."""
    [row] = read('[{"name": "A", "artist": "B", "tempo": NaN}]')
    assert row["tempo"] == "nan"


def test_a_long_list_is_read_in_pieces(read):
    """Elements lie across the borders of what is read at once."""
    tracks = [{"name": f"Song {n}", "artist": "x" * (n % 700)} for n in range(5_000)]
    rows = read(tracks)
    assert [row["name"] for row in rows] == [track["name"] for track in tracks]
    assert rows[699]["artist"] == "x" * 699


def test_a_truncated_document_is_damaged(tmp_path):
    """Its rows so far are yielded."""
    path = tmp_path / "cut.json"
    path.write_text(json.dumps(TRACKS)[:-20])
    with reader.open_dataset(path) as dataset:
        rows = dataset.rows()
        assert next(rows)[0] == "Blue"
        with pytest.raises(DamagedFile, match="get the whole file"):
            list(rows)


def test_an_object_of_many_members_stays_one_cell(read):
    """Such as counts by word: they are no columns."""
    words = {f"w{n}": n for n in range(300)}
    [row] = read([{"name": "A", "artist": "B", "words": words}])
    assert json.loads(row["words"]) == words


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ('{"username": "ana", "country": "DE"}', "without a list of tracks.*username, country"),
        ("[]", "without a list of tracks"),
        ("[[1, 2], [3]]", "without a list of tracks"),
        ('["a", "b"]', "without a list of tracks"),
        ('{"broken', "begins like JSON, but is none"),
    ],
)
def test_json_without_lists_of_objects_is_refused(read, text, match):
    """The sentence says what the document is."""
    with pytest.raises(NotADataset, match=match):
        read(text)


SONG = {"name": "Song 0", "duration": 200}


def rows_of(tmp_path, document):
    path = tmp_path / "nested.json"
    path.write_text(json.dumps(document))
    with reader.open_tables(path) as entries:
        tables = [entry.open() for entry in entries]
        return [dict(zip(t.header, row, strict=True)) for t in tables for row in t.rows()]


@pytest.mark.parametrize("name", ["artist-credit", "artists", "performers", "contributors"])
def test_a_list_inside_a_track_is_a_cell_of_it(tmp_path, name):
    people = [{"name": "Ana", "artist": {"id": "x", "name": "Ana"}}]
    track = {"title": "Song 0", "length": 223000, name: people}

    (row,) = rows_of(tmp_path, {"recordings": [track]})

    assert row["title"] == "Song 0"


@pytest.mark.parametrize(
    ("document", "album"),
    [
        ({"albums": [{"name": "Alb", "artist": "Ana", "genre": "rock", "tracks": [SONG]}]}, "Alb"),
        (
            {"releases": [{"title": "Alb", "artist": "Ana", "genre": "rock", "songs": [SONG]}]},
            "Alb",
        ),
        ({"name": "Alb", "artist": "Ana", "genre": "rock", "tracks": [SONG]}, "Alb"),
        (
            {
                "artists": [
                    {
                        "name": "Ana",
                        "genre": "rock",
                        "albums": [{"title": "Alb", "tracks": {"items": [SONG]}}],
                    }
                ]
            },
            "Alb",
        ),
        (
            {
                "releases": [
                    {
                        "title": "Alb",
                        "artist": "Ana",
                        "genre": "rock",
                        "media": [{"title": "Disc 1", "tracks": [SONG]}],
                    }
                ]
            },
            "Alb",
        ),
    ],
)
def test_the_tracks_of_an_album_have_its_name_artist_and_genre(tmp_path, document, album):
    (row,) = rows_of(tmp_path, document)

    given = row["name"], row["duration"], row["artist"], row["album"], row["genre"]
    assert given == ("Song 0", "200", "Ana", album, "rock")


def test_a_track_keeps_its_own_artist_and_a_playlist_is_no_album(tmp_path):
    track = {"title": "Blue", "artists": ["Bo"]}

    (own,) = rows_of(tmp_path, {"albums": [{"name": "Alb", "artist": "Ana", "tracks": [track]}]})
    (listed,) = rows_of(tmp_path, {"playlists": [{"name": "Mine", "tracks": [track]}]})

    assert own == {"title": "Blue", "artists": '["Bo"]', "album": "Alb"}
    assert listed == {"title": "Blue", "artists": '["Bo"]'}


def test_a_number_of_thousands_of_digits_is_refused(read):
    """Python converts none that long; the message says so."""
    with pytest.raises(NotADataset, match="4300 digits"):
        read(b'[{"title": "A", "artist": "B", "genre": "rock", "tempo": ' + b"9" * 5_000 + b"}]")

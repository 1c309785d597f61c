"""The commands over the catalogue: one JSON document each, of the shape others rely on."""

import json

import pytest
from typer.testing import CliRunner

from collector.cli import app
from collector.errors import NothingImported
from genrebase.errors import UserError

ID = "6f807x0ima9a1j3VPbc7VN"
ROWS = f"""track_id,track_name,artists,track_genre
{ID},Song,Artist,r&b
{ID},Song,Artist,50's
,NA,,pop
"""


@pytest.fixture
def collector(sqlite_url, monkeypatch, tmp_path):
    """Run a command on an empty database; return its standard output."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.csv").write_text(ROWS)

    def call(*arguments):
        result = CliRunner().invoke(app, arguments)
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return call


def document(collector, *arguments):
    """The one JSON document on standard output."""
    return json.loads(collector(*arguments, "--json"))


def test_import(collector, tmp_path):
    """New, duplicate and rejected rows are all rows."""
    response = document(collector, "import", "data.csv", "--rejected", "why.csv")
    keys = ("rows", "tracks_new", "duplicates", "rejected")
    assert [response[key] for key in keys] == [3, 1, 1, 1]
    assert response["reasons"] == {"no name": 1}
    assert (tmp_path / "why.csv").read_text() == "row,reason\n3,no name\n"


def test_import_prints_messages(collector):
    """Without --json the import prints the same counts as messages."""
    reported = collector("import", "data.csv")
    assert "3 rows: 1 new track, 1 duplicate, 1 rejected" in reported
    assert "Rejected 1: no name." in reported
    again = collector("import", "data.csv")
    assert "3 rows: imported before as import 1, nothing has changed." in again


def test_a_new_version_says_what_it_corrected(collector, tmp_path):
    """What is different is counted; nothing is said of corrections if the file is unchanged."""
    collector("import", "data.csv")
    (tmp_path / "data.csv").write_text(ROWS + ",Another,Somebody,pop\n")
    second = collector("import", "data.csv")
    assert "A new version of import 1: nothing had to be corrected." in second
    (tmp_path / "data.csv").write_text(ROWS + ",Another,Somebody,rock\n")
    assert "A new version of import 1, 2, corrected: 1 track." in collector("import", "data.csv")
    assert "new version" not in collector("import", "data.csv")


def test_an_import_of_another_encoding_fails_with_a_hint(collector, tmp_path):
    """If no row can be decoded the import fails; with the encoding named it succeeds."""
    rows = "".join(f"caf\xe9 {n},A,pop\n" for n in range(3))
    (tmp_path / "latin.csv").write_bytes(b"title,artist,genre\n" + rows.encode("latin-1"))
    with pytest.raises(NothingImported, match="--encoding latin-1"):
        collector("import", "latin.csv")
    assert document(collector, "import", "latin.csv", "--encoding", "latin-1")["rejected"] == 0


def test_an_import_reports_suspicious_values(collector, tmp_path):
    """Unreadable cells and similar genre names are reported."""
    (tmp_path / "odd.csv").write_text(
        "title,artist,genre,tempo\nS,A,Rock,x\nT,A,rock,120\nU,A,rock,99.5\n"
    )
    reported = collector("import", "odd.csv")
    assert "tempo (1)" in reported
    assert "'Rock', 'rock' differ only by case, blanks, hyphens or Unicode form" in reported


def test_genres(collector):
    """Every change returns the genre in its new state."""
    added = document(collector, "genres", "add", "r&b", "--target", "5", "--playlist", ID)
    assert added == {
        "name": "r&b",
        "target": 5,
        "paused": False,
        "sightings": 0,
        "tracks": 0,
        "playlists": [ID],
    }
    assert document(collector, "genres", "target", "r&b", "9")["target"] == 9
    assert document(collector, "genres", "target", "r&b", "none")["target"] is None
    assert document(collector, "genres", "pause", "r&b")["paused"] is True
    assert document(collector, "genres", "resume", "r&b")["paused"] is False
    assert document(collector, "genres", "rename", "r&b", "soul")["name"] == "soul"
    assert document(collector, "genres", "import", "data.csv", "--target", "3")["target"] == 3
    assert document(collector, "genres", "merge", "soul", "r&b")["into"]["playlists"] == [ID]
    assert document(collector, "genres", "remove", "pop")["name"] == "pop"
    assert [one["name"] for one in document(collector, "genres", "list")] == ["50's", "r&b"]


def test_genres_prints_a_table(collector):
    """Without --json genres are a table; an empty database gets a hint."""
    assert "genres add NAME" in collector("genres", "list")
    collector("import", "data.csv")
    assert "50's" in collector("genres", "list")


def test_a_target_is_a_number(collector):
    """Or `none`; anything else is a usage error."""
    collector("genres", "add", "pop", "--target", "1")
    with pytest.raises(SystemExit) as ended:
        collector("genres", "target", "pop", "many")
    assert ended.value.code == 2


def test_label(collector):
    """Given, carried out and in, taken back."""
    collector("import", "data.csv")
    given = document(collector, "label", ID, "50's", "--by", "ann", "--note", "hm")
    assert (given["genre"], given["by"], given["source_id"]) == ("50's", "ann", ID)
    with pytest.raises(UserError, match="--by NAME"):
        collector("label", ID, "50's")
    assert document(collector, "label", "--export", "labels.csv")["labels"] == 1
    assert len(document(collector, "label", f"spotify:track:{ID}", "--remove")["removed"]) == 1
    assert document(collector, "label", "--import", "labels.csv")["labelled"] == 1


@pytest.mark.parametrize("arguments", [(), (ID,), (ID, "pop", "--export", "x.csv")])
def test_label_accepts_one_action(collector, arguments):
    """A track and a genre, or a file to read or write."""
    with pytest.raises(UserError, match="Use one of"):
        collector("label", *arguments)


def test_status(collector):
    """The shape that others rely on."""
    collector("import", "data.csv")
    collector("genres", "target", "r&b", "10")
    response = document(collector, "status")
    keys = ("tracks", "sightings", "with_features", "requests", "blocked_until")
    assert [response[key] for key in keys] == [1, 2, 0, 0, None]
    plain = {"tracks", "sightings", "with_features", "name", "target"}
    assert all(plain <= one.keys() for one in response["genres"])
    assert "1 track by 1 artist" in collector("status")

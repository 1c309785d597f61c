"""Commands on a database with one track: `1 track`, never `1 tracks`, and no empty tables."""

import re

import pytest
from typer.testing import CliRunner

from collector.cli import app

PLURALS = re.compile(r"(?<![\d.,])1 (?:[a-z]+ )?(?:[a-z]+[^s\W]s|analyses)\b(?<!has)(?<!is)")
"""A plural after the number 1."""
ID = "6f807x0ima9a1j3VPbc7VN"


@pytest.fixture
def collector(sqlite_url, monkeypatch, tmp_path):
    """Run a command; return its output."""
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one.csv").write_text(
        f"track_id,track_name,artists,track_genre\n{ID},Song,Ann,r&b\n"
    )
    (tmp_path / "names.txt").write_text("jazz\n")
    (tmp_path / "map.csv").write_text("fine,broad\nr&b,pop\n")

    def call(*arguments):
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None, result.output
        return " ".join(result.output.split())

    return call


def test_one_of_everything(collector):
    """Import, genres, mapping, label, status, forget and undo."""
    commands = [
        ("import", "one.csv", "--dry-run"),
        ("import", "one.csv"),
        ("import", "one.csv"),
        ("imports", "list"),
        ("genres", "import", "names.txt", "--target", "1"),
        ("genres", "list"),
        ("genres", "map", "map.csv", "--mapping", "mine"),
        ("genres", "mappings", "--remove", "mine"),
        ("label", ID, "r&b", "--by", "me"),
        ("label", "--export", "labels.csv"),
        ("status",),
        ("forget", "--origin", "csv:one.csv", "--older-than", "0h", "--dry-run"),
        ("imports", "undo", "1"),
    ]
    printed = {command: collector(*command) for command in commands}
    plurals = {name: PLURALS.findall(text) for name, text in printed.items()}
    assert plurals == {name: [] for name in printed}
    assert "1 row: 1 new track (" in printed["import", "one.csv", "--dry-run"]
    assert "imported before as import 1" in printed["import", "one.csv"]
    assert "Exported 1 label to labels.csv." in printed["label", "--export", "labels.csv"]
    assert "1 track by 1 artist, 1 sighting" in printed["status",]


def test_the_pattern_finds_plurals():
    """What the messages were before."""
    for text in ("1 tracks by", "in 1 requests.", "1 new tracks", "1 analyses"):
        assert PLURALS.search(text), text
    for text in ("1 track", "21 tracks", "1 row has", "0.1 files", "1 label is", "1,001 tracks"):
        assert not PLURALS.search(text), text


def test_an_empty_database_has_no_empty_tables(collector):
    """A sentence says what to do instead."""
    for command in (("status",), ("imports", "list"), ("genres", "list")):
        text = collector(*command)
        assert "━" not in text
        assert "collector" in text

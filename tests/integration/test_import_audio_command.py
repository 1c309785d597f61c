"""What `collector import-audio` prints, and its JSON document."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from collector.cli import app
from tests import synthetic_audio


@pytest.fixture
def music(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one good file, one with remarks, and several that are passed over."""
    folder = tmp_path / "music"
    folder.mkdir()
    song = synthetic_audio.song(9, 1, seconds=3.0)
    synthetic_audio.write(folder / "good.wav", song)
    synthetic_audio.write(folder / "anti.wav", np.stack([song, -song], axis=1))
    (folder / "anti.wav").rename(folder / os.fsdecode(b"anti\xe9.wav"))
    for name in ("a.m4a", "b.m4a", "c.wma", "d.webm"):
        (folder / name).write_bytes(os.urandom(8) + bytes(500))
    (folder / "text.mp3").write_text("no audio\n" * 100)
    for name in ("cover.jpg", "list.m3u", "other.jpg"):
        (folder / name).write_bytes(b"x")
    (folder / "loop").symlink_to(folder)
    monkeypatch.setenv("STORE_URL", sqlite_url)
    monkeypatch.setenv("PATH", str(tmp_path))  # without ffmpeg
    return folder


def test_nothing_is_dropped_silently(music: Path) -> None:
    """Every file is analysed, listed with a reason, or counted by its kind."""
    rejected = music.parent / "rejected.csv"
    options = ["--workers", "1", "--rejected", str(rejected)]
    result = CliRunner().invoke(app, ["import-audio", str(music), *options])
    printed = " ".join(result.output.split())
    assert result.exit_code == 0, printed
    assert "7 files: 2 analysed (2 new tracks), 5 could not be read" in printed
    assert "4 files of kinds that need ffmpeg, which is not installed: .m4a (2), " in printed
    assert "Ignored 3 files of other kinds: .jpg (2), .m3u (1)." in printed
    assert "Linked folders that lead to folders read already: 1." in printed
    assert "text.mp3: this is not audio that can be decoded." in printed
    assert "Remarks on 1 imported file:" in printed
    assert r"anti\xe9.wav: the channels cancel each other: the polarity of channel 2" in printed
    with rejected.open(encoding="utf-8") as file:
        rows = [(Path(row["path"]).name, row["outcome"]) for row in csv.DictReader(file)]
    assert sorted(rows) == [
        ("a.m4a", "not imported"),
        (r"anti\xe9.wav", "imported"),
        (r"anti\xe9.wav", "imported"),
        ("b.m4a", "not imported"),
        ("c.wma", "not imported"),
        ("d.webm", "not imported"),
        ("text.mp3", "not imported"),
    ]


def test_the_document_has_the_same(music: Path) -> None:
    """Remarks, kinds that were passed over, other kinds and links."""
    result = CliRunner().invoke(app, ["import-audio", str(music), "--workers", "1", "--json"])
    document = json.loads(result.stdout[result.stdout.index("{") :])
    assert document["passed_over"] == {".m4a": 2, ".wma": 1, ".webm": 1}
    assert document["ignored"] == {".jpg": 2, ".m3u": 1}
    assert document["links"] == {"followed": 0, "repeated": 1}
    assert len(document["unreadable"]) == 5
    assert {Path(one["path"]).name for one in document["remarks"]} == {r"anti\xe9.wav"}
    assert document["renamed"] == 0

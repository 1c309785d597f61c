"""Which files there are."""

import os
from pathlib import Path

import pytest

from genrebase.audio import scan
from genrebase.errors import NothingToDo, UserError


def test_sound_files_are_found_in_one_order(tmp_path: Path) -> None:
    """Folder by folder by name; hidden ones and other kinds of files are passed over."""
    for name in (
        "b/2.MP3",
        "b/10.mp3",
        "a/ü x.flac",
        "z.wav",
        "b/cover.jpg",
        ".h/x.mp3",
        "._z.wav",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"xy")
    files, problems = scan.find_audio_files(tmp_path)
    assert [file.relative_path for file in files] == ["z.wav", "a/ü x.flac", "b/10.mp3", "b/2.MP3"]
    assert problems == []
    assert {file.size for file in files} == {2}
    assert files[1].key == str(tmp_path / "a/ü x.flac")


def test_one_file_may_be_called_anything(tmp_path: Path) -> None:
    """Who names a file means it."""
    (tmp_path / "sound.bin").write_bytes(b"x")
    files, _ = scan.find_audio_files(tmp_path / "sound.bin")
    assert [file.relative_path for file in files] == ["sound.bin"]


def test_what_is_no_file_is_told_of(tmp_path: Path) -> None:
    """A link to nowhere and a pipe are lines of the list, and nothing waits for them."""
    (tmp_path / "a.mp3").symlink_to(tmp_path / "gone.mp3")
    os.mkfifo(tmp_path / "b.mp3")
    files, problems = scan.find_audio_files(tmp_path)
    assert files == []
    assert [(Path(one.path).name, one.reason) for one in problems] == [
        ("a.mp3", "it cannot be looked at: No such file or directory"),
        ("b.mp3", "it is no file"),
    ]


def test_nothing_to_find_is_said(tmp_path: Path) -> None:
    """No such folder is a mistake, a folder without sound is nothing to do."""
    with pytest.raises(UserError, match="no such file or folder"):
        scan.find_audio_files(tmp_path / "nowhere")
    with pytest.raises(NothingToDo, match="holds no sound files"):
        scan.find_audio_files(tmp_path)


def test_any_path_can_be_stored() -> None:
    """Bytes that are no characters, and paths longer than a key may be."""
    odd = scan.AudioFile(Path(os.fsdecode(b"/m/caf\xe9.mp3")), "", 1, 1)
    assert odd.key == r"/m/caf\xe9.mp3"
    long = scan.AudioFile(Path("/m", "x" * 3_000), "", 1, 1)
    assert long.key.startswith("sha256:")
    assert len(long.key) < 100

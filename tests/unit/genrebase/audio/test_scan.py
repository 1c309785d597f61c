"""Scanning a folder for audio files."""

import os
from pathlib import Path

import pytest

from genrebase.audio import scan
from genrebase.errors import NothingToDo, UserError


def test_the_order_is_stable(tmp_path: Path) -> None:
    """By folder, then by name; hidden files and other kinds of files are skipped."""
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
    files, unreadable = scan.find_audio_files(tmp_path)
    assert [file.relative_path for file in files] == ["z.wav", "a/ü x.flac", "b/10.mp3", "b/2.MP3"]
    assert unreadable == []
    assert {file.size for file in files} == {2}
    assert files[1].key == str(tmp_path / "a/ü x.flac")


def test_a_single_file_may_have_any_suffix(tmp_path: Path) -> None:
    """The file was named explicitly."""
    (tmp_path / "sound.bin").write_bytes(b"x")
    files, _ = scan.find_audio_files(tmp_path / "sound.bin")
    assert [file.relative_path for file in files] == ["sound.bin"]


def test_special_files_are_reported(tmp_path: Path) -> None:
    """A broken link and a pipe are reported, and nothing blocks on them."""
    (tmp_path / "a.mp3").symlink_to(tmp_path / "gone.mp3")
    os.mkfifo(tmp_path / "b.mp3")
    files, unreadable = scan.find_audio_files(tmp_path)
    assert files == []
    assert [(Path(one.path).name, one.reason) for one in unreadable] == [
        ("a.mp3", "its size and time cannot be read: No such file or directory"),
        ("b.mp3", "it is not a regular file"),
    ]


def test_a_missing_path_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    """A missing path is a user error; a folder without audio files is nothing to do."""
    with pytest.raises(UserError, match="no such file or folder"):
        scan.find_audio_files(tmp_path / "nowhere")
    with pytest.raises(NothingToDo, match="holds no audio files"):
        scan.find_audio_files(tmp_path)


def test_any_path_can_be_stored() -> None:
    """Undecodable bytes, and paths longer than an index key."""
    odd = scan.AudioFile(Path(os.fsdecode(b"/m/caf\xe9.mp3")), "", 1, 1)
    assert odd.key == r"/m/caf\xe9.mp3"
    long = scan.AudioFile(Path("/m", "x" * 3_000), "", 1, 1)
    assert long.key.startswith("sha256:")
    assert len(long.key) < 100


def test_a_missing_library_is_named_with_its_extra() -> None:
    """The message names the extra to install."""
    with pytest.raises(UserError, match=r"needs no_such_thing: pip install 'genrebase\[audio\]'"):
        scan.require_libraries(("numpy", "no_such_thing"))

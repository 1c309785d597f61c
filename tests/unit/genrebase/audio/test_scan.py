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
    found = scan.find_audio_files(tmp_path)
    files = found.files
    assert [file.relative_path for file in files] == ["z.wav", "a/ü x.flac", "b/10.mp3", "b/2.MP3"]
    assert (found.unreadable, found.ignored) == ([], {".jpg": 1})
    assert {file.size for file in files} == {2}
    assert files[1].key == str(tmp_path / "a/ü x.flac")


def test_a_single_file_may_have_any_suffix(tmp_path: Path) -> None:
    """The file was named explicitly."""
    (tmp_path / "sound.bin").write_bytes(b"x")
    files = scan.find_audio_files(tmp_path / "sound.bin").files
    assert [file.relative_path for file in files] == ["sound.bin"]


def test_special_files_are_reported(tmp_path: Path) -> None:
    """A broken link and a pipe are reported, and nothing blocks on them."""
    (tmp_path / "a.mp3").symlink_to(tmp_path / "gone.mp3")
    os.mkfifo(tmp_path / "b.mp3")
    found = scan.find_audio_files(tmp_path)
    assert found.files == []
    assert [(Path(one.path).name, one.reason) for one in found.unreadable] == [
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
    with pytest.raises(
        UserError, match=r"needs no_such_thing. In the clone: pip install .* -e '\.\[audio\]'"
    ):
        scan.require_libraries(("numpy", "no_such_thing"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (b"caf\xe9", "café"),
        ("café".encode(), "café"),
        (b"\x93Bj\xf6rk\x94", "“Björk”"),
        ("ü".encode() + b" caf\xe9", r"ü caf\xe9"),
        ("Søren".encode()[:2], r"S\xc3"),
        (b"a\x81b", r"a\x81b"),
    ],
)
def test_a_name_that_is_not_utf8_is_read_as_western_or_escaped(name: bytes, text: str) -> None:
    """Windows-1252 where all of it fits; a name of which a part is UTF-8 is escaped."""
    expected = "SÃ" if name == b"S\xc3" else text
    assert scan.name_text(os.fsdecode(name)) == expected


def test_linked_folders_are_read_once(tmp_path: Path) -> None:
    """Also those outside the folder; a loop, and a second link, lead to nothing new."""
    music, other = tmp_path / "music", tmp_path / "other"
    for path in (music / "z" / "a.wav", other / "deep" / "b.wav"):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"x")
    (music / "a link").symlink_to(music / "z")
    (music / "away").symlink_to(other)
    (music / "away too").symlink_to(other)
    (other / "deep" / "loop").symlink_to(music)
    (music / "nowhere").symlink_to(tmp_path / "gone")
    found = scan.find_audio_files(music)
    assert [file.relative_path for file in found.files] == ["z/a.wav", "away/deep/b.wav"]
    assert (found.links_followed, found.links_repeated) == (1, 3)
    assert found.ignored == {"": 1}
    assert found.unreadable == []


def test_kinds_for_ffmpeg_are_audio_files(tmp_path: Path) -> None:
    """Whether ffmpeg is installed or not: what cannot be decoded is reported later."""
    kinds = ["m4a", "mp4", "m4b", "webm", "wma", "mka", "3gp", "ac3", "dsf", "mpga", "aac"]
    for kind in kinds:
        (tmp_path / f"a.{kind.upper()}").write_bytes(b"x")
    assert len(scan.find_audio_files(tmp_path).files) == len(kinds)

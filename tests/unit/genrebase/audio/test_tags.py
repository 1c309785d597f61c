"""Tags of the usual kinds of files."""

from pathlib import Path

import mutagen
import pytest
from mutagen.id3 import ID3, TALB, TCON, TDRC, TIT2, TPE1, TSRC

from genrebase.audio import tags
from genrebase.audio.tags import AudioTags
from tests import synthetic_audio

SAID = {"title": "Jóga", "artist": ["Björk", "Guest"], "album": "Homogenic", "date": "1997"}
EXPECTED = AudioTags("Jóga", ("Björk", "Guest"), "Homogenic", "1997", ("Rock",), "GBAYC9700104")


@pytest.mark.parametrize("kind", ["mp3", "flac", "ogg"])
def test_tags_are_read(tmp_path: Path, kind: str) -> None:
    """All file formats give the same tags."""
    path = synthetic_audio.write(tmp_path / f"a.{kind}", synthetic_audio.tone(0, 1.0))
    file = mutagen.File(path, easy=True)
    file.update({**SAID, "genre": "Rock", "isrc": "GBAYC9700104"})
    file.save()
    assert tags.read_tags(path) == EXPECTED


def test_wav_has_id3_too(tmp_path: Path) -> None:
    """A genre may be a number of the old list."""
    path = synthetic_audio.write(tmp_path / "a.wav", synthetic_audio.tone(0, 1.0))
    file = mutagen.File(path)
    file.add_tags()
    assert isinstance(file.tags, ID3)
    frames = (TIT2, "Jóga"), (TALB, "Homogenic"), (TDRC, "1997"), (TCON, "(17)")
    for frame, text in (*frames, (TSRC, "GBAYC9700104"), (TPE1, ["Björk", "Guest"])):
        file.tags.add(frame(encoding=3, text=text))
    file.save()
    assert tags.read_tags(path) == EXPECTED


def test_no_tags_are_empty_tags(tmp_path: Path) -> None:
    """Neither a file without any, nor one that is none, is an error."""
    assert (
        tags.read_tags(synthetic_audio.write(tmp_path / "a.wav", synthetic_audio.tone(0, 1.0)))
        == AudioTags()
    )
    (tmp_path / "b.mp3").write_text("a letter")
    (tmp_path / "c.flac").write_bytes(b"fLaC damaged")
    assert tags.read_tags(tmp_path / "b.mp3") == tags.read_tags(tmp_path / "c.flac") == AudioTags()

"""Genres of audio files: folder, tag or table."""

from pathlib import Path

import pytest

from collector.audio import genre_source
from genrebase.audio.scan import AudioFile
from genrebase.audio.tags import AudioTags
from genrebase.errors import UserError

FILE = AudioFile(Path("/music/Hip Hop/Some - Song.mp3"), "Hip Hop/Some - Song.mp3", 1, 1)
NUMBERED = AudioFile(Path("/fma/000/000002.mp3"), "000/000002.mp3", 1, 1)


def test_by_folder_and_by_tags() -> None:
    """The folder's name is one genre; tags may hold several, the first counts."""
    assert genre_source.genre_source("folder")(FILE, None) == ("Hip Hop",)
    tags = AudioTags(genres=("Rock", " Indie  Rock", "Rock", "n/a"))
    assert genre_source.genre_source("tags")(FILE, tags) == ("Rock", "Indie Rock")
    assert genre_source.genre_source("tags")(FILE, None) == ()
    assert genre_source.genre_source(None)(FILE, tags) == ()


@pytest.mark.parametrize(
    ("column", "called"),
    [
        ("path", "/music/Hip Hop/Some - Song.mp3"),
        ("path", r"Hip Hop\Some - Song.mp3"),
        ("File", "Hip Hop/Some - Song"),
        ("filename", "Some - Song.mp3"),
        ("file_name", "Some - Song"),
    ],
)
def test_a_table_may_call_a_file_by_any_of_its_names(
    tmp_path: Path, column: str, called: str
) -> None:
    """Full path, path in the folder, file name with or without its suffix."""
    table = tmp_path / "genres.csv"
    table.write_text(f"{column};genre\n{called};rap\nother.mp3;jazz\n")
    assert genre_source.genre_source(str(table))(FILE, None) == ("rap",)
    assert genre_source.genre_source(str(table))(NUMBERED, None) == ()


def test_a_track_number_matches_its_file(tmp_path: Path) -> None:
    """2 is 000002.mp3."""
    table = tmp_path / "genres.csv"
    table.write_text("track_id,label\n2,rap\n3,\n")
    assert genre_source.genre_source(str(table))(NUMBERED, None) == ("rap",)


@pytest.mark.parametrize(
    ("stem", "number"),
    [
        ("000002", "2"),
        ("fma_000002", "2"),
        ("FMA-2", "2"),
        ("02 Song", "02 Song"),
        ("fma", "fma"),
        ("½", "½"),
        ("٢", "٢"),
    ],
)
def test_a_name_that_is_a_number_is_one(stem: str, number: str) -> None:
    """With or without the dataset's name before it."""
    assert genre_source.file_number(stem) == number


def test_an_unusable_table_is_refused(tmp_path: Path) -> None:
    """With the columns that are missing."""
    table = tmp_path / "genres.csv"
    table.write_text("song,mood\nx,blue\n")
    with pytest.raises(UserError, match=r"needs a column path, .* track_id or id"):
        genre_source.genre_source(str(table))
    with pytest.raises(UserError, match="give folder, tags, or the name of a table"):
        genre_source.genre_source("folders")

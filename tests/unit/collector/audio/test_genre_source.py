"""Genres of audio files: folder, tag or table."""

import os
from pathlib import Path

import pytest

from collector.audio import genre_source, genre_table
from genrebase.audio.scan import AudioFile
from genrebase.audio.tags import AudioTags
from genrebase.errors import UserError

FILE = AudioFile(Path("/music/Hip Hop/Some - Song.mp3"), "Hip Hop/Some - Song.mp3", 1, 1)
NUMBERED = AudioFile(Path("/fma/000/000002.mp3"), "000/000002.mp3", 1, 1)


def test_by_folder_and_by_tags() -> None:
    """The folder's name is one genre; tags may hold several, the first counts."""
    assert genre_source.genre_source("folder").genres(FILE, None) == ("Hip Hop",)
    tags = AudioTags(genres=("Rock", " Indie  Rock", "Rock", "n/a"))
    assert genre_source.genre_source("tags").genres(FILE, tags) == ("Rock", "Indie Rock")
    assert genre_source.genre_source("tags").genres(FILE, None) == ()
    assert genre_source.genre_source(None).genres(FILE, tags) == ()


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
    assert genre_source.genre_source(str(table)).genres(FILE, None) == ("rap",)
    assert genre_source.genre_source(str(table)).genres(NUMBERED, None) == ()


def test_a_track_number_matches_its_file(tmp_path: Path) -> None:
    """2 is 000002.mp3."""
    table = tmp_path / "genres.csv"
    table.write_text("track_id,label\n2,rap\n3,\n")
    assert genre_source.genre_source(str(table)).genres(NUMBERED, None) == ("rap",)


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
    assert genre_table.file_number(stem) == number


def test_an_unusable_table_is_refused(tmp_path: Path) -> None:
    """With the columns that are missing."""
    table = tmp_path / "genres.csv"
    table.write_text("song,mood\nx,blue\n")
    with pytest.raises(UserError, match=r"needs a column path, .* track_id or id"):
        genre_source.genre_source(str(table))
    with pytest.raises(UserError, match="give folder, name, tags, or the name of a table"):
        genre_source.genre_source("folders")


def file(path: str) -> AudioFile:
    return AudioFile(Path("/music") / path, path, 1, 1)


@pytest.mark.parametrize(
    ("values", "genres"),
    [
        (("Rock; Pop",), ("Rock", "Pop")),
        (("Rock/Pop",), ("Rock", "Pop")),
        (("Rock / Pop", "Indie"), ("Rock", "Pop", "Indie")),
        (("Rock\0Pop\0Rock",), ("Rock", "Pop")),
        (("Hip-Hop/Rap",), ("Hip-Hop/Rap",)),
        (("Singer/Songwriter; Folk",), ("Singer/Songwriter", "Folk")),
        (("Pop, Rock",), ("Pop, Rock",)),
        (("['rock', 'pop']",), ("rock", "pop")),
        (("Mu\u0301sica",), ("M\u00fasica",)),
        (("(null)", "", "none"), ()),
    ],
)
def test_a_tag_may_hold_several_genres(values: tuple[str, ...], genres: tuple[str, ...]) -> None:
    """Separated as ID3 does it; a comma may belong to a name."""
    source = genre_source.genre_source("tags")
    assert tuple(source.genres(FILE, AudioTags(genres=values))) == genres


@pytest.mark.parametrize(
    ("name", "genre"),
    [
        ("blues.00000.wav", "blues"),
        ("blues.00000.2.wav", "blues"),
        ("hip-hop_012.mp3", "hip-hop"),
        ("drum and bass 7.mp3", "drum and bass"),
        ("80s pop-3.mp3", "80s pop"),
        ("01.mp3", ""),
        ("01_02.mp3", ""),
        ("Some - Song.mp3", ""),
        ("00001.blues.mp3", ""),
    ],
)
def test_a_file_may_be_named_after_its_genre(name: str, genre: str) -> None:
    """What is before the number."""
    assert genre_source.genre_in_name(file(name)) == genre
    source = genre_source.genre_source("name")
    assert tuple(source.genres(file(name), None)) == ((genre,) if genre else ())


def test_hints_name_the_choice_that_fits() -> None:
    """A dataset that lies flat has its genres in the names, one of folders in those."""
    flat = [file(f"{genre}.{number:05}.wav") for genre in ("blues", "jazz") for number in range(3)]
    (hint,) = genre_source.genre_source("folder").survey(flat)
    assert "its name, music, became their only genre" in hint
    assert "2 genres (blues, jazz): --genre-from name" in hint
    (hint,) = genre_source.genre_source(None).survey(flat)
    assert "--genre-from name" in hint
    assert genre_source.genre_source("name").survey(flat) == []
    folders = [file(f"{genre}/{number}.wav") for genre in ("blues", "jazz") for number in range(3)]
    assert genre_source.genre_source("folder").survey(folders) == []
    assert genre_source.genre_source(None).survey(folders) == []
    (hint,) = genre_source.genre_source("name").survey(folders)
    assert "--genre-from folder takes the names of 2 folders" in hint


def labels(tmp_path: Path, rows: str, *paths: str) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the genres of files by a table, and the sentences about them."""
    table = tmp_path / "genres.csv"
    table.write_bytes(os.fsencode(rows))
    source = genre_source.genre_source(str(table))
    files = [file(path) for path in paths]
    sentences = source.survey(files)
    return [tuple(source.genres(one, None)) for one in files], sentences


BOTH = ("blues/01.wav", "jazz/01.wav")


def test_a_base_name_with_two_genres_labels_no_file(tmp_path: Path) -> None:
    """With a sentence that names it."""
    genres, sentences = labels(tmp_path, "filename,genre\n01.wav,blues\n01.wav,jazz\n", *BOTH)
    assert genres == [(), ()]
    assert 'different genres for one name: "01.wav"' in sentences[0]
    genres, sentences = labels(
        tmp_path, "file,genre\n01,blues\n01,jazz\n02,pop\n", *BOTH, "02.wav"
    )
    assert genres == [(), (), ("pop",)]
    assert '"01"' in sentences[0]


def test_a_base_name_of_two_files_labels_neither(tmp_path: Path) -> None:
    """The row is about one of them."""
    genres, sentences = labels(tmp_path, "filename,genre\n01.wav,blues\n", *BOTH, "02.wav")
    assert genres == [(), (), ()]
    assert (
        'Several files have one name, of which the table gives no paths: "01.wav"' in sentences[0]
    )
    genres, sentences = labels(tmp_path, "filename,genre\n01.wav,blues\n01.wav,blues\n", BOTH[0])
    assert (genres, sentences) == ([("blues",)], [])


@pytest.mark.parametrize(
    "rows",
    [
        "blues/01.wav,blues\njazz/01.wav,jazz\n",
        "/music/blues/01.wav,blues\n/music/jazz/01.wav,jazz\n",
        ".\\blues\\01.wav,blues\n.\\jazz\\01.wav,jazz\n",
        "blues/01,blues\njazz/01,jazz\n",
        "music/blues/01.wav,blues\nmusic/jazz/01.wav,jazz\n01.wav,pop\n",
    ],
)
def test_paths_decide(tmp_path: Path, rows: str) -> None:
    """Absolute, in the folder, in a folder above, with or without suffix."""
    genres, _ = labels(tmp_path, f"path,genre\n{rows}", *BOTH)
    assert genres == [("blues",), ("jazz",)]


def test_a_path_of_another_system_counts_by_its_last_part(tmp_path: Path) -> None:
    """If that names one genre only."""
    rows = "path,genre\nC:\\data\\01.wav,blues\nC:\\data\\02.wav,jazz\nD:\\02.wav,pop\n"
    genres, sentences = labels(tmp_path, rows, "a/01.wav", "a/02.wav")
    assert genres == [("blues",), ()]
    assert '"02.wav"' in sentences[0]


def test_lists_in_a_table_are_several_genres(tmp_path: Path) -> None:
    """The first counts; rows of one id add up."""
    rows = "filename,genre\na.wav,\"['rock', 'pop']\"\nb.wav,rock; pop\nc.wav,none\n"
    genres, sentences = labels(tmp_path, rows, "a.wav", "b.wav", "c.wav")
    assert genres == [("rock", "pop"), ("rock", "pop"), ()]
    assert sentences == []
    genres, _ = labels(
        tmp_path, "id,genre\n2.0,rock\n2.0,pop\n000003,jazz\n", "000002.mp3", "3.mp3"
    )
    assert genres == [("rock", "pop"), ("jazz",)]


def test_names_of_any_bytes_match(tmp_path: Path) -> None:
    """As bytes, as they are shown, as they are read, and in any Unicode form."""
    odd = os.fsdecode(b"lat\xe9.wav")
    for name in (odd, r"lat\xe9.wav", "laté.wav"):
        genres, _ = labels(tmp_path, f"filename,genre\n{name},rock\n", odd)
        assert genres == [("rock",)], name
    genres, _ = labels(tmp_path, "filename,genre\ne\u0301.wav,rock\n", "\u00e9.wav")
    assert genres == [("rock",)]


def test_a_table_about_other_files_is_reported(tmp_path: Path) -> None:
    """Nothing would be labelled."""
    _, sentences = labels(tmp_path, "filename,genre\nx.wav,rock\n", "a.wav")
    assert sentences[0].startswith("No row of the table is about one of these files")


def test_smaller_files_of_mtg_jamendo_match(tmp_path: Path) -> None:
    """Its tables name the large ones, in tabs and with prefixes."""
    rows = (
        "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS\n"
        "track_0000948\tartist_1\talbum_1\t48/948.mp3\t212.7\tgenre---rock\tgenre---indie\n"
        "track_0000950\tartist_1\talbum_1\t50/950.mp3\t248.0\tgenre---jazz\n"
    )
    genres, _ = labels(tmp_path, rows, "48/948.low.mp3", "50/950.mp3")
    assert genres == [("rock", "indie"), ("jazz",)]


def test_a_separator_of_genres(tmp_path):
    """Of tags and of tables; files and folders are named after one genre."""
    tags = AudioTags(genres=("Rock, Indie; Pop",))
    assert genre_source.genre_source("tags").genres(FILE, tags) == ("Rock, Indie", "Pop")
    assert genre_source.genre_source("tags", ",").genres(FILE, tags) == ("Rock", "Indie", "Pop")
    table = tmp_path / "genres.csv"
    table.write_text(f'path,genre\n{FILE.relative_path},"rap, soul"\n')
    assert genre_source.genre_source(str(table)).genres(FILE, None) == ("rap, soul",)
    assert genre_source.genre_source(str(table), ",").genres(FILE, None) == ("rap", "soul")
    for option in (None, "folder", "name"):
        with pytest.raises(UserError, match="--genre-separator"):
            genre_source.genre_source(option, ",")

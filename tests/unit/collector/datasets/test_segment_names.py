"""Pieces of one recording are found by the names of a whole table."""

import pytest

from collector.datasets.segment_names import TitleSurvey, find_segments

GENRES = ("blues", "jazz", "rock")
WORDS = ("road", "rain", "river", "night", "train", "home", "moon", "blue", "sun", "rose", "sea")
Table = tuple[list[str], list[str]]


def table(pattern: str, recordings: int = 11, pieces: int = 10, first: int = 0) -> Table:
    """Names of pieces in three genres, and their genres."""
    names, genres = [], []
    for genre in GENRES:
        for number in range(recordings):
            for piece in range(first, first + pieces):
                start, word = piece * 3, f"{genre}-{WORDS[number]}"
                names.append(
                    pattern.format(
                        genre=genre, number=number, piece=piece, word=word, a=start, b=start + 3
                    )
                )
                genres.append(genre)
    return names, genres


@pytest.mark.parametrize(
    ("pattern", "recording"),
    [
        ("{genre}.{number:05}.{piece}.wav", "blues.00000.wav"),
        ("{genre}{number:06}_{piece}.wav", "blues000000.wav"),
        ("{word}_{piece:02}.mp3", "blues-road.mp3"),
        ("{genre}{number}-seg{piece}.wav", "blues0.wav"),
        ("{genre}.{number:05}_{a}-{b}s.wav", "blues.00000.wav"),
        ("{genre}_{number}_{a}_{b}.npy", "blues_0.npy"),
        ("{genre}/{word}/{piece}.flac", "blues/blues-road.flac"),
        ("chunk{piece}_{word}.wav", "blues-road.wav"),
        ("{word} (part {piece}).wav", "blues-road.wav"),
        ("{genre}_{number}_{a}ms.wav", "blues_0.wav"),
        ("{genre}_{number}_00m{a:02}s.wav", "blues_0.wav"),
    ],
)
@pytest.mark.parametrize("labelled", [True, False])
def test_pieces_of_a_recording_are_grouped(pattern: str, recording: str, labelled: bool):
    """Whatever separates the number, with and without genres."""
    names, genres = table(pattern)
    found = find_segments(names, genres if labelled else ())
    assert found.recording_of[names[0]] == recording
    assert set(found.recording_of) == set(names)
    assert len(set(found.recording_of.values())) == 33
    assert found.warning is not None
    assert "330 names" in found.warning
    assert "are pieces of 33 recordings" in found.warning


def test_numbers_from_one_and_samples_are_grouped():
    """Pieces may be numbered from 1; a sample of pieces has no complete set of numbers."""
    names, genres = table("{genre}.{number:05}.{piece}.wav", first=1)
    assert len(set(find_segments(names, genres).recording_of.values())) == 33
    names, genres = table("{genre}.{number:05}.{piece}.wav")
    found = find_segments(names[::3], genres[::3])
    assert len(found.recording_of) == len(names[::3])


def test_a_single_piece_joins_its_recording():
    """Another table may hold the other pieces: `train.csv` and `test.csv`."""
    names, genres = table("{genre}.{number:05}.{piece}.wav")
    found = find_segments([*names, "jazz.00099.4.wav"], [*genres, "jazz"])
    assert found.recording_of["jazz.00099.4.wav"] == "jazz.00099.wav"


@pytest.mark.parametrize(
    "names",
    [
        [f"{genre}.{number:05}.wav" for genre in GENRES for number in range(100)],
        [f"{genre}_{number}.wav" for genre in GENRES for number in range(4)],
        [f"track_{number:02}.wav" for number in range(60)],
        [f"{number:06}.mp3" for number in range(2, 4_000, 7)],
        [f"{number:02} {word}.wav" for number, word in enumerate(WORDS)],
    ],
)
def test_numbered_songs_are_no_pieces(names: list[str]):
    """Running numbers of different songs, with their genres, are neither grouped nor reported."""
    genres = [next((genre for genre in GENRES if genre in name), "pop") for name in names]
    found = find_segments(names, genres)
    assert (found.recording_of, found.warning) == ({}, None)
    assert find_segments(names).recording_of == {}


def test_gtzan_without_genres_is_not_reported():
    """Long numbers are those of a collection."""
    names, _ = table("{genre}.{number:05}.wav", pieces=1)
    found = find_segments(names)
    assert (found.recording_of, found.warning) == ({}, None)


def test_groups_of_several_genres_are_no_recordings():
    """A recording has one genre."""
    names = [f"mix{number}_{piece}.wav" for number in range(20) for piece in range(9)]
    genres = [GENRES[piece % 3] for piece in range(180)]
    assert find_segments(names, genres).recording_of == {}


@pytest.mark.parametrize(
    "names",
    [
        [f"cd{disc}-{number:02}.wav" for disc in range(1, 12) for number in range(1, 11)],
        [f"{year}_{number}.wav" for year in range(1990, 2010) for number in range(10)],
        [f"{word}_{n:02}.wav" for place, word in enumerate(WORDS) for n in range(1, 9 + place)],
    ],
)
def test_what_is_not_certain_is_reported(names: list[str]):
    """Discs, years and albums number songs; they are named, not grouped."""
    genres = [GENRES[place // 8 % 3] for place in range(len(names))]
    found = find_segments(names, genres if names[0].startswith("cd") else ())
    assert found.recording_of == {}
    assert found.warning is None or "may be pieces of" in found.warning
    assert "may be pieces of" in (find_segments(names).warning or "")


def test_titles_of_tracks_are_reported():
    """A table of tracks is matched by title and artist: its pieces are only named."""
    names, genres = table("{genre}.{number:05}.{piece}")
    survey = TitleSurvey()
    for title, genre in zip(names, genres, strict=True):
        survey.add(title, genre)
    (warning,) = survey.warnings()
    assert "330 titles (blues.00000.0, …) may be pieces of 33 recordings" in warning


def test_usual_titles_are_not_reported():
    """A number at the end of some titles is no sign of pieces."""
    survey = TitleSurvey()
    for number in range(40):
        survey.add(f"Étude No. {number}", "classical")
        for word in WORDS:
            survey.add(f"{word} {number} again", "classical")
    assert survey.warnings() == ()

"""Subjects of uploaders: which are genres of the database."""

import pytest

from collector.sources.subject_genres import match_subjects, parse_subjects, spelling_key


@pytest.mark.parametrize(
    ("value", "subjects"),
    [
        ("ambient;drone ; ambient", ("ambient", "drone")),
        ("ambient, drone", ("ambient", "drone")),
        ("rock, paper; scissors", ("rock, paper", "scissors")),
        (["ambient", "Dark Ambient, drone"], ("ambient", "Dark Ambient", "drone")),
        (["unknown", "-", "", 7, None], ()),
        (None, ()),
        ("x" * 101, ()),
    ],
)
def test_subjects_of_a_field(value, subjects):
    assert parse_subjects(value) == subjects


def test_spam_is_bounded():
    assert len(parse_subjects([f"word {n}" for n in range(5_000)])) == 200
    assert len(parse_subjects(";".join(f"w{n}" for n in range(1_000)))) == 200


@pytest.mark.parametrize(
    "spellings",
    [
        ("Hip-Hop", "hip hop", "hiphop", "HIP_HOP"),
        ("Drum & Bass", "drum'n'bass", "drum and bass", "Drum n Bass", "drum 'n' bass"),
        ("R&B", "r and b", "r'n'b"),
        ("lo-fi", "lofi", "Lo Fi"),
    ],
)
def test_spellings_of_one_genre(spellings):
    assert len({spelling_key(name) for name in spellings}) == 1


def test_other_words_are_other_genres():
    assert len({spelling_key(name) for name in ("rock", "rocks", "post-rock", "rock & roll")}) == 4


def test_genres_and_other_subjects():
    """A genre's own spelling wins over one that is spelled alike."""
    matched = match_subjects(
        ("Hip Hop", "netlabel", "TRIPHOP", "triphop"), ["hip hop", "hip-hop", "trip-hop"]
    )
    assert matched == (("hip hop", "trip-hop"), ("netlabel",))

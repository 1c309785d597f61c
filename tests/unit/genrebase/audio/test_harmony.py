"""Harmony relative to the tonic: degrees, shares and progressions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrebase.audio import harmony
from genrebase.audio.harmony import DetectedSection, TrackKey

C_MAJOR = TrackKey(key=0, mode=1, key_confidence=1.0, tempo=120.0)


def sections_in(
    *keys: int | None, mode: int | None = 1, **values: object
) -> list[DetectedSection]:
    """Sections of 10 s in these keys, one after another."""
    return [
        DetectedSection(start=10.0 * number, duration=10.0, key=key, mode=mode, **values)  # type: ignore[arg-type]  # whichever a test is about
        for number, key in enumerate(keys)
    ]


def summary(whole: TrackKey, sections: list[DetectedSection]) -> harmony.Harmony:
    return harmony.summarise_harmony(harmony.relative_to_tonic(whole, sections))


@pytest.mark.parametrize(
    ("tonic", "key", "mode", "degree", "numeral"),
    [
        (0, 0, 1, 0, "I"),
        (0, 7, 1, 7, "V"),
        (7, 2, 1, 7, "V"),
        (9, 5, 1, 8, "bVI"),
        (9, 9, 0, 0, "i"),
        (11, 0, 0, 1, "bii"),
        (0, 6, 1, 6, "bV"),
        (0, 10, 0, 10, "bvii"),
        (0, 4, None, 4, None),
    ],
)
def test_a_key_is_relative_to_the_track(
    tonic: int, key: int, mode: int | None, degree: int, numeral: str | None
) -> None:
    """A section's key is counted in semitones above the tonic; lower case is minor, b flat."""
    (section,) = harmony.relative_to_tonic(TrackKey(key=tonic), sections_in(key, mode=mode))
    assert (section.degree, section.numeral) == (degree, numeral)


@pytest.mark.parametrize(("tonic", "key"), [(None, 3), (3, None), (None, None)])
def test_an_unknown_key_has_no_degree(tonic: int | None, key: int | None) -> None:
    """Where track or section has no key, there is neither degree nor numeral."""
    (section,) = harmony.relative_to_tonic(TrackKey(key=tonic), sections_in(key))
    assert (section.degree, section.numeral) == (None, None)


@pytest.mark.parametrize(
    ("whole", "part", "ratio"),
    [(120.0, 60.0, 0.5), (120.0, 120.0, 1.0), (None, 60.0, None), (120.0, None, None)],
)
def test_a_tempo_is_relative_to_the_track(
    whole: float | None, part: float | None, ratio: float | None
) -> None:
    """A section's tempo is a ratio to the track's."""
    (section,) = harmony.relative_to_tonic(TrackKey(tempo=whole), sections_in(0, tempo=part))
    assert section.tempo_ratio == ratio


def test_shares_are_of_time_and_confidence() -> None:
    """A long section counts for more than a short one, an unsure key for less."""
    sections = [
        DetectedSection(start=0, duration=30, key=0, mode=1, key_confidence=1.0),
        DetectedSection(start=30, duration=10, key=7, mode=1, key_confidence=1.0),
        DetectedSection(start=40, duration=20, key=5, mode=1, key_confidence=0.5),
    ]
    detected = summary(C_MAJOR, sections)
    assert detected.shares is not None
    assert [detected.shares[0], detected.shares[7], detected.shares[5]] == [0.6, 0.2, 0.2]
    assert sum(detected.shares) == pytest.approx(1)


def test_repeated_and_single_degrees() -> None:
    """Degrees of several sections are counted apart from those of one."""
    summary_ = summary(C_MAJOR, sections_in(0, 7, 0, 5))
    assert (summary_.repeated_share, summary_.single_share) == (0.5, 0.5)
    assert (summary_.degrees, summary_.degree_changes, summary_.sections) == (3, 3, 4)
    assert summary_.numerals == "I V I IV"


def test_minor_counts_by_the_confidence_of_the_mode() -> None:
    """The share of minor is one of time, weighted by how sure the mode is."""
    sections = sections_in(0, mode=0, mode_confidence=0.25) + sections_in(
        0, mode=1, mode_confidence=0.75
    )
    assert summary(C_MAJOR, sections).minor_share == 0.25
    assert summary(C_MAJOR, sections_in(0, mode=None)).minor_share is None


def test_repetitions_are_one_and_a_gap_is_no_change() -> None:
    """Equal neighbours count once; a missing key is no change."""
    summary_ = summary(C_MAJOR, sections_in(0, 0, None, 7, 7))
    assert summary_.numerals == "I ? V"
    assert summary_.degree_changes == 0


@pytest.mark.parametrize(
    ("whole", "sections"),
    [
        (TrackKey(), sections_in(0, 7)),
        (C_MAJOR, sections_in(None, None)),
        (C_MAJOR, sections_in(0, 7, key_confidence=0.0)),
    ],
)
def test_missing_keys_give_no_shares(whole: TrackKey, sections: list[DetectedSection]) -> None:
    """Without a key of positive confidence there are no shares."""
    detected = summary(whole, sections)
    assert (detected.shares, detected.repeated_share, detected.single_share) == (None, None, None)


def test_progressions_of_two_to_four() -> None:
    """Every run of 2, 3 and 4 different neighbours is counted, repetitions left out."""
    sections = harmony.relative_to_tonic(C_MAJOR, sections_in(0, 0, 7, 0, 7, 5))
    detected = {one.numerals: one for one in harmony.find_progressions(C_MAJOR, sections)}
    assert list(detected) == sorted(detected)
    assert {name: one.times for name, one in detected.items()} == {
        "I V": 2, "V I": 1, "V IV": 1,
        "I V I": 1, "V I V": 1, "I V IV": 1,
        "I V I V": 1, "V I V IV": 1,
    }  # fmt: skip
    assert {len(name.split()) for name in detected} == {2, 3, 4}
    assert all(len(name.split()) == one.length for name, one in detected.items())


def test_a_progression_ends_where_a_key_is_unknown() -> None:
    """Nothing runs through a section without a key."""
    sections = harmony.relative_to_tonic(C_MAJOR, sections_in(0, None, 7, 5))
    assert [one.numerals for one in harmony.find_progressions(C_MAJOR, sections)] == ["V IV"]


def test_a_progression_has_its_lowest_key_confidence() -> None:
    """Of several occurrences the best counts, limited by the confidence of the track's key."""
    sections = [
        *sections_in(0, key_confidence=0.9), *sections_in(7, key_confidence=0.3),
        *sections_in(0, key_confidence=0.8), *sections_in(7, key_confidence=0.6),
    ]  # fmt: skip
    sure = {
        one.numerals: one.confidence
        for one in harmony.find_progressions(C_MAJOR, harmony.relative_to_tonic(C_MAJOR, sections))
    }
    assert (sure["I V"], sure["V I"], sure["I V I"]) == pytest.approx((0.6, 0.3, 0.3))
    unsure = TrackKey(key=0, key_confidence=0.1)
    detected = harmony.find_progressions(unsure, harmony.relative_to_tonic(unsure, sections))
    assert {one.confidence for one in detected} == {0.1}


optional_share = st.one_of(st.none(), st.floats(0, 1))
any_section = st.builds(
    DetectedSection,
    start=st.floats(0, 1e6),
    duration=st.floats(0.001, 1e6),
    key=st.one_of(st.none(), st.integers(0, 11)),
    mode=st.one_of(st.none(), st.integers(0, 1)),
    key_confidence=optional_share,
    mode_confidence=optional_share,
)


@given(
    st.one_of(st.none(), st.integers(0, 11)), optional_share, st.lists(any_section, max_size=12)
)
def test_values_stay_in_their_ranges(
    tonic: int | None, sure: float | None, sections: list[DetectedSection]
) -> None:
    """Shares are between 0 and 1, and those of the degrees add up to 1."""
    whole = TrackKey(key=tonic, key_confidence=sure)
    related = harmony.relative_to_tonic(whole, sections)
    summary_ = harmony.summarise_harmony(related)
    shares = [
        summary_.minor_share,
        summary_.repeated_share,
        summary_.single_share,
        *(summary_.shares or ()),
    ]
    assert all(0 <= one <= 1 for one in shares if one is not None)
    if summary_.shares is not None:
        assert sum(summary_.shares) == pytest.approx(1)
        assert summary_.repeated_share + summary_.single_share == pytest.approx(1)  # type: ignore[operator]  # known together
    assert all(0 <= one.confidence <= 1 for one in harmony.find_progressions(whole, related))


@given(st.integers(1, 11), st.lists(st.integers(0, 11), min_size=1, max_size=8))
def test_transposing_a_track_changes_nothing(up: int, keys: list[int]) -> None:
    """A song sung in another key has the same degrees."""
    higher = TrackKey(key=up, key_confidence=1.0)
    moved = [(key + up) % 12 for key in keys]
    assert summary(C_MAJOR, sections_in(*keys)) == summary(higher, sections_in(*moved))

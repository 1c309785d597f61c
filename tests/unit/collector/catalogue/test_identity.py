"""Identity of recordings with the same name."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from collector.catalogue import identity


@dataclass
class Stored:
    id: int
    duration_ms: int | None = None
    isrc: str | None = None
    ordinal: int = 1


durations = st.none() | st.integers(1, 10_000)
stored = st.lists(
    st.builds(
        Stored,
        id=st.integers(1, 99),
        duration_ms=durations,
        isrc=st.sampled_from([None, "A", "B"]),
    ),
    unique_by=lambda track: track.id,
)


def test_an_equal_isrc_wins_over_a_nearer_duration():
    """Among recordings within two seconds, and where a duration is unknown."""
    near, coded = Stored(1, 200_000), Stored(2, 201_500, "X")
    assert identity.match_recording([near, coded], 200_000, "X") == coded
    assert identity.match_recording([near, Stored(3, None, "X")], 200_000, "X").id == 3


def test_an_isrc_is_no_proof_against_the_duration():
    """Some catalogues give one ISRC to a song and its extended version."""
    assert identity.match_recording([Stored(1, 260_000, "X")], 200_000, "X") is None


def test_the_nearest_duration_within_two_seconds_is_the_same():
    """Nearest wins; two seconds is still the same, more is another recording."""
    tracks = [Stored(1, 200_000), Stored(2, 203_000)]
    assert identity.match_recording(tracks, 202_000, None) == tracks[1]
    assert identity.match_recording(tracks, 198_000, None) == tracks[0]
    assert identity.match_recording(tracks, 197_999, None) is None


def test_differing_isrcs_do_not_keep_two_apart():
    """A remaster gets a new ISRC and stays the same recording."""
    assert identity.match_recording([Stored(1, 200_000, "OLD")], 200_500, "NEW") is not None


def test_an_unknown_duration_matches_any_but_last():
    """A matching duration is preferred to a missing one."""
    unknown, near = Stored(1), Stored(2, 201_999)
    assert identity.match_recording([unknown, near], 200_000, None) == near
    assert identity.match_recording([unknown], 200_000, None) == unknown
    assert identity.match_recording([near], None, None) == near


@given(stored, durations, st.randoms())
def test_the_match_does_not_depend_on_the_order(tracks, duration, random):
    """Candidates come from a database without an order."""
    chosen = identity.match_recording(tracks, duration, "A")
    random.shuffle(tracks)
    assert identity.match_recording(tracks, duration, "A") == chosen


def test_ordinals_go_on_behind_the_highest():
    """A merged track leaves a hole; holes are not filled."""
    assert identity.next_ordinal([]) == 1
    assert identity.next_ordinal([Stored(1, ordinal=1), Stored(2, ordinal=4)]) == 5

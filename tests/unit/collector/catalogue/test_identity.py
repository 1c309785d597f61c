"""Identity of recordings with the same name."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from collector.catalogue import identity
from collector.catalogue.identity import DurationRange
from collector.catalogue.pending_track import PendingTrack
from collector.catalogue.track_batch import TrackBatch, resolve
from collector.records import ArtistCredit, DurationMs, SourceTrack
from genrebase.store.names import track_identity


@dataclass
class Stored:
    id: int
    durations: DurationRange
    isrc: str | None = None


def recording(number, shortest=None, isrc=None, longest=None):
    return Stored(number, DurationRange(shortest, longest or shortest), isrc)


durations = st.none() | st.integers(1, 10_000)
stored = st.lists(
    st.builds(recording, st.integers(1, 99), durations, st.sampled_from([None, "A", "B"])),
    unique_by=lambda track: track.id,
)


def test_a_duration_within_two_seconds_of_the_range_is_the_same():
    """Two seconds is still the same, more is another recording."""
    tracks = [recording(1, 200_000, longest=201_500)]
    for near in (198_000, 200_700, 203_500):
        assert identity.match_recordings(tracks, near, None) == tracks
    for far in (197_999, 203_501):
        assert identity.match_recordings(tracks, far, None) == []


def test_a_duration_between_two_recordings_makes_them_one():
    """The older one comes first."""
    tracks = [recording(2, 200_000), recording(1, 203_000), recording(3, 210_000)]
    assert identity.match_recordings(tracks, 201_500, None) == [tracks[1], tracks[0]]


def test_an_isrc_is_no_proof_against_the_duration():
    """Some catalogues give one ISRC to a song and its extended version."""
    assert identity.match_recordings([recording(1, 260_000, "X")], 200_000, "X") == []


def test_an_isrc_decides_where_a_duration_is_unknown():
    """Of the track, or of the recordings."""
    coded = [recording(1, 200_000), recording(2, 260_000, "X")]
    assert identity.match_recordings(coded, None, "X") == coded[1:]
    unknown = [recording(1), recording(2, None, "X")]
    assert identity.match_recordings(unknown, 200_000, "X") == unknown[1:]


def test_differing_isrcs_do_not_keep_two_apart():
    """A remaster gets a new ISRC and stays the same recording."""
    assert identity.match_recordings([recording(1, 200_000, "OLD")], 200_500, "NEW") != []


def test_an_unknown_duration_matches_any_but_last():
    """A matching duration is preferred to a missing one."""
    unknown, near = recording(1), recording(2, 201_999)
    assert identity.match_recordings([unknown, near], 200_000, None) == [near]
    assert identity.match_recordings([unknown], 200_000, None) == [unknown]
    assert identity.match_recordings([near], None, None) == [near]


@given(stored, durations, st.randoms())
def test_the_match_does_not_depend_on_the_order(tracks, duration, random):
    """Candidates come from a database without an order."""
    chosen = identity.match_recordings(tracks, duration, "A")
    random.shuffle(tracks)
    assert identity.match_recordings(tracks, duration, "A") == chosen


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=20), st.randoms())
def test_the_recordings_do_not_depend_on_the_order_of_the_tracks(durations_ms, random):
    """Single-linkage clustering: durations in steps of two seconds are one recording."""

    def recordings(arriving):
        made = []
        for number, duration_ms in enumerate(arriving):
            first, *others = identity.match_recordings(made, duration_ms, None) or [
                recording(number)
            ]
            for other in others:
                first.durations.extend(other.durations.shortest)
                first.durations.extend(other.durations.longest)
            first.durations.extend(duration_ms)
            made = [one for one in made if one not in (first, *others)] + [first]
        return sorted((one.durations.shortest, one.durations.longest) for one in made)

    shuffled = random.sample(durations_ms, len(durations_ms))
    assert recordings(durations_ms) == recordings(shuffled)


def test_ordinals_go_on_behind_the_highest():
    """A merged track leaves a hole; holes are not filled."""
    track = SourceTrack("name", "", "Song", (ArtistCredit("Band"),), duration_ms=DurationMs(9_000))
    key, batch = track.name_key, TrackBatch()
    assert resolve(batch, track, iter([1])).ordinal == 1
    other = PendingTrack(2, key, track_identity(key, 4), "Song", [], new=False)
    other.durations = DurationRange(200_000, 200_000)
    batch.add(other)
    batch.by_name[key][0].durations = DurationRange(300_000, 300_000)
    assert resolve(batch, track, iter([3])).ordinal == 5

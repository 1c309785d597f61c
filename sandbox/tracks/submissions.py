"""What AcousticBrainz has of each recording: submissions of Essentia's numbers, until mid-2022.

They differ from Spotify's features as measured on 760 recordings that both have: tempo within 4%
in 82%, half or double in 11%; the key equal in 34%, a fifth off in 23%. Several submissions of
one recording are of different files, and some of another version.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Final

from sandbox import ids
from sandbox.ids import share_from_bytes
from sandbox.tracks.recordings import RecordingCatalogue, SandboxRecording

KNOWN_SHARE: Final = 0.9
"""Share of the recordings until the last year that somebody submitted."""
LAST_YEAR: Final = "2022"
MAX_SUBMISSIONS: Final = 9
_CACHE_SIZE: Final = 4_096
_KEYS: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_OTHER_VERSION_SHARE: Final = 0.08
"""Share of further submissions that are of another version of the recording."""
_SAME_TEMPO: Final = 0.82
_HALF_TEMPO: Final = 0.865
_DOUBLE_TEMPO: Final = 0.93
"""Cumulative shares."""
_SAME_KEY: Final = 0.34
_FIFTH_OFF: Final = 0.57
"""Cumulative shares."""


@dataclass(frozen=True, slots=True)
class SandboxSubmission:
    """The numbers of one file, as Essentia computes them."""

    mbid: str
    offset: int
    """Number among the submissions of the recording, from 0."""
    recording: SandboxRecording
    average_loudness: float
    """0 to 1."""
    dynamic_complexity: float
    bpm: float
    bpm_second_peak: float
    danceability: float
    """0 to about 3."""
    onset_rate: float
    key: str
    scale: str
    """`major` or `minor`."""
    key_strength: float
    tuning_frequency: float
    tuning_deviation: float
    mfcc_zero: float
    chords_key: str
    chords_scale: str
    chords_changes_rate: float


class SubmissionCatalogue:
    """The submissions of all recordings."""

    def __init__(self, recordings: RecordingCatalogue) -> None:
        self.recordings = recordings
        self.submission = lru_cache(maxsize=_CACHE_SIZE)(self._submission)

    def count(self, mbid: str) -> int:
        """Return the number of submissions under an id, which may be an old one."""
        return self._counts.get(mbid, 0)

    def all_submissions(self) -> Iterator[SandboxSubmission]:
        """Yield all submissions in order of MBID and offset."""
        for mbid in sorted(self._counts):
            for offset in range(self._counts[mbid]):
                submission = self._submission(mbid, offset)
                if submission is not None:
                    yield submission

    @cached_property
    def _counts(self) -> Mapping[str, int]:
        if self.recordings.tracks.has_mbids:
            cell = self.recordings.tracks.cell_at
            return {
                recording.mbid: 1
                for recording in self.recordings.recordings
                if cell(recording.row, "bpm")
            }
        return dict(self._derived_counts())

    def _derived_counts(self) -> Iterator[tuple[str, int]]:
        tracks = self.recordings.tracks
        for recording in self.recordings.recordings:
            draws = ids.draws_from_text(f"submissions|{recording.mbid}", 8)
            if (
                recording.is_video
                or recording.date[:4] > LAST_YEAR
                or share_from_bytes(draws, 0) >= KNOWN_SHARE
                or not tracks.features_at(recording.row)
            ):
                continue
            # Half of the recordings have one submission, a quarter two, and so on.
            zeros = f"{int.from_bytes(draws[2:4], 'big'):016b}".find("1")
            count = min(MAX_SUBMISSIONS, 1 + (zeros if zeros >= 0 else MAX_SUBMISSIONS))
            if recording.old_mbid:  # submitted before the merge; half of them afterwards as well
                yield recording.old_mbid, count
            if not recording.old_mbid or draws[4] % 2:
                yield recording.mbid, count

    def _submission(self, mbid: str, offset: int) -> SandboxSubmission | None:
        """Return a submission; None where there is none at the offset."""
        if offset >= self.count(mbid):
            return None
        by_mbid = self.recordings.by_mbid
        recording = by_mbid[self.recordings.redirects.get(mbid, mbid)]
        if self.recordings.tracks.has_mbids:
            return self._from_table(recording)
        features = self.recordings.tracks.features_at(recording.row)
        first = _from_features(mbid, recording, features)
        return _of_another_file(first, offset) if offset else first

    def _from_table(self, recording: SandboxRecording) -> SandboxSubmission:
        """Return the table's numbers as they are; those that it lacks are derived."""
        cell = self.recordings.tracks.cell_at
        derived = _from_features(recording.mbid, recording, {})
        numbers = {
            name: float(text)
            for name, column in (
                ("bpm", "bpm"),
                ("average_loudness", "average_loudness"),
                ("dynamic_complexity", "dynamic_complexity"),
                ("danceability", "essentia_danceability"),
                ("key_strength", "key_strength"),
                ("chords_changes_rate", "chords_changes_rate"),
            )
            if (text := cell(recording.row, column))
        }
        chords_key, _, chords_scale = cell(recording.row, "chords_key").partition(" ")
        key, scale = (cell(recording.row, name) for name in ("key_key", "key_scale"))
        return replace(
            derived,
            key=key or derived.key,
            scale=scale or derived.scale,
            chords_key=chords_key or derived.chords_key,
            chords_scale=chords_scale or derived.chords_scale,
            **numbers,  # type: ignore[arg-type] # fields of numbers
        )


def _from_features(
    mbid: str, recording: SandboxRecording, features: Mapping[str, float]
) -> SandboxSubmission:
    """Derive the numbers from Spotify's, as far from them as the real ones are."""
    draws = ids.draws_from_text(f"submission|{recording.mbid}", 48)
    energy = features.get("energy", 0.6)
    tempo = features.get("tempo") or 60 + 120 * share_from_bytes(draws, 0)
    bpm = _detected_tempo(tempo, draws)
    key = _detected_key(int(features.get("key", draws[7] % 12)), draws)
    is_major = features.get("mode", draws[8] % 2) == (draws[9] < 200)
    loudness = (features.get("loudness", -8.0) + 20) / 20
    return SandboxSubmission(
        mbid=mbid,
        offset=0,
        recording=recording,
        average_loudness=_clip(0.45 + 0.45 * loudness + 0.2 * _normal(draws, 10), 0.01, 1),
        dynamic_complexity=_clip(7 - 5 * energy + 1.4 * _normal(draws, 14), 0.5, 20),
        bpm=bpm,
        bpm_second_peak=float(round(bpm * (0.85 + 0.3 * share_from_bytes(draws, 18)))),
        danceability=_clip(
            0.8 + 0.5 * features.get("danceability", 0.6) + 0.18 * _normal(draws, 20), 0.3, 3
        ),
        onset_rate=_clip(1 + 3 * energy + 0.8 * _normal(draws, 24), 0.2, 9),
        key=_KEYS[key],
        scale="major" if is_major else "minor",
        key_strength=_clip(0.65 + 0.13 * _normal(draws, 28), 0.1, 0.95),
        tuning_frequency=440 + 2.5 * _normal(draws, 32),
        tuning_deviation=_clip(0.12 + 0.05 * _normal(draws, 36), 0.001, 0.5),
        mfcc_zero=-700 + 60 * loudness * 2 + 40 * _normal(draws, 40),
        chords_key=_KEYS[(key + 7 * (draws[44] % 3)) % 12],
        chords_scale="major" if draws[45] % 2 else "minor",
        chords_changes_rate=_clip(0.07 + 0.025 * _normal(draws, 44), 0.005, 0.3),
    )


def _of_another_file(first: SandboxSubmission, offset: int) -> SandboxSubmission:
    """Return the numbers of the same recording in another file, or of another version of it."""
    draws = ids.draws_from_text(f"file|{first.recording.mbid}|{offset}", 32)
    if share_from_bytes(draws, 0) < _OTHER_VERSION_SHARE:
        other = _from_features(
            first.mbid, replace(first.recording, mbid=f"{first.recording.mbid}|{offset}"), {}
        )
        return replace(other, offset=offset, recording=first.recording)
    return replace(
        first,
        offset=offset,
        average_loudness=_clip(first.average_loudness + 0.01 * _normal(draws, 2), 0.01, 1),
        dynamic_complexity=_clip(first.dynamic_complexity + 0.1 * _normal(draws, 6), 0.5, 20),
        bpm=first.bpm + 0.05 * _normal(draws, 10),
        danceability=_clip(first.danceability + 0.01 * _normal(draws, 14), 0.3, 3),
        onset_rate=_clip(first.onset_rate + 0.05 * _normal(draws, 18), 0.2, 9),
        key_strength=_clip(first.key_strength + 0.01 * _normal(draws, 22), 0.1, 0.95),
        mfcc_zero=first.mfcc_zero + 2 * _normal(draws, 26),
    )


def _detected_tempo(tempo: float, draws: bytes) -> float:
    kind = share_from_bytes(draws, 2)
    if kind < _SAME_TEMPO:
        return tempo * (1 + 0.02 * (share_from_bytes(draws, 4) - 0.5))
    if kind < _HALF_TEMPO:
        return tempo / 2
    if kind < _DOUBLE_TEMPO:
        return tempo * 2 if tempo < 120 else tempo / 1.5
    return 60 + 140 * share_from_bytes(draws, 4)


def _detected_key(key: int, draws: bytes) -> int:
    kind = share_from_bytes(draws, 5)
    if kind < _SAME_KEY:
        return key
    if kind < _FIFTH_OFF:
        return (key + (5 if draws[7] % 2 else 7)) % 12
    return (key + 1 + draws[8] % 11) % 12


def _normal(draws: bytes, at: int) -> float:
    """Return a number of about a standard normal distribution: the sum of four even ones."""
    return (sum(draws[at : at + 4]) - 510) / 147.8


def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)

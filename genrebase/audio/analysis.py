"""The audio analysis of a track: key, sections, harmony, progressions and timbre."""

from collections.abc import Sequence
from dataclasses import dataclass

from genrebase.audio import harmony, segment_timbre
from genrebase.audio.harmony import DetectedSection, Harmony, Progression, Section, TrackKey
from genrebase.audio.packed_matrices import FloatArray, PackedMatrix
from genrebase.audio.segment_timbre import Timbre


@dataclass(frozen=True, slots=True)
class TrackAnalysis:
    """The stored audio analysis of one track."""

    track_key: TrackKey
    sections: Sequence[Section]
    harmony: Harmony
    progressions: Sequence[Progression]
    timbre: Timbre | None
    """None if there are no segments."""
    matrices: Sequence[PackedMatrix]


def build_analysis(
    track_key: TrackKey, detected: Sequence[DetectedSection], segment_array: FloatArray
) -> TrackAnalysis:
    """Return the analysis to store for a track.

    `detected` are its sections in temporal order, `segment_array` its segments (see
    `genrebase.audio.segment_timbre`); either may be empty.
    """
    sections = harmony.relative_to_tonic(track_key, detected)
    packed = segment_timbre.pack_segments(segment_array)
    return TrackAnalysis(
        track_key=track_key,
        sections=sections,
        harmony=harmony.summarise_harmony(sections),
        progressions=harmony.find_progressions(track_key, sections),
        timbre=segment_timbre.summarise_timbre(segment_array),
        matrices=[] if packed is None else [packed],
    )

"""The audio analysis of a track: key, sections, harmony, progressions and timbre."""

from collections.abc import Sequence
from dataclasses import dataclass

from genrebase.audio import harmony, segments
from genrebase.audio.harmony import DetectedSection, Harmony, Progression, Section, TrackKey
from genrebase.audio.packed_matrices import FloatArray, PackedMatrix
from genrebase.audio.segments import Timbre


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
    whole: TrackKey, heard: Sequence[DetectedSection], sounds: FloatArray
) -> TrackAnalysis:
    """Return the analysis to store for a track.

    `heard` are its sections in the order of time, `sounds` its segments (see
    `genrebase.audio.segments`); either may be empty.
    """
    sections = harmony.relative_to_tonic(whole, heard)
    packed = segments.pack_segments(sounds)
    return TrackAnalysis(
        track_key=whole,
        sections=sections,
        harmony=harmony.summarise_harmony(sections),
        progressions=harmony.find_progressions(whole, sections),
        timbre=segments.summarise_timbre(sounds),
        matrices=[] if packed is None else [packed],
    )

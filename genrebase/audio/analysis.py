"""All that is stored of how a track sounds, from what somebody heard of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from genrebase.audio import harmony, segments
from genrebase.audio.harmony import Harmony, Heard, Progression, Section, Whole
from genrebase.audio.packed_matrices import Figures, Matrix
from genrebase.audio.segments import Timbre


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is stored of one track."""

    whole: Whole
    sections: Sequence[Section]
    harmony: Harmony
    progressions: Sequence[Progression]
    timbre: Timbre | None
    """None where there are no segments."""
    matrices: Sequence[Matrix]


def analyse(whole: Whole, heard: Sequence[Heard], sounds: Figures) -> Analysis:
    """Return what is to be stored of a track.

    `heard` are its sections in the order of time, `sounds` its segments (see
    `genrebase.audio.segments`); either may be empty.
    """
    sections = harmony.relate(whole, heard)
    packed = segments.pack(sounds)
    return Analysis(
        whole=whole,
        sections=sections,
        harmony=harmony.summarise(sections),
        progressions=harmony.progressions(whole, sections),
        timbre=segments.summarise(sounds),
        matrices=[] if packed is None else [packed],
    )

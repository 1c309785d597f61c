"""What is passed around about sound files: frozen, and small enough to go between processes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrebase.audio.tags import AudioTags

if TYPE_CHECKING:
    from genrebase.audio.analysis import TrackAnalysis
    from genrebase.audio.packed_matrices import PackedMatrix


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file of which nothing was heard."""

    path: str
    reason: str
    """What is in its way, in words."""


@dataclass(frozen=True, slots=True)
class PackedFeatures:
    """What the sound of a file says, ready to be stored."""

    descriptors: bytes
    """Packed, in the order of the schema's columns."""
    estimates: dict[str, float | int | None]
    """Some of the 12 features."""
    analysis: "TrackAnalysis"
    logmel: "PackedMatrix"


@dataclass(frozen=True, slots=True)
class AudioAnalysis:
    """What was heard in a file."""

    digest: str
    """Of the decoded sound."""
    seconds: float
    tags: AudioTags
    features: PackedFeatures | None
    """None where this very sound is known already."""

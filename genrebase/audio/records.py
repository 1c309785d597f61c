"""Records of the audio analysis: frozen, and small enough to be passed between processes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genrebase.audio.model_manifest import AudioModel
from genrebase.audio.tags import AudioTags

if TYPE_CHECKING:
    from genrebase.audio.analysis import TrackAnalysis  # these import numpy
    from genrebase.audio.packed_matrices import PackedMatrix


@dataclass(frozen=True, slots=True)
class UnreadableFile:
    """A file that could not be analysed."""

    path: str
    reason: str
    """For the user, as a clause: `the file is empty`."""
    needs_ffmpeg: bool = False
    """Whether it was passed over only because ffmpeg is not installed."""


@dataclass(frozen=True, slots=True)
class ExtractionPlan:
    """What workers extract from each file."""

    stored_digests: frozenset[str] = frozenset()
    """Audio whose own features are stored: they are not extracted again."""
    models: tuple[tuple[AudioModel, frozenset[str]], ...] = ()
    """Pre-trained networks, each with the audio whose values are stored."""


@dataclass(frozen=True, slots=True)
class PackedFeatures:
    """The features extracted from a file, ready to be stored."""

    descriptors: bytes
    """Packed float32 values, in the order of `descriptors.COLUMNS`."""
    estimates: dict[str, float | int | None]
    """Some of the 12 audio features; see `extract.estimate_features`."""
    analysis: "TrackAnalysis"
    logmel: "PackedMatrix"


@dataclass(frozen=True, slots=True)
class AudioAnalysis:
    """The analysis of one file."""

    digest: str
    """SHA-256 of the decoded audio."""
    seconds: float
    tags: AudioTags
    features: PackedFeatures | None
    """None if the digest is stored already."""
    remarks: tuple[str, ...] = ()
    """What was lost or corrected when the file was decoded, as clauses."""
    vectors: Mapping[str, bytes] = field(default_factory=dict)
    """Packed values of pre-trained networks, by descriptor set; without those stored already."""

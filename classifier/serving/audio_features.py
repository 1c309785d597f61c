"""What is heard in one sound file, as columns a model may look at. Runs in a process of its own.

Needs the extra `audio`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from classifier.features import audio
from genrebase.audio import decode, descriptors, extract, packed_matrices, tags
from genrebase.audio.harmony import Harmony
from genrebase.audio.tags import AudioTags
from genrebase.store import tables

_YEAR: Final = 4
"""Digits of a year, with which a date begins."""


@dataclass(frozen=True, slots=True)
class ExtractedAudio:
    """What a file says about itself, and what its sound says."""

    file: str
    digest: str
    """Of the decoded sound: under which the database may know it."""
    tags: AudioTags
    numbers: Mapping[str, float]
    """Features and metadata that are known, in the units of the views."""
    audio_columns: Mapping[str, float]
    """Harmony and descriptors, by the names of their columns."""
    logmel: bytes
    """Its log-mel spectrum, as `classifier.data.spectrograms` reads it."""


@dataclass(frozen=True, slots=True)
class UnreadableAudioFile:
    """A file of which nothing was heard."""

    file: str
    reason: str


def extract_features(path: Path) -> ExtractedAudio | UnreadableAudioFile:
    """Return what is heard in a file, or why nothing is."""
    try:
        with threadpool_limits(1):  # the next file is heard beside this one
            sound = extract.extract_file(path)
        said = tags.read_tags(path)
    except decode.UndecodableAudio as error:
        return UnreadableAudioFile(str(path), str(error).removeprefix(f"{path}: "))
    except Exception as error:  # noqa: BLE001 - no file, however odd, may stop the others
        return UnreadableAudioFile(
            str(path), f"it cannot be listened to ({type(error).__name__}: {error})."
        )
    numbers = {name: float(value) for name, value in sound.estimates.items() if value is not None}
    numbers["duration_ms"] = round(sound.seconds * 1000)
    year = said.date[:_YEAR]
    if len(year) == _YEAR and year.isascii() and year.isdigit() and year >= "1900":
        numbers["release_year"] = int(year)
    heard = {**dict(_described(sound.descriptors)), **_harmony(sound.analysis.harmony)}
    picture = sound.logmel
    spectrum = packed_matrices.unpack(picture.data, picture.steps, picture.channels).astype("<f2")
    return ExtractedAudio(str(path), sound.digest, said, numbers, heard, spectrum.tobytes())


def _described(
    values: "np.ndarray[tuple[int], np.dtype[np.float32]]",
) -> Iterator[tuple[str, float]]:
    """Yield each value under the name of its set, the classic ones under that of theirs too."""
    for place, (name, value) in enumerate(zip(descriptors.COLUMNS, values, strict=True)):
        if np.isfinite(value):
            yield audio.descriptor_column(descriptors.SCHEMA_NAME, name), float(value)
            if place < len(descriptors.FMA_COLUMNS):
                yield audio.descriptor_column(descriptors.FMA_SCHEMA_NAME, name), float(value)


def _harmony(found: Harmony) -> dict[str, float]:
    shares = dict(zip(tables.DEGREE_COLUMNS, found.shares or (), strict=False))
    rest = {
        name: getattr(found, name) for name in audio.HARMONY if name not in tables.DEGREE_COLUMNS
    }
    known = {name: value for name, value in rest.items() if value is not None}
    return {**shares, **known} if found.sections else {}

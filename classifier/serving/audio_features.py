"""Turn the analysis of an audio file into the columns of a model: feature names and units."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from classifier.features import audio
from classifier.serving.predict_track import TrackDescription
from genrebase.audio import descriptors, packed_matrices, packed_vectors
from genrebase.audio.harmony import Harmony
from genrebase.audio.model_manifest import AudioModel
from genrebase.audio.records import AudioAnalysis, PackedFeatures
from genrebase.store import tables

_YEAR_DIGITS: Final = 4


def describe(
    stem: str, analysis: AudioAnalysis, models: Sequence[AudioModel] = ()
) -> TrackDescription:
    """Return a file as a track to predict; `stem` is its title if the tags have none.

    `models` are the pre-trained networks that analysed it.
    """
    tags, features = analysis.tags, analysis.features
    assert features is not None  # noqa: S101 - extracted, because no digests were given as stored
    estimates = features.estimates.items()
    numbers = {name: float(value) for name, value in estimates if value is not None}
    numbers["duration_ms"] = round(analysis.seconds * 1000)
    year = tags.date[:_YEAR_DIGITS]
    if len(year) == _YEAR_DIGITS and year.isascii() and year.isdigit() and year >= "1900":
        numbers["release_year"] = int(year)
    columns: dict[str, float | str | bytes] = {
        **dict(_descriptors(features)),
        **dict(_network_values(analysis, models)),
        **_harmony(features.analysis.harmony),
        "provider": tables.AUDIO_PROVIDER,
        "logmel": _spectrogram(features),
    }
    return TrackDescription(tags.title or stem, tags.artists, tags.album or None, numbers, columns)


def _descriptors(features: PackedFeatures) -> Iterator[tuple[str, float]]:
    """Yield each value under our schema's column, and FMA's values under FMA's column too."""
    values = packed_vectors.unpack(features.descriptors, len(descriptors.COLUMNS))
    for position, (name, value) in enumerate(zip(descriptors.COLUMNS, values, strict=True)):
        if np.isfinite(value):
            yield audio.descriptor_column(descriptors.SCHEMA_NAME, name), float(value)
            if position < len(descriptors.FMA_COLUMNS):
                yield audio.descriptor_column(descriptors.FMA_SCHEMA_NAME, name), float(value)


def _network_values(
    analysis: AudioAnalysis, models: Sequence[AudioModel]
) -> Iterator[tuple[str, float]]:
    """Yield each value of a pre-trained network under its set's column."""
    for manifest in (model.manifest for model in models):
        names = manifest.descriptor_names
        values = packed_vectors.unpack(analysis.vectors[manifest.set], len(names))
        for name, value in zip(names, values, strict=True):
            if np.isfinite(value):
                yield audio.descriptor_column(manifest.set, name), float(value)


def _harmony(harmony: Harmony) -> dict[str, float]:
    shares = dict(zip(tables.DEGREE_COLUMNS, harmony.shares or (), strict=False))
    names = [name for name in audio.HARMONY if name not in tables.DEGREE_COLUMNS]
    others = {name: getattr(harmony, name) for name in names}
    present = {name: value for name, value in others.items() if value is not None}
    return {**shares, **present} if harmony.sections else {}


def _spectrogram(features: PackedFeatures) -> bytes:
    """Return the log-mel spectrogram as `classifier.data.spectrograms` reads it."""
    logmel = features.logmel
    values = packed_matrices.unpack(logmel.data, logmel.steps, logmel.channels)
    return values.astype("<f2").tobytes()

"""The sources of a model's labels and features, with their licences. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from genrebase import licences
from genrebase.counts import agree, counted
from genrebase.store import source_ids
from genrebase.store.tables import AUDIO_PROVIDER, ESSENTIA_PROVIDER

VERDICT: Final = "verdict"
"""The source of labels that people of this database gave."""
_IMPORT_PROVIDERS: Final = ("csv", ESSENTIA_PROVIDER)
"""Providers whose features come with imports only."""
CLASSES: Final = (licences.OWN, *licences.CLASSES)
"""Every licence class, the least strict first."""


def licence_class(licence: str) -> str:
    """Return one of `CLASSES`."""
    return licences.OWN if licence == licences.OWN else licences.licence_class(licence)


def is_allowed(licence: str, policy: str) -> bool:
    """Return whether `--licence` with this value allows a licence."""
    return licence == licences.OWN or licences.is_allowed(licence, policy)


@dataclass(frozen=True, slots=True, order=True)
class SourceCount:
    """How many labels, or tracks with features, come from a source under one licence."""

    source: str
    licence: str
    count: int

    @property
    def licence_class(self) -> str:
        """Return one of `CLASSES`."""
        return licence_class(self.licence)

    def __str__(self) -> str:
        """Return as in `9,000 from spotify (terms)`."""
        return f"{self.count:,} from {self.source} ({self.licence})"

    def as_json(self, counted: str) -> dict[str, Any]:
        """Return the JSON, with the name of what is counted."""
        named = {"source": self.source, "licence": self.licence, "class": self.licence_class}
        return {**named, counted: self.count}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The labels and features that `--licence` and `--min-level` left out."""

    labels: tuple[SourceCount, ...] = ()
    """Sightings whose licence is not allowed."""
    features: tuple[SourceCount, ...] = ()
    """Tracks whose features are not allowed, per provider."""
    below_level: tuple[SourceCount, ...] = ()
    """Sightings whose licence is allowed, but not their level."""
    popularity: int = 0
    """Tracks whose popularity was not used: which source it is from is not recorded."""
    tracks: int = 0
    """Tracks that have no label left."""

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `train --json`."""
        return {
            "labels": [one.as_json("labels") for one in self.labels],
            "features": [one.as_json("tracks") for one in self.features],
            "below_level": [one.as_json("labels") for one in self.below_level],
            "popularity": self.popularity,
            "tracks": self.tracks,
        }

    @property
    def _has_unknown_imports(self) -> bool:
        """Whether something of an import was left out because nobody stated its licence.

        Features of audio files count for none: the files may have been downloaded.
        """
        labels = [
            source_ids.is_file_source(one.source) or one.source == AUDIO_PROVIDER
            for one in self.labels
            if one.licence == licences.UNKNOWN
        ]
        features = [
            one.source in _IMPORT_PROVIDERS
            for one in self.features
            if one.licence == licences.UNKNOWN
        ]
        return any((*labels, *features))

    def sentences(self, licence: str, min_level: str) -> Iterator[str]:
        """Yield a sentence per reason, each with its sources and licences."""
        for what, counts in (("labels", self.labels), ("features of tracks", self.features)):
            if counts:
                yield f"Left out by --licence {licence}: {what}: {_listed(counts)}."
        if self._has_unknown_imports:
            yield (
                "An unknown licence of an import is stated by importing it again with --licence "
                "(`collector import`, `collector import-audio`)."
            )
        if self.popularity:
            yield (
                f"Left out by --licence {licence}: the popularity of "
                f"{counted(self.popularity, 'track')}, whose source is not recorded."
            )
        if self.below_level:
            yield f"Left out by --min-level {min_level}: labels: {_listed(self.below_level)}."
        if self.tracks:
            verb = agree(self.tracks, "has", "have")
            yield f"{counted(self.tracks, 'track')} {verb} no label without them."


@dataclass(frozen=True, slots=True)
class TrainingSources:
    """The sources of a training's labels and features, and what was left out."""

    licence: str
    """The value of `--licence`."""
    min_level: str
    labels: tuple[SourceCount, ...]
    """Labels of the tracks that were trained and evaluated on, per source."""
    features: tuple[SourceCount, ...]
    """Tracks with features, per provider."""
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def licence_class(self) -> str:
        """Return the most restrictive class among labels and features."""
        used = [one.licence_class for one in (*self.labels, *self.features)]
        return max(used, key=CLASSES.index, default=licences.OWN)

    def licences(self) -> list[tuple[str, str]]:
        """Return (source, licence) of all labels and features, each once and sorted."""
        return sorted({(one.source, one.licence) for one in (*self.labels, *self.features)})

    def as_json(self) -> dict[str, Any]:
        """Return the JSON that is stored with a model."""
        return {
            "licence": self.licence,
            "min_level": self.min_level,
            "class": self.licence_class,
            "labels": [one.as_json("labels") for one in self.labels],
            "features": [one.as_json("tracks") for one in self.features],
            "left_out": self.left_out.as_json(),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "TrainingSources":
        """Return what `as_json` returned."""
        left_out = stored["left_out"]
        return cls(
            stored["licence"],
            stored["min_level"],
            _counts(stored["labels"], "labels"),
            _counts(stored["features"], "tracks"),
            LeftOut(
                _counts(left_out["labels"], "labels"),
                _counts(left_out["features"], "tracks"),
                _counts(left_out["below_level"], "labels"),
                left_out["popularity"],
                left_out["tracks"],
            ),
        )

    def used(self) -> Iterator[str]:
        """Yield a sentence on the labels and one on the features, with sources and licences."""
        if self.labels:
            yield f"Labels: {_listed(self.labels)}."
        if self.features:
            yield f"Features of tracks: {_listed(self.features)}."


def _counts(stored: Iterable[Mapping[str, Any]], counted: str) -> tuple[SourceCount, ...]:
    return tuple(SourceCount(one["source"], one["licence"], one[counted]) for one in stored)


def _listed(counts: Iterable[SourceCount]) -> str:
    return ", ".join(str(one) for one in counts)

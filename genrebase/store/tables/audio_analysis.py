"""Audio analysis tables: sections, harmony and timbre, progressions, spectrograms, descriptors."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from genrebase.store.tables.columns import Json, Key, Name, UtcDateTime, metadata, one_of, where

TWELVE: Final = range(12)
"""Degrees in semitones above the tonic, pitch classes from C, timbre coefficients."""

DEGREE_COLUMNS: Final = tuple(f"degree_{number}" for number in TWELVE)
"""The share of a track's time on each degree."""

TIMBRE_COLUMNS: Final = tuple(
    f"timbre_{what}_{number}" for what in ("mean", "deviation") for number in TWELVE
)
"""Over a track's segments: first the 12 means, then the 12 standard deviations."""

PITCH_COLUMNS: Final = tuple(
    f"pitch_{what}_{number}" for what in ("mean", "deviation") for number in TWELVE
)
"""The same for the strength of each pitch class."""

MATRIX_KINDS: Final = ("segments", "logmel")
"""The kinds of matrices over time."""

TEMPO_RATIO_RANGE: Final = (0.0025, 400.0)
"""The quotient of two tempos of 1 to 400 BPM."""

_SHARES: Final = (*DEGREE_COLUMNS, "minor_share", "repeated_share", "single_share")

section = Table(
    "section",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name, primary_key=True),
    Column("position", SmallInteger, primary_key=True, comment="0 is the first"),
    Column("start", Double, nullable=False, comment="seconds from the beginning"),
    Column("duration", Double, nullable=False, comment="seconds"),
    Column("confidence", Double, comment="that a section begins here, 0..1"),
    Column("degree", SmallInteger, comment="its key in semitones above the track's, 0..11"),
    Column("numeral", Text, comment="degree and mode as a Roman numeral"),
    Column("mode", SmallInteger, comment="1 major, 0 minor"),
    Column("key_confidence", Double),
    Column("mode_confidence", Double),
    Column("tempo_ratio", Double, comment="its tempo divided by the track's"),
    Column("tempo_confidence", Double),
    Column("loudness", Double, comment="dB"),
    CheckConstraint("position >= 0", name="position_not_negative"),
    CheckConstraint("start >= 0", name="start_not_negative"),
    CheckConstraint("duration > 0", name="duration_positive"),
    CheckConstraint("degree BETWEEN 0 AND 11", name="degree_range"),
    CheckConstraint("mode BETWEEN 0 AND 1", name="mode_range"),
    CheckConstraint(
        f"tempo_ratio BETWEEN {TEMPO_RATIO_RANGE[0]} AND {TEMPO_RATIO_RANGE[1]}",
        name="tempo_ratio_range",
    ),
    CheckConstraint("loudness BETWEEN -100.0 AND 20.0", name="loudness_range"),
    *(
        CheckConstraint(f"{name} BETWEEN 0 AND 1", name=f"{name}_range")
        for name in ("confidence", "key_confidence", "mode_confidence", "tempo_confidence")
    ),
)

sound_summary = Table(
    "sound_summary",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name, primary_key=True),
    Column("key", SmallInteger, comment="the track's tonic, 0 = C"),
    Column("mode", SmallInteger, comment="1 major, 0 minor"),
    Column("key_confidence", Double),
    Column("mode_confidence", Double),
    Column("sections", Integer, nullable=False),
    *(Column(name, Double) for name in _SHARES),
    Column("degrees", SmallInteger, nullable=False, comment="distinct degrees"),
    Column("degree_changes", Integer, nullable=False),
    Column("numerals", Text, comment="of its sections in order, repetitions left out"),
    Column("segments", Integer, nullable=False),
    *(Column(name, Double) for name in (*TIMBRE_COLUMNS, *PITCH_COLUMNS)),
    Column("fetched_at", UtcDateTime, nullable=False),
    CheckConstraint("key BETWEEN 0 AND 11", name="key_range"),
    CheckConstraint("mode BETWEEN 0 AND 1", name="mode_range"),
    CheckConstraint("sections >= 0", name="sections_not_negative"),
    CheckConstraint("degrees BETWEEN 0 AND 12", name="degrees_range"),
    CheckConstraint("degree_changes >= 0", name="degree_changes_not_negative"),
    CheckConstraint("segments >= 0", name="segments_not_negative"),
    *(
        CheckConstraint(f"{name} BETWEEN 0 AND 1", name=f"{name}_range")
        for name in ("key_confidence", "mode_confidence", *_SHARES, *PITCH_COLUMNS)
    ),
    *(
        CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative")
        for name in TIMBRE_COLUMNS[len(TWELVE) :]
    ),
)

progression = Table(
    "progression",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name, primary_key=True),
    Column("numerals", Name, primary_key=True, comment="consecutive keys, joined by blanks"),
    Column("length", SmallInteger, nullable=False, comment="how many numerals"),
    Column("times", Integer, nullable=False),
    Column("confidence", Double, nullable=False, comment="of its keys, 0..1"),
    CheckConstraint("length BETWEEN 2 AND 4", name="length_range"),
    CheckConstraint("times >= 1", name="at_least_once"),
    CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence_range"),
)

sound_matrix = Table(
    "sound_matrix",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name, primary_key=True),
    Column("kind", Name, primary_key=True),
    Column("version", SmallInteger, nullable=False, comment="of computation and packing"),
    Column("steps", Integer, nullable=False, comment="rows, in the order of time"),
    Column("channels", SmallInteger, nullable=False, comment="columns"),
    Column("data", LargeBinary, nullable=False, comment="float16 by rows, little-endian, zlib"),
    Column("file_sha256", Name, comment="of the file with the bytes; NULL: they are here"),
    Index(None, "file_sha256", **where("file_sha256 IS NOT NULL")),
    CheckConstraint(one_of("kind", MATRIX_KINDS), name="kind_known"),
    CheckConstraint("version >= 1", name="version_positive"),
    CheckConstraint("steps >= 1", name="steps_positive"),
    CheckConstraint("channels >= 1", name="channels_positive"),
)

descriptor_schema = Table(
    "descriptor_schema",
    metadata,
    Column("name", Name, primary_key=True),
    Column("columns", Json, nullable=False, comment="the names of its values, in their order"),
)

descriptor = Table(
    "descriptor",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name, primary_key=True),
    Column("schema", Name, ForeignKey("descriptor_schema.name"), primary_key=True),
    Column("data", LargeBinary, nullable=False, comment="float32, little-endian, zlib"),
    Column("fetched_at", UtcDateTime, nullable=False),
)

sound_file = Table(
    "sound_file",
    metadata,
    Column("path", Name, primary_key=True),
    Column("size", BigInteger, nullable=False, comment="bytes"),
    Column("modified", BigInteger, nullable=False, comment="nanoseconds since 1970"),
    Column(
        "descriptor_schema",
        Text,
        nullable=False,
        comment="the descriptor schema it was analysed with",
    ),
    Column("digest", Text, nullable=False, comment="hash of the decoded audio"),
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), nullable=False),
    Index(None, "track_id"),
)

"""AcousticBrainz' numbers: one row per recording, summarised over its submissions.

Their scales are not those of `audio_features`, so they have columns of their own.
"""

from typing import Final

from sqlalchemy import CheckConstraint, Column, Double, ForeignKey, Integer, SmallInteger, Table

from genrebase.store.tables.columns import Key, Name, UtcDateTime, metadata

ACOUSTICBRAINZ_PROVIDER: Final = "acousticbrainz"
"""The provider of what AcousticBrainz published."""
ESSENTIA_PROVIDER: Final = "essentia"
"""The provider of documents that somebody computed with Essentia's extractor."""
SUBMISSION_PROVIDERS: Final = (ACOUSTICBRAINZ_PROVIDER, ESSENTIA_PROVIDER)
"""Providers of these numbers; of the 12 audio features they have the tempo only."""

SUBMISSION_RANGES: Final = {
    "lowlevel": {
        "average_loudness": (0.0, 1.0),
        "dynamic_complexity": (0.0, 1_000.0),
        "mfcc_zero_mean": (-10_000.0, 10_000.0),
    },
    "rhythm": {
        "bpm": (1.0, 400.0),
        "bpm_first_peak": (1.0, 400.0),
        "bpm_second_peak": (1.0, 400.0),
        "danceability": (0.0, 100.0),
        "onset_rate": (0.0, 100.0),
    },
    "tonal": {
        "tuning_frequency": (1.0, 20_000.0),
        "tuning_deviation": (0.0, 1.0),
    },
    "strength": {"key_strength": (-1.0, 1.0)},
}
"""Inclusive range of each number, by group. A group comes from one set of submissions: each dump
has one of the first three, and only documents and the API have the last."""

SUBMISSION_NUMBERS: Final = tuple(
    name for numbers in SUBMISSION_RANGES.values() for name in numbers
)
"""The numbers, in the order used everywhere."""

acousticbrainz_recording = Table(
    "acousticbrainz_recording",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name, primary_key=True),
    Column(
        "recording_id",
        Name,
        primary_key=True,
        comment="the recording's MBID; `md5:…` of the audio where a document has none",
    ),
    Column(
        "origin",
        Name,
        primary_key=True,
        comment="the import that delivered it; the provider: its API",
    ),
    *(
        Column(
            f"{group}_submissions",
            Integer,
            nullable=False,
            server_default="0",
            comment="submissions that these numbers summarise",
        )
        for group in SUBMISSION_RANGES
    ),
    *(
        column
        for name in SUBMISSION_NUMBERS
        for column in (
            Column(name, Double, comment="the lower median of its submissions"),
            Column(f"{name}_range", Double, comment="the largest minus the smallest; NULL: one"),
        )
    ),
    Column("key", SmallInteger, comment="the commonest, 0 = C"),
    Column("mode", SmallInteger, comment="1 major, 0 minor"),
    Column("key_share", Double, comment="the share of submissions with this key and mode, 0..1"),
    Column("fetched_at", UtcDateTime, nullable=False),
    *(
        CheckConstraint(f"{name} BETWEEN {low} AND {high}", name=f"{name}_limits")
        for numbers in SUBMISSION_RANGES.values()
        for name, (low, high) in numbers.items()
    ),
    *(
        CheckConstraint(f"{group}_submissions >= 0", name=f"{group}_submissions_not_negative")
        for group in SUBMISSION_RANGES
    ),
    CheckConstraint("key BETWEEN 0 AND 11", name="key_limits"),
    CheckConstraint("mode BETWEEN 0 AND 1", name="mode_limits"),
    CheckConstraint("key_share BETWEEN 0 AND 1", name="key_share_limits"),
)

"""Catalogue tables: genres, artists, tracks, their sightings, verdicts and audio features."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from genrebase.store.tables.columns import Json, Key, Name, UtcDateTime, metadata, one_of, where

FEATURES: Final = (
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "time_signature",
)
"""The 12 audio features, in the order used everywhere."""

FEATURE_RANGES: Final = {
    "danceability": (0.0, 1.0),
    "energy": (0.0, 1.0),
    "key": (0, 11),
    "loudness": (-100.0, 20.0),
    "mode": (0, 1),
    "speechiness": (0.0, 1.0),
    "acousticness": (0.0, 1.0),
    "instrumentalness": (0.0, 1.0),
    "liveness": (0.0, 1.0),
    "valence": (0.0, 1.0),
    "tempo": (1.0, 400.0),
    "time_signature": (1, 16),
}
"""Inclusive range of each feature; a missing value is NULL. Loudness in dB, tempo in BPM."""

CATEGORICAL_FEATURES: Final = ("key", "mode", "time_signature")
"""Features that are categories, stored as integers."""

AUDIO_PROVIDER: Final = "audio"
"""The provider whose features are computed from audio files."""
INCOMPARABLE_FEATURES: Final = ("danceability", "energy", "loudness", "acousticness")
"""What it measures on scales of its own; its tempo, key and mode equal other providers'."""
OWN_SCALE_FEATURES: Final = {f"own_{name}": name for name in INCOMPARABLE_FEATURES}
"""Their names where tracks of all providers are aggregated, with the feature each replaces."""
ALL_FEATURES: Final = (*FEATURES, *OWN_SCALE_FEATURES)
"""The 12 features on the catalogues' scales, and four of them on the audio files' scales."""

SIDES: Final = ("train", "validation_new", "test_new", "validation_seen", "test_seen", "none")
"""The sides of the train/validation/test split (see `split.py`)."""

MAX_YEAR: Final = 2200
"""The schema's upper bound on years; importers reject years after the next one."""

genre = Table(
    "genre",
    metadata,
    Column("id", Key, primary_key=True),
    Column("name", Name, nullable=False, unique=True, comment="the search term, byte for byte"),
    Column("target", Integer, comment="tracks to collect; NULL: filled by imports only"),
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column(
        "sightings", Integer, nullable=False, server_default="0", comment="tracks sighted in it"
    ),
    Column("tracks", Integer, nullable=False, server_default="0", comment="tracks that it claims"),
    Column("created_at", UtcDateTime, nullable=False),
    CheckConstraint("target >= 0", name="target_not_negative"),
    CheckConstraint("trim(name) <> ''", name="name_not_blank"),
)

genre_mapping = Table(
    "genre_mapping",
    metadata,
    Column("mapping", Name, primary_key=True),
    Column("fine", Name, primary_key=True),
    Column("broad", Name, nullable=False),
)

vocabulary = Table(
    "vocabulary",
    metadata,
    Column("source", Name, primary_key=True, comment="`musicbrainz`, or the name of a file"),
    Column("name", Name, primary_key=True, comment="a genre, in small letters"),
)

genre_playlist = Table(
    "genre_playlist",
    metadata,
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), primary_key=True),
    Column("playlist_id", Text, primary_key=True),
    Column("snapshot_id", Text, comment="the version last read completely"),
)

artist = Table(
    "artist",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Text, nullable=False, comment="`name`: known by name only"),
    Column("source_id", Name, nullable=False),
    Column("name", Text, nullable=False),
    Column("name_key", Name, nullable=False, comment="the normalised name"),
    Column("fold", SmallInteger, nullable=False),
    UniqueConstraint("source", "source_id"),
    Index(None, "name_key"),
    CheckConstraint("fold BETWEEN 0 AND 9", name="fold_range"),
)

track = Table(
    "track",
    metadata,
    Column("id", Key, primary_key=True),
    Column("identity", Name, nullable=False),
    Column("name_key", Name, nullable=False, comment="normalised title | normalised artist"),
    Column(
        "ordinal",
        SmallInteger,
        nullable=False,
        server_default="1",
        comment="its number among the recordings of its name, from 1",
    ),
    Column(
        "genre_id",
        Key,
        ForeignKey("genre.id", ondelete="SET NULL"),
        comment="the claim: the one genre it counts for",
    ),
    Column("claim_tied", Boolean, nullable=False, server_default=false()),
    Column("title", Text, nullable=False),
    Column("artists", Text, nullable=False, comment="credited names, joined by '; '"),
    Column("album", Text),
    Column("release_date", Text, comment="YYYY, YYYY-MM or YYYY-MM-DD"),
    Column("release_year", SmallInteger),
    Column("duration_ms", Integer),
    Column("shortest_ms", Integer, comment="the shortest duration that was matched to it"),
    Column("longest_ms", Integer, comment="the longest one"),
    Column("explicit", Boolean),
    Column("popularity", SmallInteger, comment="0..100"),
    Column("isrc", Text),
    Column("origin", Text, nullable=False, comment="the source that delivered it first"),
    Column("track_fold", SmallInteger, nullable=False),
    Column("side", Text, nullable=False),
    Column("split", Text, comment="its split in a published dataset"),
    Column("features_provider", Name, comment="whose audio features the views show of it"),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False, comment="when its metadata last changed"),
    UniqueConstraint("name_key", "ordinal"),
    Index(None, "genre_id"),
    Index(None, "isrc", **where("isrc IS NOT NULL")),
    Index(
        "ix_track_tied",
        "genre_id",
        "id",
        sqlite_where=Column("claim_tied", Boolean),
        postgresql_where=Column("claim_tied", Boolean),
    ),
    CheckConstraint(f"release_year BETWEEN 1900 AND {MAX_YEAR}", name="release_year_range"),
    CheckConstraint("duration_ms > 0", name="duration_positive"),
    CheckConstraint("popularity BETWEEN 0 AND 100", name="popularity_range"),
    CheckConstraint("track_fold BETWEEN 0 AND 9", name="fold_range"),
    CheckConstraint(one_of("side", SIDES), name="side_known"),
)

track_alias = Table(
    "track_alias",
    metadata,
    Column("source", Name, primary_key=True),
    Column("source_id", Name, primary_key=True),
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), nullable=False),
    Index(None, "track_id"),
)

merged_track = Table(
    "merged_track",
    metadata,
    Column(
        "track_id",
        Key,
        primary_key=True,
        autoincrement=False,
        comment="a track that turned out to be another one; no other track gets its id",
    ),
    Column("merged_into", Key, ForeignKey("track.id", ondelete="CASCADE"), nullable=False),
    Index(None, "merged_into"),
)

track_artist = Table(
    "track_artist",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("artist_id", Key, ForeignKey("artist.id"), primary_key=True),
    Column("position", SmallInteger, nullable=False, comment="0 is the primary artist"),
    Index(None, "artist_id"),
)

sighting = Table(
    "sighting",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), primary_key=True),
    Column("source", Name, primary_key=True, comment="as `track.origin` is named"),
    Column("best_rank", Integer, nullable=False, comment="0 is the first search result"),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("votes", Integer, comment="for the genre; NULL: the source has none"),
    Column("level", SmallInteger, comment="0: of the recording, 1: release, 2: artist"),
    Column("licence", Name, comment="NULL: the source's"),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("playlist", Text, comment="that had the track at its best rank; NULL: none"),
    Index(None, "genre_id"),
    CheckConstraint("best_rank >= 0", name="rank_not_negative"),
    CheckConstraint("times >= 1", name="seen_at_least_once"),
    CheckConstraint("votes >= 1", name="votes_positive"),
    CheckConstraint("level BETWEEN 0 AND 2", name="level_range"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("track_id", Key, ForeignKey("track.id"), primary_key=True),
    Column("labelled_by", Name, primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id"), nullable=False),
    Column("labelled_at", UtcDateTime, nullable=False),
    Column("note", Text),
    Column(
        "blind",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="given on a track drawn at random, without its label and prediction",
    ),
    Index(None, "genre_id"),
)

audio_features = Table(
    "audio_features",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name, primary_key=True),
    *(Column(name, SmallInteger if name in CATEGORICAL_FEATURES else Double) for name in FEATURES),
    Column("licence", Name, comment="NULL: the provider's"),
    Column("fetched_at", UtcDateTime, nullable=False),
    *(
        CheckConstraint(f"{name} BETWEEN {low} AND {high}", name=f"{name}_range")
        for name, (low, high) in FEATURE_RANGES.items()
    ),
)

feature_order = Table(
    "feature_order",
    metadata,
    Column("provider", Name, primary_key=True),
    Column("position", SmallInteger, nullable=False, comment="0 is preferred to all others"),
)

feature_attempt = Table(
    "feature_attempt",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("provider", Name, primary_key=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_at", UtcDateTime, comment="time of the next request; NULL: none"),
    Column("outcome", Text, nullable=False),
    Index(None, "provider", "next_at"),
    CheckConstraint(one_of("outcome", ("known", "unknown")), name="outcome_known"),
)

identity_lock = Table(
    "identity_lock",
    metadata,
    Column(
        "slot",
        BigInteger,
        primary_key=True,
        autoincrement=False,
        comment="hash of a name that an open transaction has locked; always empty for others",
    ),
)

catalogue_origin = Table(
    "catalogue_origin",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False, server_default="1"),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False, comment="a sandbox's seed or file, with its checksum"),
    Column("recorded_at", UtcDateTime, nullable=False),
    CheckConstraint("id = 1", name="one_row"),
    CheckConstraint(one_of("kind", ("spotify", "synthetic", "file", "other")), name="kind_known"),
)

data_source = Table(
    "data_source",
    metadata,
    Column("name", Name, primary_key=True, comment="an origin of labels, a provider of features"),
    Column("licence", Name, nullable=False, comment="of what has none of its own"),
    Column("noted_at", UtcDateTime, nullable=False),
)

imported_file = Table(
    "imported_file",
    metadata,
    Column("sha256", Text, primary_key=True, comment="of the file's bytes and its options"),
    Column("name", Text, nullable=False),
    Column("rows_done", Integer, nullable=False, comment="rows counted into `sighting.times`"),
    Column("finished_at", UtcDateTime),
    Column("id", Key, nullable=False, unique=True, comment="the import, as `imports` lists it"),
    Column(
        "origin",
        Name,
        nullable=False,
        comment="its versions share one; numbered where other tables have its name",
    ),
    Column("options", Json, comment="the options it was imported with"),
    Column("schema", Text, comment="the descriptor schema of its values"),
    Column("mapped", Json, comment="the subgenres that it added to its mapping"),
    Column("started_at", UtcDateTime, comment="NULL: its deliveries are not recorded"),
    Column("tracks_new", Integer, nullable=False, server_default="0"),
    Column("undo_started_at", UtcDateTime),
    Column("undone_at", UtcDateTime),
)

DELIVERABLE: Final = (
    "album",
    "release_date",
    "release_year",
    "duration_ms",
    "explicit",
    "popularity",
    "isrc",
    "split",
    "features",
    "descriptors",
)
"""What an import can deliver about a track: bit 0 of `import_track.delivered` is the first."""

import_track = Table(
    "import_track",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("import_id", Key, ForeignKey("imported_file.id"), primary_key=True),
    Column("created", Boolean, nullable=False, comment="no source had it before"),
    Column("delivered", Integer, nullable=False, comment="bits: which of its values are stored"),
    Column("replaced", Json, comment="what it filled or corrected, with the values before"),
    Column("licence", Name, comment="of its features; NULL: the import's"),
    sqlite_with_rowid=False,
)

import_sighting = Table(
    "import_sighting",
    metadata,
    Column("track_id", Key, ForeignKey("track.id", ondelete="CASCADE"), primary_key=True),
    Column("genre_id", Key, ForeignKey("genre.id", ondelete="CASCADE"), primary_key=True),
    Column("import_id", Key, ForeignKey("imported_file.id"), primary_key=True),
    Column("best_rank", Integer, nullable=False),
    Column("times", Integer, nullable=False, comment="its part of `sighting.times`"),
    Column("votes", Integer),
    Column("level", SmallInteger),
    Column("licence", Name, comment="NULL: the import's"),
    Column("playlist", Text, comment="as in `sighting`"),
    CheckConstraint("best_rank >= 0", name="rank_not_negative"),
    CheckConstraint("times >= 0", name="times_not_negative"),
    sqlite_with_rowid=False,
)

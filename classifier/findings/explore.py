"""Report on data quality: missing values, ranges, outliers, label conflicts, duplicates."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from classifier.arrays import Mask
from classifier.data import dataset, genre_merges
from classifier.data.dataset import Database
from classifier.errors import TooFewTracks
from classifier.estimators import outliers
from classifier.features import audio
from classifier.features.audio import AUDIO, METADATA, numeric_column
from classifier.findings import clustering, profiles
from classifier.findings.effect_sizes import CONTINUOUS_FEATURES
from genrebase.counts import agree, counted
from genrebase.store import names
from genrebase.store.merge_proposals import MergeProposal

OUTLIER_SAMPLE: Final = 20_000
"""Tracks searched for outliers: DBSCAN's time grows faster than their number."""
SPIKE_SHARE: Final = 0.05
"""A value that so many tracks share is reported."""
MAX_LISTED: Final = 10
"""Pairs, tracks and groups that are listed."""
_COLUMNS: Final = (*AUDIO, *METADATA)


@dataclass(frozen=True, slots=True)
class MissingValues:
    """The missing values of a column."""

    column: str
    missing: int
    share: float
    worst_genre: str | None
    """The genre with the largest share, if any is missing."""
    worst_share: float


@dataclass(frozen=True, slots=True)
class ColumnRange:
    """The range of a column."""

    column: str
    n: int
    low: float
    p01: float
    median: float
    p99: float
    high: float
    spike: float | None
    """The most frequent value, if 5% of the tracks share it."""
    spike_share: float


@dataclass(frozen=True, slots=True)
class OutlierTrack:
    """An outlier."""

    track: int
    title: str
    artists: str
    label: str | None
    distance: float
    """From the mean of all tracks, in standard deviations (root mean square)."""


@dataclass(frozen=True, slots=True)
class DataReport:
    """The report."""

    tracks: int
    labelled: int
    with_features: int
    gaps: tuple[MissingValues, ...]
    ranges: tuple[ColumnRange, ...]
    outlying: int
    """Outliers by DBSCAN."""
    looked_at: int
    """Tracks searched for outliers."""
    outlying_genres: dict[str, float]
    """The share of outliers in each genre, the largest first."""
    odd: tuple[OutlierTrack, ...]
    several_genres: int
    """Labelled tracks with sightings in more than one genre."""
    overlaps: tuple[dict[str, Any], ...]
    """Pairs of genres with most tracks in common."""
    merges: tuple[MergeProposal, ...]
    """Genres that may be one."""
    overruled: int
    """Tracks whose verdict is not their claim."""
    same_name: tuple[dict[str, Any], ...]
    """Names with several recordings under different labels."""
    same_name_count: int
    same_sound: tuple[dict[str, Any], ...]
    """Tracks with identical audio features: probably one recording."""
    same_sound_count: int

    def as_json(self) -> dict[str, Any]:
        """Return the JSON of `explore`."""
        merges = [one.as_json() for one in self.merges]
        return {**asdict(self), "merges": merges, "sentences": self.sentences()}

    def sentences(self) -> list[str]:
        """Return the conspicuous results."""
        return list(_sentences(self))


def run(database: Database, *, seed: int = 0) -> DataReport:
    """Examine all tracks; raise `TooFewTracks` without any."""
    frame = dataset.read_view("tracks", database).sort_values("track_id", ignore_index=True)
    if len(frame) == 0:
        raise TooFewTracks("There is no track yet: harvest or import some.")
    overlaps = dataset.read_view("genre_overlaps", database)
    scaled = audio.on_majority_scale(frame)
    complete = np.asarray(np.isfinite(profiles.audio_matrix(scaled)).all(axis=1))
    outlying, searched = _outliers(scaled, complete, seed)
    overruled = (frame["verdict"] != frame["claim"]) & frame["verdict"].notna()
    same_name = _same_name(frame)
    same_sound = _same_sound(scaled, complete)
    pairs = [overlaps[name].tolist() for name in ("genre", "other_genre", "tracks")]
    return DataReport(
        tracks=len(frame),
        labelled=int(frame["label"].notna().sum()),
        with_features=int(frame["provider"].notna().sum()),
        gaps=tuple(_missing_values(frame)),
        ranges=tuple(_ranges(scaled)),
        outlying=len(outlying),
        looked_at=len(searched),
        outlying_genres=_by_genre(frame, outlying, searched),
        odd=tuple(_outlier_tracks(scaled, outlying, searched)),
        several_genres=int((frame["label"].notna() & (frame["genres_sighted"] > 1)).sum()),
        overlaps=tuple(_overlaps(overlaps)),
        merges=tuple(genre_merges.proposals(database, zip(*pairs, strict=True))),
        overruled=int(overruled.fillna(value=False).sum()),
        same_name=tuple(same_name[:MAX_LISTED]),
        same_name_count=len(same_name),
        same_sound=tuple(same_sound[:MAX_LISTED]),
        same_sound_count=len(same_sound),
    )


def _missing_values(frame: pd.DataFrame) -> Iterator[MissingValues]:
    for column in ("label", "album", "isrc", *_COLUMNS):
        missing = frame[column].isna()
        shares = missing.groupby(frame["label"]).mean().sort_index()
        worst = str(shares.idxmax()) if len(shares) and shares.max() > 0 else None
        yield MissingValues(
            column,
            int(missing.sum()),
            float(missing.mean()),
            worst,
            0.0 if worst is None else float(shares.max()),
        )


def _ranges(frame: pd.DataFrame) -> Iterator[ColumnRange]:
    for column in _COLUMNS:
        values = numeric_column(frame, column)
        values = values[np.isfinite(values)]
        if len(values) == 0:
            continue
        distinct, counts = np.unique(values, return_counts=True)
        share = float(counts.max() / len(values))
        low, median, high = (float(np.percentile(values, percent)) for percent in (1, 50, 99))
        yield ColumnRange(
            column,
            len(values),
            float(values.min()),
            low,
            median,
            high,
            float(values.max()),
            float(distinct[counts.argmax()]) if share >= SPIKE_SHARE else None,
            share,
        )


def _outliers(frame: pd.DataFrame, complete: Mask, seed: int) -> tuple[list[int], list[int]]:
    rows = np.flatnonzero(complete)
    if len(rows) > OUTLIER_SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, OUTLIER_SAMPLE, replace=False))
    if len(rows) < outliers.MIN_TRACKS_FOR_OUTLIERS:
        return [], []
    points = clustering.feature_matrix(frame.iloc[rows], CONTINUOUS_FEATURES)
    return rows[outliers.dbscan_noise(points)].tolist(), rows.tolist()


def _by_genre(
    frame: pd.DataFrame, outlying: Sequence[int], searched: Sequence[int]
) -> dict[str, float]:
    label = frame["label"].iloc[list(searched)]
    shares = label.index.isin(outlying)
    by_genre = pd.Series(shares, index=label.index).groupby(label).mean()
    by_genre = by_genre.sort_index().sort_values(ascending=False, kind="stable")
    return {str(genre): float(share) for genre, share in by_genre.items() if share > 0}


def _outlier_tracks(
    frame: pd.DataFrame, outlying: Sequence[int], searched: Sequence[int]
) -> Iterator[OutlierTrack]:
    if not outlying:
        return
    points = profiles.audio_matrix(frame.iloc[list(searched)])
    spread = points.std(axis=0)
    scores = (points - points.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    distances = dict(zip(searched, np.sqrt((scores**2).mean(axis=1)), strict=True))
    for row in sorted(outlying, key=lambda place: (-distances[place], place))[:MAX_LISTED]:
        track = frame.iloc[row]
        label = track["label"]
        yield OutlierTrack(
            int(track["track_id"]),
            str(track["title"]),
            str(track["artists"]),
            None if pd.isna(label) else str(label),
            float(distances[row]),
        )


def _overlaps(overlaps: pd.DataFrame) -> Iterator[dict[str, Any]]:
    ordered = overlaps.sort_values(
        ["tracks", "genre", "other_genre"], ascending=[False, True, True]
    )
    columns = ["genre", "other_genre", "tracks", "share", "other_share"]
    yield from ordered[columns].head(MAX_LISTED).to_dict("records")  # type: ignore[misc]  # named by str


def _same_name(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the names whose recordings have different labels, most recordings first."""
    labelled = frame[frame["label"].notna()]
    key = labelled["identity"].str.split(names.SEPARATOR).str[:2].str.join(names.SEPARATOR)
    grouped = labelled.groupby(key)["label"]
    differing = grouped.nunique()
    counts = grouped.size()[differing > 1]
    rows = labelled[key.isin(counts.index)]
    groups = [
        {
            "title": str(own["title"].iloc[0]),
            "artists": str(own["artists"].iloc[0]),
            "labels": sorted(set(own["label"])),
            "tracks": [int(track) for track in own["track_id"]],
        }
        for _, own in rows.groupby(key[key.isin(counts.index)])
    ]
    return sorted(groups, key=lambda one: (-len(one["tracks"]), one["tracks"]))


def _same_sound(frame: pd.DataFrame, complete: Mask) -> list[dict[str, Any]]:
    """Return groups of tracks with identical continuous audio features: probably duplicates."""
    rows = frame[complete]
    repeated = rows[rows.duplicated(list(CONTINUOUS_FEATURES), keep=False)]
    groups = [
        {
            "tracks": [int(track) for track in own["track_id"]],
            "titles": [str(title) for title in own["title"]],
            "artists": [str(artists) for artists in own["artists"]],
            "labels": sorted(set(own["label"].dropna())),
        }
        for _, own in repeated.groupby(list(CONTINUOUS_FEATURES), sort=False)
    ]
    return sorted(groups, key=lambda one: (-len(one["tracks"]), one["tracks"]))


def _sentences(report: DataReport) -> Iterator[str]:
    yield (
        f"{counted(report.tracks, 'track')}, {report.labelled:,} labelled, "
        f"{report.with_features:,} with features."
    )
    for gap in report.gaps:
        if 0 < gap.share < 1 and gap.worst_genre is not None and gap.worst_share > 2 * gap.share:
            yield (
                f"{gap.column} is missing in {gap.share:.1%} of the tracks, and in "
                f"{gap.worst_share:.1%} of {gap.worst_genre}."
            )
    for one in report.ranges:
        if one.spike is not None and one.column in CONTINUOUS_FEATURES:
            yield f"{one.spike_share:.1%} of the tracks have {one.column} {one.spike:.4g}."
    if report.looked_at:
        share = report.outlying / report.looked_at
        yield (
            f"{report.outlying:,} of {counted(report.looked_at, 'track')} ({share:.1%}) are "
            f"outliers by audio features (DBSCAN){_most_frequent(report.outlying_genres)}."
        )
    yield from _genre_sentences(report)
    if report.same_name_count:
        yield (
            f"{counted(report.same_name_count, 'name')} "
            f"{agree(report.same_name_count, 'has', 'have')} recordings with different labels."
        )
    if report.same_sound_count:
        yield (
            f"{counted(report.same_sound_count, 'group')} of tracks have identical audio "
            "features: probably one recording under several names."
        )


def _genre_sentences(report: DataReport) -> Iterator[str]:
    if report.several_genres:
        share = report.several_genres / max(1, report.labelled)
        yield (
            f"{counted(report.several_genres, 'labelled track')} ({share:.1%}) "
            f"{agree(report.several_genres, 'has', 'have')} several genres."
        )
    for proposal in report.merges:
        yield f"May be one genre: {proposal.sentence()} (collector genres merges)."
    if report.overruled:
        yield (
            f"{counted(report.overruled, 'claim')} {agree(report.overruled, 'was', 'were')} "
            "overruled by manual annotations."
        )


def _most_frequent(shares: dict[str, float]) -> str:
    if not shares:
        return ""
    genre, share = next(iter(shares.items()))
    return f"; most of {genre}: {share:.1%}"

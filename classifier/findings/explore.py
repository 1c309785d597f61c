"""What the data is like before anything is learned from it: gaps, ranges, oddities, conflicts."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.errors import TooFewTracks
from classifier.estimators import outliers
from classifier.features import audio
from classifier.features.audio import AUDIO, METADATA, numeric_column
from classifier.findings import clustering
from classifier.findings.effect_sizes import CONTINUOUS_FEATURES
from genrebase.store import names

OUTLIER_SAMPLE: Final = 20_000
"""Tracks among which those are sought that lie alone: DBSCAN's time grows faster than they do."""
SPIKE_SHARE: Final = 0.05
"""A value that so many tracks share is named."""
MAX_LISTED: Final = 10
"""Pairs, tracks and groups that are named."""
_COLUMNS: Final = (*AUDIO, *METADATA)


@dataclass(frozen=True, slots=True)
class MissingValues:
    """How often something is missing."""

    column: str
    missing: int
    share: float
    worst_genre: str | None
    """The genre that misses it most, where any does."""
    worst_share: float


@dataclass(frozen=True, slots=True)
class ColumnRange:
    """What values a column has."""

    column: str
    n: int
    low: float
    p01: float
    median: float
    p99: float
    high: float
    spike: float | None
    """The commonest value, where 5% of the tracks share it."""
    spike_share: float


@dataclass(frozen=True, slots=True)
class OutlierTrack:
    """A track that lies alone."""

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
    """Tracks that DBSCAN leaves alone."""
    looked_at: int
    """Tracks it looked at."""
    outlying_genres: dict[str, float]
    """The share of each genre that lies alone, the greatest first."""
    odd: tuple[OutlierTrack, ...]
    several_genres: int
    """Labelled tracks seen under more than one genre."""
    overlaps: tuple[dict[str, Any], ...]
    """Pairs of genres with most tracks in common."""
    overruled: int
    """Tracks whose verdict is not their claim."""
    same_name: tuple[dict[str, Any], ...]
    """Names with several recordings under different labels."""
    same_name_count: int
    same_sound: tuple[dict[str, Any], ...]
    """Tracks that sound exactly alike: probably one recording."""
    same_sound_count: int

    def as_json(self) -> dict[str, Any]:
        """Return what `explore --json` shows."""
        return {**asdict(self), "sentences": self.sentences()}

    def sentences(self) -> list[str]:
        """Return what people should look at."""
        return list(_sentences(self))


def run(database: Database, *, seed: int = 0) -> DataReport:
    """Look at all tracks; raise `TooFewTracks` where there are none."""
    frame = dataset.read_view("tracks", database).sort_values("track_id", ignore_index=True)
    if len(frame) == 0:
        raise TooFewTracks("There is no track yet: harvest or import some.")
    overlaps = dataset.read_view("genre_overlaps", database)
    scaled = audio.on_majority_scale(frame)
    heard = np.isfinite(_sound(scaled)).all(axis=1)
    alone, looked_at = _alone(scaled, heard, seed)
    differs = (frame["verdict"] != frame["claim"]) & frame["verdict"].notna()
    named = _same_name(frame)
    alike = _same_sound(scaled, heard)
    return DataReport(
        tracks=len(frame),
        labelled=int(frame["label"].notna().sum()),
        with_features=int(frame["provider"].notna().sum()),
        gaps=tuple(_gaps(frame)),
        ranges=tuple(_ranges(scaled)),
        outlying=len(alone),
        looked_at=len(looked_at),
        outlying_genres=_by_genre(frame, alone, looked_at),
        odd=tuple(_odd(scaled, alone, looked_at)),
        several_genres=int((frame["label"].notna() & (frame["genres_sighted"] > 1)).sum()),
        overlaps=tuple(_overlaps(overlaps)),
        overruled=int(differs.fillna(value=False).sum()),
        same_name=tuple(named[:MAX_LISTED]),
        same_name_count=len(named),
        same_sound=tuple(alike[:MAX_LISTED]),
        same_sound_count=len(alike),
    )


def _gaps(frame: pd.DataFrame) -> Iterator[MissingValues]:
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
        found, counts = np.unique(values, return_counts=True)
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
            float(found[counts.argmax()]) if share >= SPIKE_SHARE else None,
            share,
        )


def _alone(
    frame: pd.DataFrame, heard: "np.ndarray[Any, np.dtype[np.bool_]]", seed: int
) -> tuple[list[int], list[int]]:
    """Return the rows that lie alone, and those that were looked at."""
    rows = np.flatnonzero(heard)
    if len(rows) > OUTLIER_SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(rows, OUTLIER_SAMPLE, replace=False))
    if len(rows) < outliers.MIN_TRACKS:
        return [], []
    points = clustering.feature_matrix(frame.iloc[rows], CONTINUOUS_FEATURES)
    return rows[outliers.dbscan_noise(points)].tolist(), rows.tolist()


def _by_genre(
    frame: pd.DataFrame, alone: Sequence[int], looked_at: Sequence[int]
) -> dict[str, float]:
    label = frame["label"].iloc[list(looked_at)]
    shares = label.index.isin(alone)
    found = pd.Series(shares, index=label.index).groupby(label).mean()
    found = found.sort_index().sort_values(ascending=False, kind="stable")
    return {str(genre): float(share) for genre, share in found.items() if share > 0}


def _odd(
    frame: pd.DataFrame, alone: Sequence[int], looked_at: Sequence[int]
) -> Iterator[OutlierTrack]:
    if not alone:
        return
    sound = _sound(frame.iloc[list(looked_at)])
    spread = sound.std(axis=0)
    away = (sound - sound.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    far = dict(zip(looked_at, np.sqrt((away**2).mean(axis=1)), strict=True))
    for row in sorted(alone, key=lambda place: (-far[place], place))[:MAX_LISTED]:
        track = frame.iloc[row]
        label = track["label"]
        yield OutlierTrack(
            int(track["track_id"]),
            str(track["title"]),
            str(track["artists"]),
            None if pd.isna(label) else str(label),
            float(far[row]),
        )


def _overlaps(found: pd.DataFrame) -> Iterator[dict[str, Any]]:
    ordered = found.sort_values(["tracks", "genre", "other_genre"], ascending=[False, True, True])
    columns = ["genre", "other_genre", "tracks", "share", "other_share"]
    yield from ordered[columns].head(MAX_LISTED).to_dict("records")  # type: ignore[misc]  # named by str


def _same_name(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the names whose recordings carry different labels, most recordings first."""
    labelled = frame[frame["label"].notna()]
    key = labelled["identity"].str.split(names.SEPARATOR).str[:2].str.join(names.SEPARATOR)
    grouped = labelled.groupby(key)["label"]
    differing = grouped.nunique()
    counts = grouped.size()[differing > 1]
    rows = labelled[key.isin(counts.index)]
    found = [
        {
            "title": str(own["title"].iloc[0]),
            "artists": str(own["artists"].iloc[0]),
            "labels": sorted(set(own["label"])),
            "tracks": [int(track) for track in own["track_id"]],
        }
        for _, own in rows.groupby(key[key.isin(counts.index)])
    ]
    return sorted(found, key=lambda one: (-len(one["tracks"]), one["tracks"]))


def _same_sound(
    frame: pd.DataFrame, heard: "np.ndarray[Any, np.dtype[np.bool_]]"
) -> list[dict[str, Any]]:
    """Return the groups of tracks whose nine quantities are equal to the last digit."""
    known = frame[heard]
    repeated = known[known.duplicated(list(CONTINUOUS_FEATURES), keep=False)]
    found = [
        {
            "tracks": [int(track) for track in own["track_id"]],
            "titles": [str(title) for title in own["title"]],
            "artists": [str(artists) for artists in own["artists"]],
            "labels": sorted(set(own["label"].dropna())),
        }
        for _, own in repeated.groupby(list(CONTINUOUS_FEATURES), sort=False)
    ]
    return sorted(found, key=lambda one: (-len(one["tracks"]), one["tracks"]))


def _sound(frame: pd.DataFrame) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.column_stack([numeric_column(frame, name) for name in CONTINUOUS_FEATURES])


def _sentences(report: DataReport) -> Iterator[str]:
    yield (
        f"{report.tracks:,} tracks, {report.labelled:,} labelled, "
        f"{report.with_features:,} with features."
    )
    for gap in report.gaps:
        if 0 < gap.share < 1 and gap.worst_genre is not None and gap.worst_share > 2 * gap.share:
            yield (
                f"{gap.column} is missing of {gap.share:.1%} of the tracks, of "
                f"{gap.worst_share:.1%} in {gap.worst_genre}."
            )
    for one in report.ranges:
        if one.spike is not None and one.column in CONTINUOUS_FEATURES:
            yield f"{one.spike_share:.1%} of the tracks have {one.column} {one.spike:.4g}."
    if report.looked_at:
        share = report.outlying / report.looked_at
        yield (
            f"{report.outlying:,} of {report.looked_at:,} tracks ({share:.1%}) lie alone by "
            f"their sound (DBSCAN){_most(report.outlying_genres)}."
        )
    if report.several_genres:
        share = report.several_genres / max(1, report.labelled)
        yield f"{report.several_genres:,} labelled tracks ({share:.1%}) are under several genres."
    if report.overruled:
        yield f"{report.overruled:,} claims were overruled by people."
    if report.same_name_count:
        yield f"{report.same_name_count:,} names have recordings with different labels."
    if report.same_sound_count:
        yield (
            f"{report.same_sound_count:,} groups of tracks sound exactly alike: probably the "
            "same recording under several names."
        )


def _most(shares: dict[str, float]) -> str:
    if not shares:
        return ""
    genre, share = next(iter(shares.items()))
    return f"; most of {genre}: {share:.1%}"

"""Leave out labels and features by licence and level; recompute the claims. Pure.

Every training passes its data through `restrict`, so no training frame has what it leaves out.
Claims are recomputed from the remaining labels by the rule of `genrebase.store.claims`: they equal
those of a database that never had the other labels.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from classifier import data_sources
from classifier.arrays import Mask
from classifier.data.raw_dataset import UNRESTRICTED, RawDataset
from classifier.data_sources import LeftOut, SourceCount, TrainingSources
from classifier.features import groups, sequences
from classifier.training_config import TrainingConfig
from genrebase import licences
from genrebase.store import claims

FEATURES_LICENCE: Final = "features_licence"
"""The column with the licence of a track's audio features."""
SOURCE_COLUMNS: Final = {
    "audio": ("provider", FEATURES_LICENCE),
    **{
        part: (f"{part}_provider", f"{part}_licence")
        for part in (*groups.AUDIO_ANALYSIS_GROUPS, *sequences.CHANNELS)
    },
}
"""Feature group, or kind of matrix, to the columns with their provider and licence."""
MAX_LEVELS: Final[Mapping[str, int]] = {"recording": 0, "release": 1, "artist": 2}
"""The highest level that each value of `--min-level` counts (see `collector.records.Level`)."""
_POPULARITY: Final = "popularity"
"""A score that a service computed; which one did is not recorded."""


def restrict(data: RawDataset, config: TrainingConfig) -> RawDataset:
    """Return the data without labels and features that `--licence` or `--min-level` forbids.

    Tracks without a label are left out; features are set to missing.
    """
    wanted = (config.licence, config.min_level)
    if wanted == data.restricted_to:
        return data
    tracks, features = without_disallowed_features(data.tracks, config)
    popularity = int(data.tracks[_POPULARITY].notna().sum() - tracks[_POPULARITY].notna().sum())
    rows = data.sightings
    is_allowed = _allowed_rows(rows, config)
    reaches = _reaches_level(rows, config)
    kept = is_allowed & reaches
    result = replace(data, sightings=rows[kept].reset_index(drop=True), restricted_to=wanted)
    before = len(tracks)
    if not kept.all():
        tracks = _with_claims(tracks, result.track_genres())
    left_out = LeftOut(
        labels=count_sources(rows[~is_allowed]),
        features=features,
        below_level=count_sources(rows[is_allowed & ~reaches]),
        popularity=popularity,
        tracks=before - len(tracks),
    )
    return replace(result, tracks=tracks, left_out=left_out)


def without_disallowed_features(
    tracks: pd.DataFrame, config: TrainingConfig
) -> tuple[pd.DataFrame, tuple[SourceCount, ...]]:
    """Return tracks without features whose licence is not allowed, and the tracks per provider.

    Popularity is a feature of an unknown source: it is kept with `--licence any` only.
    """
    if config.licence == UNRESTRICTED[0]:
        return tracks, ()
    removed = []
    for part, (provider, licence) in SOURCE_COLUMNS.items():
        names = _columns_of(part, tracks)
        has_any = _has_any(tracks, [*names, *({provider} & set(tracks.columns))])
        if not has_any.any():
            continue
        wrong = has_any & ~allowed_mask(tracks[licence], config)
        if wrong.any():
            removed.append(_of_provider(tracks[wrong], provider, licence))
            tracks = tracks.assign(
                **{name: _masked(tracks[name], wrong) for name in (*names, provider, licence)}
            )
    tracks = tracks.assign(**{_POPULARITY: tracks[_POPULARITY].mask(tracks[_POPULARITY].notna())})
    if not removed:
        return tracks, ()
    return tracks, count_sources(pd.concat(removed).drop_duplicates())


def sources_of(data: RawDataset, tracks: pd.DataFrame, config: TrainingConfig) -> TrainingSources:
    """Return the sources of the labels and features of `tracks`, which are rows of `data`."""
    ids = tracks["track_id"].to_numpy(dtype=np.int64)
    rows = data.sightings[np.isin(data.sightings["track_id"].to_numpy(dtype=np.int64), ids)]
    labels = count_sources(rows)
    judged = int(tracks["verdict"].notna().sum())
    if judged:
        labels = (*labels, SourceCount(data_sources.VERDICT, licences.OWN, judged))
    used = []
    for part, (provider, licence) in SOURCE_COLUMNS.items():
        has_any = _has_any(tracks, _columns_of(part, tracks))
        group = groups.MATRICES if part in sequences.CHANNELS else part
        if group in config.features and has_any.any():
            used.append(_of_provider(tracks[has_any], provider, licence))
    features = count_sources(pd.concat(used).drop_duplicates()) if used else ()
    return TrainingSources(config.licence, config.min_level, labels, features, data.left_out)


def count_sources(rows: pd.DataFrame) -> tuple[SourceCount, ...]:
    """Return the numbers of rows per source and licence, the largest first."""
    counts = rows.groupby(["source", "licence"], observed=True, dropna=False).size()
    found = [
        SourceCount(_named(source), _named(licence), int(count))
        for (source, licence), count in zip(counts.index.tolist(), counts, strict=True)
    ]
    return tuple(sorted(found, key=lambda one: (-one.count, one.source, one.licence)))


def _named(name: Any) -> str:
    return licences.UNKNOWN if pd.isna(name) else str(name)


def _of_provider(tracks: pd.DataFrame, provider: str, licence: str) -> pd.DataFrame:
    """Return (track_id, source, licence) of the features of these tracks."""
    columns = tracks[["track_id", provider, licence]]
    return columns.set_axis(["track_id", "source", "licence"], axis="columns")


def _allowed_rows(rows: pd.DataFrame, config: TrainingConfig) -> Mask:
    if config.licence == UNRESTRICTED[0]:
        return np.ones(len(rows), dtype=bool)
    return allowed_mask(rows["licence"], config)


def _reaches_level(rows: pd.DataFrame, config: TrainingConfig) -> Mask:
    if config.min_level == UNRESTRICTED[1]:
        return np.ones(len(rows), dtype=bool)
    levels = rows["level"].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(np.isnan(levels) | (levels <= MAX_LEVELS[config.min_level]))


def allowed_mask(names: "pd.Series[Any]", config: TrainingConfig) -> Mask:
    """Return a mask of the allowed licences; a missing licence is unknown, and not allowed."""
    allowed = [
        name
        for name in names.dropna().unique()
        if data_sources.is_allowed(str(name), config.licence)
    ]
    return np.asarray(names.isin(allowed).to_numpy(dtype=bool))


def _with_claims(tracks: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the tracks with claims, labels and numbers of genres by these sightings.

    Tracks without a label are left out.
    """
    claim = tracks["track_id"].map(recomputed_claims(rows)).astype("string")
    label = tracks["verdict"].astype("string").fillna(claim)
    genres = tracks["track_id"].map(rows["track_id"].value_counts()).fillna(0).astype("Int64")
    changed = tracks.assign(claim=claim, label=label, genres_sighted=genres)
    return changed[label.notna().to_numpy(dtype=bool)].reset_index(drop=True)


def recomputed_claims(rows: pd.DataFrame) -> "pd.Series[str]":
    """Return track to claim, from (track_id, genre, best_rank) with each pair once.

    A tie goes to the genre with fewer tracks among these rows, then to the first by name.
    """
    first = rows.groupby("track_id")["best_rank"].transform("min")
    best = rows[(rows["best_rank"] == first).to_numpy(dtype=bool)]
    is_tied = best.duplicated("track_id", keep=False).to_numpy(dtype=bool)
    claim = best[~is_tied].set_index("track_id")["genre"]
    counts = rows["genre"].value_counts()
    keys = {str(genre): (int(count), str(genre)) for genre, count in counts.items()}
    tied = {
        track: claims.choose_claim(dict.fromkeys(genres, 0), keys)[0]
        for track, genres in best[is_tied].groupby("track_id")["genre"].agg(list).items()
    }
    return pd.concat([claim, pd.Series(tied, dtype="string")]) if tied else claim


def _columns_of(part: str, tracks: pd.DataFrame) -> list[str]:
    """Return the columns of a feature group, or kind of matrix, that `tracks` have."""
    names = [part] if part in sequences.CHANNELS else groups.group_columns(part, tracks)
    return [name for name in names if name in tracks.columns and name != "provider"]


def _has_any(tracks: pd.DataFrame, names: list[str]) -> Mask:
    if not names:
        return np.zeros(len(tracks), dtype=bool)
    return np.asarray(tracks[names].notna().any(axis=1), dtype=bool)


def _masked(column: "pd.Series[Any]", rows: Mask) -> "pd.Series[Any]":
    return column.mask(rows, None if column.dtype == object else pd.NA)

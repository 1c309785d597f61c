"""Distributions of features within genres: profiles, and histograms."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Double,
    Integer,
    Select,
    Text,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.acousticbrainz import acousticbrainz_features
from genrebase.store.views.definition import Providers, view
from genrebase.store.views.exact_sums import exact_sum

PERCENTILES: Final = (5, 25, 50, 75, 95)
_STATISTICS: Final = {
    "n": "Tracks of the genre that have the feature; the others are left out.",
    "mean": "The arithmetic mean.",
    "standard_deviation": "The sample standard deviation (over n - 1), NULL for one track.",
    "min": "The minimum.",
    "p05": "The 5th percentile.",
    "p25": "The 25th percentile.",
    "p50": "The median.",
    "p75": "The 75th percentile.",
    "p95": "The 95th percentile.",
    "max": "The maximum.",
}
_PERCENTILE_NOTE: Final = (
    "Percentiles are by nearest rank: p05 is the smallest value v so that at least 5% of the "
    "tracks have a value of at most v. "
)


def _ranked(labelled: CTE, feature: str) -> Select[Any]:
    """Return one feature's values with their cumulative distribution within the genre."""
    genre_id, value = labelled.c.genre_id, labelled.c[feature]
    return select(
        genre_id,
        cast(literal(feature), Text).label("feature"),
        cast(value, Double).label("value"),
        func.cume_dist().over(partition_by=genre_id, order_by=value).label("share"),
    ).where(value.is_not(None))


@view(
    "One row per genre and feature: the distribution over its labelled tracks. "
    + _PERCENTILE_NOTE
    + shared.OWN_SCALE_NOTE,
    {
        **shared.GENRE_REFERENCE,
        "feature": shared.FEATURE_NAME_DESCRIPTION,
        **_STATISTICS,
    },
)
def genre_profiles(_providers: Providers) -> Select[Any]:
    return _profiles(shared.labelled_features(), tables.ALL_FEATURES)


@view(
    "One row per genre and feature of the view `acousticbrainz_features`: the distribution over "
    "its labelled tracks. " + _PERCENTILE_NOTE.strip(),
    {
        **shared.GENRE_REFERENCE,
        "feature": "One of the features of `acousticbrainz_features`, on its scale: "
        + ", ".join(tables.SUBMISSION_NUMBERS)
        + ".",
        **_STATISTICS,
    },
)
def acousticbrainz_profiles(providers: Providers) -> Select[Any]:
    numbers = acousticbrainz_features.build(providers).subquery("numbers")
    source, _verdict, label = shared.with_verdict(tables.track)
    labelled = (
        select(label.label("genre_id"), *(numbers.c[name] for name in tables.SUBMISSION_NUMBERS))
        .select_from(source.join(numbers, numbers.c.track_id == tables.track.c.id))
        .where(label.is_not(None))
        .cte("labelled")
    )
    return _profiles(labelled, tables.SUBMISSION_NUMBERS)


def _profiles(labelled: CTE, features: Sequence[str]) -> Select[Any]:
    """Return the distribution of each feature within each genre."""
    ranked = union_all(*(_ranked(labelled, feature) for feature in features)).subquery("ranked")
    value = ranked.c.value
    n, total = func.count(), exact_sum(value)
    spread = exact_sum(value * value) - total * total / n
    profile = (
        select(
            *shared.columns(ranked, "genre_id feature"),
            n.label("n"),
            (total / n).label("mean"),
            case((spread < 0, 0.0), else_=spread).label("spread"),
            func.min(value).label("min"),
            *(
                func.min(case((ranked.c.share >= percent / 100, value))).label(f"p{percent:02d}")
                for percent in PERCENTILES
            ),
            func.max(value).label("max"),
        )
        .group_by(ranked.c.genre_id, ranked.c.feature)
        .subquery("profile")
    )
    genre = tables.genre
    variance = profile.c.spread / func.nullif(profile.c.n - 1, 0)
    deviation: ColumnElement[float] = func.sqrt(variance, type_=Double())
    return select(
        *shared.columns(genre, "id:genre_id name:genre"),
        profile.c.feature,
        cast(profile.c.n, Integer).label("n"),
        profile.c.mean,
        deviation.label("standard_deviation"),
        profile.c.min,
        *(profile.c[f"p{percent:02d}"] for percent in PERCENTILES),
        profile.c.max,
    ).select_from(profile.join(genre, genre.c.id == profile.c.genre_id))


_WIDTHS: Final = {"loudness": 2.0, "tempo": 10.0}
"""Bin width in dB and in BPM; other features have bins of `_SHARE_WIDTH`."""
_SHARE_WIDTH: Final = 0.05


@dataclass(frozen=True, slots=True)
class HistogramBins:
    """Equal-width bins; each includes its lower bound, the last also the maximum."""

    low: float
    """The lower bound of bin 0."""
    count: int
    span: float
    """From the lower bound of the first bin to the upper bound of the last."""

    def bin_of(self, value: ColumnElement[Any]) -> ColumnElement[int]:
        """Return the number of the bin of `value`, in SQL."""
        number = cast(func.floor((value - self.low) * float(self.count) / self.span), Integer)
        return case((value >= self.low + self.span, self.count - 1), else_=number)

    def lower_bound(self, number: ColumnElement[int]) -> ColumnElement[Any]:
        """Return the lower bound of a bin, which is the upper bound of the one before."""
        return cast(number, Double) * self.span / float(self.count) + self.low


def _bins(feature: str) -> HistogramBins:
    """Return bins that cover the feature's range and start at a multiple of their width."""
    low, high = tables.FEATURE_RANGES[feature]
    width = _WIDTHS.get(feature, _SHARE_WIDTH)
    first = math.floor(low / width) * width
    count = round((high - first) / width)
    return HistogramBins(first, count, high - first)


BINS: Final = {
    name: _bins(tables.OWN_SCALE_FEATURES.get(name, name))
    for name in tables.ALL_FEATURES
    if name not in tables.CATEGORICAL_FEATURES
}
"""The bins of every feature that is not a category."""


def _counted(labelled: CTE, feature: str) -> Select[Any]:
    """Return one feature's bins with their bounds and track counts."""
    value = labelled.c[feature]
    categorical = feature in tables.CATEGORICAL_FEATURES
    number = value if categorical else BINS[feature].bin_of(value)
    binned = (
        select(labelled.c.genre_id, number.label("bin"))
        .where(value.is_not(None))
        .subquery(f"binned_{feature}")
    )
    low = cast(binned.c.bin, Double) if categorical else BINS[feature].lower_bound(binned.c.bin)
    high = low if categorical else BINS[feature].lower_bound(binned.c.bin + 1)
    return select(
        binned.c.genre_id,
        cast(literal(feature), Text).label("feature"),
        cast(binned.c.bin, Integer).label("bin"),
        low.label("low"),
        high.label("high"),
        func.count().label("tracks"),
    ).group_by(binned.c.genre_id, binned.c.bin)


@view(
    "One row per genre, feature and non-empty bin, over the labelled tracks. The bins are the "
    "same for every genre: 0.05 wide for features from 0 to 1, 2 dB for loudness, 10 BPM for "
    "tempo, and one per value of key, mode and time_signature. " + shared.OWN_SCALE_NOTE,
    {
        **shared.GENRE_REFERENCE,
        "feature": shared.FEATURE_NAME_DESCRIPTION,
        "bin": "The bin's number from 0 at the lower end of the feature's range; for key, mode "
        "and time_signature the value itself.",
        "low": "The bin's lower bound, inclusive.",
        "high": "The bin's upper bound, exclusive except in the last bin. The value again for "
        "key, mode and time_signature.",
        "tracks": "Tracks of the genre in the bin.",
        "share": "Their share of the genre's tracks that have the feature, 0 to 1.",
    },
)
def genre_histograms(_providers: Providers) -> Select[Any]:
    labelled = shared.labelled_features()
    counted = union_all(
        *(_counted(labelled, feature) for feature in tables.ALL_FEATURES)
    ).subquery("counted")
    total = func.sum(counted.c.tracks).over(partition_by=(counted.c.genre_id, counted.c.feature))
    genre = tables.genre
    return select(
        *shared.columns(genre, "id:genre_id name:genre"),
        *shared.columns(counted, "feature bin low high"),
        cast(counted.c.tracks, Integer).label("tracks"),
        (cast(counted.c.tracks, Double) / cast(total, Double)).label("share"),
    ).select_from(counted.join(genre, genre.c.id == counted.c.genre_id))

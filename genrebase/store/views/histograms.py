"""Histograms of each feature per genre."""

import math
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
from genrebase.store.tables import (
    ALL_FEATURES,
    CATEGORICAL_FEATURES,
    FEATURE_RANGES,
    OWN_SCALE_FEATURES,
)
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

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
    low, high = FEATURE_RANGES[feature]
    width = _WIDTHS.get(feature, _SHARE_WIDTH)
    first = math.floor(low / width) * width
    count = round((high - first) / width)
    return HistogramBins(first, count, high - first)


BINS: Final = {
    name: _bins(OWN_SCALE_FEATURES.get(name, name))
    for name in ALL_FEATURES
    if name not in CATEGORICAL_FEATURES
}
"""The bins of every feature that is not a category."""


def _counted(labelled: CTE, feature: str) -> Select[Any]:
    """Return one feature's bins with their bounds and track counts."""
    value = labelled.c[feature]
    categorical = feature in CATEGORICAL_FEATURES
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
    counted = union_all(*(_counted(labelled, feature) for feature in ALL_FEATURES)).subquery(
        "counted"
    )
    total = func.sum(counted.c.tracks).over(partition_by=(counted.c.genre_id, counted.c.feature))
    genre = tables.genre
    return select(
        *shared.columns(genre, "id:genre_id name:genre"),
        *shared.columns(counted, "feature bin low high"),
        cast(counted.c.tracks, Integer).label("tracks"),
        (cast(counted.c.tracks, Double) / cast(total, Double)).label("share"),
    ).select_from(counted.join(genre, genre.c.id == counted.c.genre_id))

"""Where genres lie beside each other: their means on two axes. Pure: from profiles to points.

The axes are Fisher's discriminants with the assumption that features do not correlate within a
genre: so the profiles (mean and standard deviation per genre and feature) are all that they need.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from genrebase.store.tables import CATEGORICAL_FEATURES, FEATURES

MAP_FEATURES: Final = tuple(name for name in FEATURES if name not in CATEGORICAL_FEATURES)
"""The features that a map is made of: the real numbers among the catalogues' features."""
NEAREST: Final = 3
_MIN_SHARE: Final = 0.5
"""A feature is used if this share of the genres has it."""


@dataclass(frozen=True, slots=True)
class MapAxis:
    """One axis of a map."""

    name: str
    share: float | None
    """Its share of the variance between the genres, 0 to 1; None for a plain feature."""


@dataclass(frozen=True, slots=True)
class GenrePoint:
    """A genre on a map, in the units of the axes."""

    genre: str
    tracks: int
    """Tracks with features."""
    x: float
    y: float
    spread_x: float
    """One standard deviation of its tracks along the axis."""
    spread_y: float
    nearest: tuple[str, ...]
    """The nearest genres, over all features used."""


@dataclass(frozen=True, slots=True)
class GenreMap:
    """Genres on two axes."""

    x: MapAxis
    y: MapAxis
    points: Sequence[GenrePoint]
    """The genre with the most tracks first."""
    features: Sequence[str]
    """The features used."""
    left_out: Sequence[str]
    """Genres without one of these features."""


@dataclass(frozen=True, slots=True)
class _Means:
    """Means and variances of the genres, scaled by the features' spread within a genre."""

    genres: Sequence[str]
    tracks: NDArray[np.int64]
    features: Sequence[str]
    values: NDArray[np.float64]
    """(genres, features): distance from the mean of all tracks, in standard deviations."""
    variances: NDArray[np.float64]
    """(genres, features): within a genre."""
    center: NDArray[np.float64]
    scale: NDArray[np.float64]

    @property
    def weights(self) -> NDArray[np.float64]:
        return np.asarray(self.tracks / self.tracks.sum(), dtype=np.float64)


def genre_map(
    profiles: Mapping[str, Sequence[Mapping[str, Any]]],
    x: str = "",
    y: str = "",
    names: Sequence[str] = MAP_FEATURES,
) -> GenreMap | None:
    """Return a map of the genres, None if fewer than three have features.

    `profiles` are the rows of `genre_profiles`, or of `acousticbrainz_profiles`, by genre; `names`
    are the features to use. `x` and `y` name two plain features to use as axes; unknown ones are
    ignored.
    """
    by_feature = {
        genre: {row["feature"]: row for row in rows if row["feature"] in names}
        for genre, rows in profiles.items()
    }
    by_feature = {genre: rows for genre, rows in by_feature.items() if rows}
    features = [
        name
        for name in names
        if sum(name in rows for rows in by_feature.values()) > _MIN_SHARE * len(by_feature)
    ]
    complete = {
        genre: rows for genre, rows in by_feature.items() if all(name in rows for name in features)
    }
    if len(complete) < NEAREST or len(features) < 2:
        return None
    means = _means(complete, features)
    axes, (across, up) = _axes(means, x, y)
    left_out = sorted(by_feature.keys() - complete.keys())
    points = _points(means, axes, is_plain=across.share is None)
    return GenreMap(across, up, points, features, left_out)


def _means(
    profiles: Mapping[str, Mapping[str, Mapping[str, Any]]], features: Sequence[str]
) -> _Means:
    rows = [[genre_rows[name] for name in features] for genre_rows in profiles.values()]
    tracks = np.array([max(row["n"] for row in of_genre) for of_genre in rows], dtype=np.int64)
    order = np.argsort(-tracks, kind="stable")
    means = np.array([[row["mean"] for row in of_genre] for of_genre in rows])[order]
    deviations = [[row["standard_deviation"] or 0.0 for row in of_genre] for of_genre in rows]
    variances = np.square(np.array(deviations))[order]
    tracks = tracks[order]
    weights = tracks / tracks.sum()
    center, scale = weights @ means, np.sqrt(weights @ variances)
    scale[scale == 0] = 1.0
    genres = [list(profiles)[place] for place in order]
    values, variances = (means - center) / scale, variances / scale**2
    return _Means(genres, tracks, features, values, variances, center, scale)


def _axes(means: _Means, x: str, y: str) -> tuple[NDArray[np.float64], tuple[MapAxis, MapAxis]]:
    """Return the axes as columns (features, 2), and their names."""
    names = list(means.features)
    if x in names and y in names and x != y:
        chosen = [names.index(x), names.index(y)]
        return np.eye(len(names))[:, chosen], (MapAxis(x, None), MapAxis(y, None))
    between = (means.values * means.weights[:, np.newaxis]).T @ means.values
    variances, directions = np.linalg.eigh(between)
    axes = directions[:, ::-1][:, :2]
    total = max(float(variances.sum()), np.finfo(float).tiny)
    found = []
    for place in range(2):
        correlations = _correlations(means, means.values @ axes[:, place])
        order = np.argsort(-np.abs(correlations), kind="stable")[:2]
        if correlations[order[0]] < 0:  # the first feature grows to the right, and upwards
            axes[:, place] *= -1
            correlations = -correlations
        name = ", ".join(f"{names[at]} {correlations[at]:+.2f}" for at in order)
        found.append(MapAxis(name, float(variances[::-1][place]) / total))
    return axes, (found[0], found[1])


def _correlations(means: _Means, scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the correlation of each feature with an axis over the genres, weighted by tracks."""
    weights = means.weights
    covariances = (means.values * weights[:, np.newaxis]).T @ scores
    spreads = np.sqrt((weights @ np.square(means.values)) * (weights @ np.square(scores)))
    spreads[spreads == 0] = np.inf
    return np.asarray(covariances / spreads)


def _points(means: _Means, axes: NDArray[np.float64], *, is_plain: bool) -> list[GenrePoint]:
    scores = means.values @ axes
    spreads = np.sqrt(means.variances @ np.square(axes))
    if is_plain:  # back into the features' own units
        scale, center = means.scale @ axes, means.center @ axes
        scores, spreads = scores * scale + center, spreads * scale
    nearest = _nearest(means.values)
    return [
        GenrePoint(
            genre,
            int(means.tracks[place]),
            float(scores[place, 0]),
            float(scores[place, 1]),
            float(spreads[place, 0]),
            float(spreads[place, 1]),
            tuple(means.genres[other] for other in nearest[place]),
        )
        for place, genre in enumerate(means.genres)
    ]


def _nearest(values: NDArray[np.float64]) -> NDArray[np.intp]:
    squares = np.square(values).sum(axis=1)
    distances = squares[:, np.newaxis] + squares - 2 * values @ values.T
    np.fill_diagonal(distances, np.inf)
    count = min(NEAREST, len(values) - 1)
    return np.asarray(np.argsort(distances, axis=1, kind="stable")[:, :count])

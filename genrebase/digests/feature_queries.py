"""DuckDB's SQL of the views on features: the same rows as the views' own SELECTs, but faster.

They read the table `labelled`: one row per labelled track with its chosen features, each real
number also as the two integers that `genrebase.store.views.exact_sums` sums.
"""

from collections.abc import Iterator
from typing import Final

from genrebase.store.tables import (
    ALL_FEATURES,
    AUDIO_PROVIDER,
    CATEGORICAL_FEATURES,
    FEATURES,
    INCOMPARABLE_FEATURES,
    OWN_SCALE_FEATURES,
)
from genrebase.store.views.exact_sums import COARSE, FINE
from genrebase.store.views.histograms import BINS
from genrebase.store.views.profiles import PERCENTILES

_REAL: Final = [name for name in FEATURES if name not in CATEGORICAL_FEATURES]
_ALL: Final = "true"
_BAND: Final = "CASE WHEN popularity >= 100 THEN 90 ELSE popularity // 10 * 10 END"

WITHOUT_FEATURES: Final = """
    CREATE OR REPLACE TABLE audio_features AS SELECT track_id, provider FROM audio_features
"""
"""Frees the memory of what `labelled` has, too."""


def labelled() -> str:
    """Return the statement that creates the table `labelled`."""
    parts = ", ".join(
        f"CAST({_coarse(name)} AS INTEGER) AS coarse_{name}, {_fine(name)} AS fine_{name}"
        for name in _REAL
    )
    return f"""
        CREATE TABLE labelled AS
        SELECT label_id AS genre_id, release_year, popularity,
            chosen.provider IS NOT NULL AS has_features,
            coalesce(chosen.provider = '{AUDIO_PROVIDER}', false) AS from_file,
            {", ".join(FEATURES)}, {parts}
        FROM labelled_track AS track LEFT JOIN audio_features AS chosen
            ON chosen.track_id = track.id AND chosen.provider = track.features_provider
        WHERE label_id IS NOT NULL
    """


def profiles() -> str:
    """Return the query of `genre_profiles`: one pass per feature is faster than one for all."""
    shares = ", ".join(str(percent / 100) for percent in PERCENTILES)
    measured = " UNION ALL ".join(
        f"SELECT genre_id, '{feature}' AS feature, count(*) AS n, {_sum(name)} AS total, "
        f"{_sum_of_squares(name)} AS squares, CAST(min({name}) AS DOUBLE) AS min, "
        f"CAST(max({name}) AS DOUBLE) AS max, "
        f"quantile_disc(CAST({name} AS DOUBLE), [{shares}]) AS quantiles "
        f"FROM labelled WHERE {name} IS NOT NULL AND {on_scale} GROUP BY genre_id"
        for feature, name, on_scale in _features()
    )
    percentiles = ", ".join(
        f"quantiles[{place}] AS p{percent:02d}" for place, percent in enumerate(PERCENTILES, 1)
    )
    return f"""
        WITH measured AS ({measured}),
        profile AS (SELECT *, squares - total * total / n AS spread FROM measured)
        SELECT genre.id AS genre_id, genre.name AS genre, feature, n, total / n AS mean,
            sqrt(CASE WHEN spread < 0 THEN 0.0 ELSE spread END / nullif(n - 1, 0))
                AS standard_deviation,
            min, {percentiles}, max
        FROM profile JOIN genre_name AS genre ON genre.id = profile.genre_id
    """


def histograms() -> str:
    """Return the query of `genre_histograms`."""
    counted = " UNION ALL ".join(
        f"SELECT genre_id, '{feature}' AS feature, bin, {_bound(feature, 'bin')} AS low, "
        f"{_bound(feature, 'bin', upper=True)} AS high, count(*) AS tracks "
        f"FROM (SELECT genre_id, {_bin(feature, name)} AS bin FROM labelled "
        f"WHERE {name} IS NOT NULL AND {on_scale}) GROUP BY genre_id, bin"
        for feature, name, on_scale in _features()
    )
    return f"""
        WITH counted AS ({counted})
        SELECT genre.id AS genre_id, genre.name AS genre, feature, bin, low, high, tracks,
            CAST(tracks AS DOUBLE)
                / CAST(sum(tracks) OVER (PARTITION BY genre_id, feature) AS DOUBLE) AS share
        FROM counted JOIN genre_name AS genre ON genre.id = counted.genre_id
    """


def trends() -> str:
    """Return the query of `genre_trends`."""
    decade = "release_year - release_year % 10 AS decade"
    return _means("release_year", f"release_year, {decade}", "popularity")


def popularity() -> str:
    """Return the query of `genre_popularity`."""
    return _means(_BAND, "band AS popularity", "release_year")


def _means(group: str, shown: str, other: str) -> str:
    """Return per genre and `group` the number of tracks and the means of `other` and features."""
    name = group if group.isidentifier() else "band"
    columns = ", ".join(_mean(*one) for one in _features())
    own = ", ".join(OWN_SCALE_FEATURES)
    return f"""
        WITH means AS (
            SELECT genre_id, {group} AS {name}, count(*) AS tracks,
                count(*) FILTER (has_features) AS with_features,
                count(*) FILTER (from_file) AS from_files,
                CAST(sum({other}) AS DOUBLE) / nullif(count({other}), 0) AS {other}_mean, {columns}
            FROM labelled WHERE {group} IS NOT NULL GROUP BY ALL
        )
        SELECT genre.id AS genre_id, genre.name AS genre, {shown}, tracks, with_features,
            {other}_mean AS {other}, {", ".join(FEATURES)}, from_files, {own}
        FROM means JOIN genre_name AS genre ON genre.id = means.genre_id
    """


def _mean(feature: str, column: str, on_scale: str) -> str:
    rows = "" if on_scale == _ALL else f"FILTER ({on_scale})"
    return f"{_sum(column, rows)} / nullif(count({column}) {rows}, 0) AS {feature}"


def _features() -> Iterator[tuple[str, str, str]]:
    """Yield each of `ALL_FEATURES`, its column, and the condition for the rows on its scale."""
    for feature in ALL_FEATURES:
        if feature in OWN_SCALE_FEATURES:
            yield feature, OWN_SCALE_FEATURES[feature], "from_file"
        else:
            yield feature, feature, "NOT from_file" if feature in INCOMPARABLE_FEATURES else _ALL


def _coarse(value: str) -> str:
    return f"CAST(trunc({value} * {COARSE}) AS BIGINT)"


def _fine(value: str) -> str:
    rest = f"{value} * {COARSE} - CAST({_coarse(value)} AS DOUBLE)"
    return f"CAST(trunc(({rest}) * {FINE}) AS BIGINT)"


def _sum(name: str, rows: str = "") -> str:
    """Return the exact sum of a feature: that of whole numbers is exact already."""
    if name in CATEGORICAL_FEATURES:
        return f"CAST(sum({name}) {rows} AS DOUBLE)"
    return _joined(f"coarse_{name}", f"fine_{name}", rows)


def _sum_of_squares(name: str) -> str:
    square = f"{name} * {name}"
    if name in CATEGORICAL_FEATURES:
        return f"CAST(sum({square}) AS DOUBLE)"
    return _joined(_coarse(square), _fine(square), "")


def _joined(coarse: str, fine: str, rows: str) -> str:
    def total(part: str) -> str:
        return f"CAST(CAST(sum({part}) {rows} AS BIGINT) AS DOUBLE)"

    return f"({total(coarse)} + {total(fine)} / {FINE}) / {COARSE}"


def _bin(feature: str, value: str) -> str:
    if feature in CATEGORICAL_FEATURES:
        return value
    bins = BINS[feature]
    low, high, count = _real(bins.low), _real(bins.low + bins.span), _real(bins.count)
    number = f"CAST(floor(({value} - {low}) * {count} / {_real(bins.span)}) AS INTEGER)"
    return f"CASE WHEN {value} >= {high} THEN {bins.count - 1} ELSE {number} END"


def _bound(feature: str, number: str, *, upper: bool = False) -> str:
    if feature in CATEGORICAL_FEATURES:
        return f"CAST({number} AS DOUBLE)"
    bins = BINS[feature]
    number = f"CAST({number}{' + 1' if upper else ''} AS DOUBLE)"
    return f"{number} * {_real(bins.span)} / {_real(bins.count)} + {_real(bins.low)}"


def _real(value: float) -> str:
    """Return a number as a DOUBLE: DuckDB takes 0.1 for a decimal."""
    return f"CAST('{float(value)!r}' AS DOUBLE)"

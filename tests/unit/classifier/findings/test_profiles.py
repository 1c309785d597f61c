"""Genre profiles: distances of tracks from genres."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from classifier.findings import profiles

MANY = 400


def sound(correlation: float = 0.0) -> np.ndarray:
    """Nine features of a genre; the first two are correlated."""
    random = np.random.default_rng(0)
    points = random.normal(size=(MANY, 9))
    points[:, 1] = correlation * points[:, 0] + np.sqrt(1 - correlation**2) * points[:, 1]
    return points * np.arange(1, 10)


@pytest.mark.parametrize("distance", profiles.DISTANCES)
def test_an_ordinary_track_is_at_one(distance: profiles.Distance) -> None:
    """The root mean square distance of the genre's own tracks is 1 in any units."""
    points = sound()
    profile = profiles.fit_profiles(points, np.full(MANY, "a"), distance)["a"]
    assert np.sqrt((profile.distances(points) ** 2).mean()) == pytest.approx(1, abs=0.02)
    assert profile.distances(profile.mean[np.newaxis])[0] == 0
    assert profile.n == MANY


def test_standardised_is_in_standard_deviations() -> None:
    """Three of one in one of nine features, by hand."""
    profile = profiles.fit_profiles(sound(), np.full(MANY, "a"))["a"]
    away = profile.mean.copy()
    away[4] += 3 * profile.std[4]
    assert profile.distances(away[np.newaxis])[0] == pytest.approx(np.sqrt(9 / 9))


def test_mahalanobis_uses_correlations() -> None:
    """High in one of two correlated features and low in the other is farther than high in both."""
    profile = profiles.fit_profiles(sound(0.9), np.full(MANY, "a"), "mahalanobis")["a"]
    alike, against = profile.mean.copy(), profile.mean.copy()
    alike[:2] += [2, 4]
    against[:2] += [2, -4]
    near, far = profile.distances(np.array([alike, against]))
    assert far > 2.5 * near


@pytest.mark.parametrize("distance", profiles.DISTANCES)
def test_missing_features_are_left_out(distance: profiles.Distance) -> None:
    """The distance uses the features a track has; without any there is none."""
    profile = profiles.fit_profiles(sound(0.9), np.full(MANY, "a"), distance)["a"]
    points = np.full((2, 9), np.nan)
    points[0, 3] = profile.mean[3] + 2 * profile.std[3]
    result = profile.distances(points)
    assert result[0] == pytest.approx(2, abs=0.1)
    assert np.isnan(result[1])


def test_a_constant_feature_has_a_finite_distance() -> None:
    """And a genre with too few tracks has no profile."""
    points = np.vstack(
        [np.ones((10, 9)), sound()[:20], np.ones((profiles.MIN_PROFILE_TRACKS - 1, 9))]
    )
    labels = np.repeat(["same", "wide", "few"], [10, 20, profiles.MIN_PROFILE_TRACKS - 1])
    fitted = profiles.fit_profiles(points, labels)
    assert sorted(fitted) == ["same", "wide"]
    assert np.isfinite(fitted["same"].distances(points)).all()


def test_percentiles_are_among_the_own_tracks() -> None:
    """0 is nearer than all, 100 farther than any, the middle one at 50."""
    own = np.array([1.0, 2, 3, np.nan])
    requested = np.array([0.5, 2.0, 9.0, np.nan])
    assert profiles.percentile(own, requested)[:3] == pytest.approx([0, 50, 100])
    assert np.isnan(profiles.percentile(own, requested)[3])


@pytest.mark.parametrize("distance", profiles.DISTANCES)
def test_the_density_is_gaussian(distance: profiles.Distance) -> None:
    """It equals scipy's per feature, without the constant; also for some of the features."""
    points = sound(0.9)
    profile = profiles.fit_profiles(points, np.full(MANY, "a"), distance)["a"]
    correlations = np.eye(9) if profile.covariance is None else profile.covariance
    covariance = correlations * np.outer(profile.std, profile.std)
    partly = points[:5].copy()
    partly[:, 4] = np.nan
    for requested, existing in ((points[:5], np.arange(9)), (partly, np.delete(np.arange(9), 4))):
        normal = multivariate_normal(
            profile.mean[existing], covariance[np.ix_(existing, existing)]
        )
        density = normal.logpdf(requested[:, existing]) / len(existing) + np.log(2 * np.pi) / 2
        assert profile.negative_log_density(requested) == pytest.approx(-density)
    assert np.isnan(profile.negative_log_density(np.full((1, 9), np.nan))[0])


def test_a_broad_genre_has_a_lower_density() -> None:
    """A track between both is nearer to the broad genre, but likelier in the narrow one."""
    random = np.random.default_rng(0)
    points = np.vstack([random.normal(size=(MANY, 9)), random.normal(scale=4, size=(MANY, 9))])
    fitted = profiles.fit_profiles(points, np.repeat(["narrow", "wide"], MANY))
    track = np.full((1, 9), 0.8)
    narrow, wide = fitted["narrow"], fitted["wide"]
    assert narrow.distances(track) > wide.distances(track)
    assert narrow.negative_log_density(track) < wide.negative_log_density(track)

"""Intervals resample artists."""

import numpy as np
import pytest

from classifier.evaluation.bootstrap import ArtistBootstrap, paired_comparison


def test_tracks_of_one_artist_are_correlated() -> None:
    """Ten perfectly correlated tracks carry as much information as one: the interval widens."""
    random = np.random.default_rng(0)
    hit = np.repeat(random.random(100) < 0.5, 10).astype(float)
    by_artist = ArtistBootstrap(np.repeat(np.arange(100), 10), seed=1)
    by_track = ArtistBootstrap(np.arange(1000), seed=1)
    wide = by_artist.interval(by_artist.means(hit))
    narrow = by_track.interval(by_track.means(hit))
    assert wide is not None
    assert narrow is not None
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx(10**0.5, rel=0.15)


def test_a_single_artist_has_no_interval() -> None:
    """One artist cannot vary: no interval is better than one of no width."""
    resampled = ArtistBootstrap(np.zeros(20, dtype=np.int64), seed=0)
    assert resampled.interval(resampled.means(np.ones(20))) is None
    assert (
        paired_comparison(np.ones(3, bool), np.zeros(3, bool), np.zeros(3, np.int64), seed=0)
        is None
    )


def test_the_same_seed_draws_the_same() -> None:
    """Two runs give the same bounds to the last digit."""
    artists = np.random.default_rng(2).integers(30, size=200)
    values = np.random.default_rng(3).random(200)
    first, second = (ArtistBootstrap(artists, seed=5) for _ in range(2))
    assert first.interval(first.means(values)) == second.interval(second.means(values))


def test_counts_per_group_add_up_to_the_tracks_drawn() -> None:
    """In every sample each track is in one group."""
    artists = np.random.default_rng(2).integers(30, size=200)
    groups = np.random.default_rng(3).integers(4, size=200)
    resampled = ArtistBootstrap(artists, seed=5)
    assert resampled.counts(groups, 4).sum(axis=1) == pytest.approx(resampled.n_tracks)


def test_a_pair_is_compared_track_by_track() -> None:
    """Two models that agree everywhere do not differ, however bad they are."""
    hits = np.random.default_rng(0).random(100) < 0.3
    comparison = paired_comparison(hits, hits, np.arange(100) // 4, seed=0)
    assert comparison is not None
    assert (comparison.difference, comparison.interval.low, comparison.interval.high) == (
        0.0,
        0.0,
        0.0,
    )

"""Effect sizes between groups of tracks."""

import numpy as np
import pandas as pd
import pytest

from classifier.evaluation.rank_statistics import cliffs_delta
from classifier.findings import effect_sizes


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def apart(values: pd.DataFrame, group: list[bool], artists: list[int] | None = None):
    whose = np.arange(len(values)) if artists is None else np.array(artists)
    comparison = effect_sizes.compare_groups(values, whose, np.array(group), seed=0, resamples=200)
    return {one.feature: one for one in comparison}


def test_the_delta_counts_pairs() -> None:
    """Cliff's delta is the share of pairs above minus the share below; ties count as neither."""
    random = np.random.default_rng(0)
    ours, others = random.integers(6, size=40) / 5.0, random.integers(6, size=30) / 5.0
    pairs = [np.sign(one - other) for one in ours for other in others]
    assert cliffs_delta(ours, others) == pytest.approx(np.mean(pairs))
    assert cliffs_delta(ours, ours) == 0
    assert cliffs_delta(ours + 9, others) == 1


def test_the_delta_of_a_boolean_feature_is_the_difference_of_proportions() -> None:
    """Explicit, major, a key: the values are proportions, not medians."""
    values = frame(explicit=pd.array([True, True, True, False, False, True, False, False]))
    one = apart(values, [True] * 4 + [False] * 4)["explicit"]
    assert (one.value, one.other_value, one.delta) == (0.75, 0.25, 0.5)


def test_keys_are_one_hot_encoded() -> None:
    """Every key has its own proportion among the tracks with a key."""
    values = frame(key=pd.array([0, 0, 7, None, 7, 7], dtype="Int64"))
    result = apart(values, [True] * 3 + [False] * 3)
    assert result["key G"].delta == pytest.approx(1 / 3 - 1)
    assert (result["key C"].n, result["key C"].other_n) == (3, 2)


def test_the_largest_effect_comes_first_and_missing_features_are_left_out() -> None:
    """Sorted by size in either direction; a column that one group lacks is not compared."""
    values = frame(
        energy=[1, 2, 3, 9, 9, 9.0], valence=[1, 2, 3, 2, 3, 4.0], tempo=[1.0] * 3 + [np.nan] * 3
    )
    result = list(apart(values, [True] * 3 + [False] * 3).values())
    assert [one.feature for one in result] == ["energy", "valence"]
    assert (result[0].delta, result[0].size) == (-1, "large")


def test_the_interval_resamples_artists() -> None:
    """Tracks of one artist give a wider interval than tracks of many; one artist gives none."""
    random = np.random.default_rng(1)
    values = frame(energy=np.repeat(random.normal(size=8), 20))
    group = [True] * 80 + [False] * 80
    by_track = apart(values, group)["energy"].interval
    by_artist = apart(values, group, list(np.repeat(np.arange(8), 20)))["energy"].interval
    assert by_track is not None
    assert by_artist is not None
    assert by_artist.high - by_artist.low > 2 * (by_track.high - by_track.low)
    assert apart(values, group, [1] * 80 + [2] * 80)["energy"].interval is None


def test_the_interval_holds_the_delta() -> None:
    """Also with more values than bins."""
    random = np.random.default_rng(2)
    values = frame(tempo=np.concatenate([random.normal(0.5, 1, 2000), random.normal(0, 1, 3000)]))
    one = apart(values, [True] * 2000 + [False] * 3000)["tempo"]
    assert one.interval is not None
    assert one.interval.low < one.delta < one.interval.high
    assert one.interval.high - one.interval.low < 0.12


def test_descriptions_leave_out_negligible_effects() -> None:
    """With both medians and the size of the effect."""
    values = frame(energy=[1, 1, 9, 9.0], valence=[1, 2, 1, 2.0])
    result = list(apart(values, [True, True, False, False]).values())
    assert effect_sizes.describe_effects(result, "jazz", "metal") == [
        "jazz lower than metal in energy: 1 against 9 (large)."
    ]

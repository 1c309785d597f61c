"""Where `tune` looks: default spaces, files, and what is drawn from them."""

import json
from pathlib import Path

import pytest

from classifier import estimators
from classifier.errors import BadTrainingConfig
from classifier.experiments import search_spaces
from classifier.experiments.search_spaces import NumericRange
from classifier.training_config import TrainingConfig
from tests.deep import each

UNTUNED = {"dummy"}
"""What has nothing to vary."""


def test_every_estimator_has_a_space_or_is_named():
    """An estimator that comes with us can be tuned without a file."""
    ours = {name for name in estimators.names() if name not in UNTUNED}
    assert ours <= search_spaces.DEFAULT_SPACES.keys()


@pytest.mark.parametrize("name", each(search_spaces.DEFAULT_SPACES))
def test_an_estimator_takes_every_point_of_its_space(name: str):
    """What is drawn from a default space is never refused."""
    for point in search_spaces.sample_points(search_spaces.default_space(name), 12, seed=1):
        estimators.build(TrainingConfig(estimator=name, params=point), threads=1)
        assert json.loads(json.dumps(point)) == point


def test_draws_are_repeated_by_their_seed():
    """The same seed draws the same points, none twice; fewer are the first of more."""
    space = search_spaces.DEFAULT_SPACES["knn"]
    ten = list(search_spaces.sample_points(space, 10, seed=4))
    assert ten == list(search_spaces.sample_points(space, 10, seed=4))
    assert list(search_spaces.sample_points(space, 4, seed=4)) == ten[:4]
    assert ten != list(search_spaces.sample_points(space, 10, seed=5))
    assert len({json.dumps(point) for point in ten}) == 10


def test_a_small_space_is_drawn_whole():
    """Asked for more points than there are, all are drawn."""
    space = {"a": [1, 2], "b": ["x", None]}
    found = list(search_spaces.sample_points(space, 50, seed=0))
    assert len(found) == 4
    told = [
        {json.dumps(point, sort_keys=True) for point in some}
        for some in (found, search_spaces.grid_points(space))
    ]
    assert told[0] == told[1]


def test_ranges_hold_their_bounds():
    """Whole where both bounds are, over orders of magnitude where asked, four digits."""
    ranges = {
        "few": NumericRange(1, 3),
        "wide": NumericRange(1e-6, 1.0, log=True),
        "odd": NumericRange(3, 90, log=True),
    }
    points = list(search_spaces.sample_points(ranges, 200, seed=0))
    few, wide, odd = ([point[name] for point in points] for name in ranges)
    assert set(few) == {1, 2, 3}
    assert all(isinstance(value, int) and 3 <= value <= 90 for value in odd)
    assert 1e-6 <= min(wide) < 1e-5 < 0.1 < max(wide) <= 1
    assert all(float(f"{value:.4g}") == value for value in wide)


def test_files_are_read(tmp_path: Path):
    """TOML and JSON say the same; in TOML `none` stands for no value."""
    toml, as_json = tmp_path / "space.toml", tmp_path / "space.json"
    toml.write_text('C = { low = 0.1, high = 1.0, log = true }\nmax_depth = [4, "none"]\n')
    as_json.write_text('{"C": {"low": 0.1, "high": 1.0, "log": true}, "max_depth": [4, null]}')
    expected = {"C": NumericRange(0.1, 1.0, log=True), "max_depth": [4, None]}
    assert search_spaces.read_space(toml) == search_spaces.read_space(as_json) == expected
    told = json.dumps(search_spaces.space_as_json(expected))
    as_json.write_text(told)
    assert search_spaces.read_space(as_json) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("C = 3", "neither a list"),
        ("C = []", "neither a list"),
        ("C = { low = 1 }", "neither a list"),
        ("C = { low = 2, high = 1 }", "`low` below `high`"),
        ("C = { low = 'a', high = 1 }", "two numbers"),
        ("C = { low = 0, high = 1, log = true }", "above 0"),
        ("", "no parameter"),
        ("C =", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, said: str):
    """What cannot be drawn from is named before anything is tried."""
    file = tmp_path / "space.toml"
    file.write_text(text)
    with pytest.raises(BadTrainingConfig, match=said):
        search_spaces.read_space(file)


def test_what_has_no_space_says_how_to_write_one(tmp_path: Path):
    """An unknown estimator, a missing file and an endless grid are refused."""
    with pytest.raises(BadTrainingConfig, match="--space"):
        search_spaces.default_space("dummy")
    with pytest.raises(BadTrainingConfig, match="cannot be read"):
        search_spaces.read_space(tmp_path / "none.toml")
    with pytest.raises(BadTrainingConfig, match="needs a list"):
        list(search_spaces.grid_points({"C": NumericRange(0, 1)}))

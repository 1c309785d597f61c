"""Search spaces of `tune`: defaults, files, and the points sampled from them."""

import json
from pathlib import Path
from typing import Any

import pytest

from classifier import estimators
from classifier.errors import BadTrainingConfig
from classifier.estimators import knn
from classifier.experiments import search_spaces
from classifier.experiments.search_settings import SearchSettings
from classifier.experiments.search_spaces import NumericRange, SearchSpace
from classifier.training_config import TrainingConfig
from tests.deep_estimators import each

UNTUNED = {"dummy"}
"""Estimators without a parameter."""


def test_every_estimator_has_a_default_space():
    """Every estimator of this package can be tuned without a file."""
    ours = {name for name in estimators.names() if name not in UNTUNED}
    assert ours <= search_spaces.DEFAULT_SPACES.keys()


def sample(space: SearchSpace, count: int, seed: int) -> list[dict[str, Any]]:
    study = SearchSettings(space, "random").study(seed)
    return [search_spaces.suggest(study.ask(), space) for _ in range(count)]


@pytest.mark.parametrize("name", each(search_spaces.DEFAULT_SPACES))
def test_an_estimator_accepts_every_point_of_its_space(name: str):
    """A point of a default space is never refused."""
    for point in sample(search_spaces.default_space(name), 12, seed=1):
        estimators.build(TrainingConfig(estimator=name, params=point), threads=1)
        assert json.loads(json.dumps(point)) == point


def test_samples_are_reproducible():
    """The same seed samples the same points; fewer points are the first of more."""
    space = search_spaces.DEFAULT_SPACES["knn"]
    ten = sample(space, 10, seed=4)
    assert ten == sample(space, 10, seed=4)
    assert sample(space, 4, seed=4) == ten[:4]
    assert ten != sample(space, 10, seed=5)
    assert len({json.dumps(point) for point in ten}) == 10


def test_the_size_of_a_space():
    """A finite space has as many points as its grid; a range is infinite."""
    space = {"a": [1, 2], "b": ["x", None]}
    assert search_spaces.n_points(space) == len(list(search_spaces.grid_points(space))) == 4
    assert search_spaces.n_points({**space, "c": NumericRange(0, 1)}) == float("inf")
    assert SearchSettings(space, trials=50).n_points == 4


def test_ranges_keep_their_bounds():
    """Integers if both bounds are, on a logarithmic scale on request, four digits."""
    ranges = {
        "few": NumericRange(1, 3),
        "wide": NumericRange(1e-6, 1.0, log=True),
        "odd": NumericRange(3, 90, log=True),
    }
    points = sample(ranges, 200, seed=0)
    few, wide, odd = ([point[name] for point in points] for name in ranges)
    assert set(few) == {1, 2, 3}
    assert all(isinstance(value, int) and 3 <= value <= 90 for value in odd)
    assert 1e-6 <= min(wide) < 1e-5 < 0.1 < max(wide) <= 1
    assert all(float(f"{value:.4g}") == value for value in wide)


def test_files_are_read(tmp_path: Path):
    """TOML and JSON are equivalent; in TOML `none` stands for None."""
    toml, as_json = tmp_path / "space.toml", tmp_path / "space.json"
    toml.write_text('C = { low = 0.1, high = 1.0, log = true }\nmax_depth = [4, "none"]\n')
    as_json.write_text('{"C": {"low": 0.1, "high": 1.0, "log": true}, "max_depth": [4, null]}')
    expected = {"C": NumericRange(0.1, 1.0, log=True), "max_depth": [4, None]}
    assert search_spaces.read_space(toml) == search_spaces.read_space(as_json) == expected
    reported = json.dumps(search_spaces.space_as_json(expected))
    as_json.write_text(reported)
    assert search_spaces.read_space(as_json) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("C = 3", "neither a list"),
        ("C = []", "neither a list"),
        ("C = [1.0, nan]", "no finite number"),
        ("C = { low = 1, high = inf }", "`low` below `high`"),
        ("C = { low = 1 }", "neither a list"),
        ("C = { low = 2, high = 1 }", "`low` below `high`"),
        ("C = { low = 'a', high = 1 }", "two numbers"),
        ("C = { low = 0, high = 1, log = true }", "above 0"),
        ("", "no parameter"),
        ("C =", "cannot be read"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str, message: str):
    """A wrong space is refused with the reason."""
    file = tmp_path / "space.toml"
    file.write_text(text)
    with pytest.raises(BadTrainingConfig, match=message):
        search_spaces.read_space(file)


def test_a_missing_space_is_refused(tmp_path: Path):
    """An estimator without a default, a missing file and an infinite grid are refused."""
    with pytest.raises(BadTrainingConfig, match="--space"):
        search_spaces.default_space("dummy")
    with pytest.raises(BadTrainingConfig, match="cannot be read"):
        search_spaces.read_space(tmp_path / "none.toml")
    with pytest.raises(BadTrainingConfig, match="needs a list"):
        list(search_spaces.grid_points({"C": NumericRange(0, 1)}))


def test_a_registered_estimator_may_bring_its_own_space(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its module keeps it, written as in a file; no list of ours has to name it."""
    monkeypatch.delitem(search_spaces.DEFAULT_SPACES, "knn")  # type: ignore[misc]
    with pytest.raises(BadTrainingConfig, match="no default search space for knn"):
        search_spaces.default_space("knn")
    own = {"n_neighbors": [3, 9], "alpha": {"low": 0.1, "high": 1.0, "log": True}}
    monkeypatch.setattr(knn, "SEARCH_SPACE", own, raising=False)
    assert search_spaces.default_space("knn") == {
        "n_neighbors": [3, 9],
        "alpha": search_spaces.NumericRange(0.1, 1.0, log=True),
    }

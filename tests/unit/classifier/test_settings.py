"""The settings of the classifier."""

from pathlib import Path

import pytest

from classifier.settings import ClassifierSettings
from genrebase.settings import InvalidSettings


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CLASSIFIER_ESTIMATOR", "foo", "There is no estimator 'foo'"),
        ("CLASSIFIER_ESTIMATOR", "logistc", "Did you mean 'logistic'?"),
        ("CLASSIFIER_SCHEDULE", "every night", "every night"),
        ("CLASSIFIER_SCHEDULE", "0 25 * * *", "0 25 * * *"),
        ("CLASSIFIER_SCHEDULE", "0 3 * * * Mars/Olympus", "Mars/Olympus"),
        ("CLASSIFIER_SCHEDULE", "0 3 30 2 *", "0 3 30 2 *"),
        ("CLASSIFIER_HTTP", "here", "here"),
        ("CLASSIFIER_THREADS", "0", "greater than or equal to 1"),
        ("CLASSIFIER_LOG_LEVEL", "LOUD", "DEBUG"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the variable and says what is wrong, before anything starts."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings) as caught:
        ClassifierSettings.load()
    assert str(caught.value).startswith(f"{name}: ")
    assert sentence in str(caught.value)
    assert ".." not in str(caught.value)

"""Unknown and invalid settings are named."""

from pathlib import Path
from typing import get_args

import pytest

from genrebase.runtime.settings_check import (
    invalid_settings,
    require_valid_settings,
    settings_classes,
    unknown_settings,
)
from genrebase.settings import EnvironmentSettings, InvalidSettings


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("COLLECTOR_SPOTIFY_TERM", "COLLECTOR_SPOTIFY_TERMS"),
        ("COLLECTOR_RATES", "COLLECTOR_RATE"),
        ("collector_intervall", "COLLECTOR_INTERVAL"),
        ("CLASSIFIER_SHEDULE", "CLASSIFIER_SCHEDULE"),
        ("CLASSIFIER_MIN_TRACK", "CLASSIFIER_MIN_TRACKS"),
        ("STORE_URI", "STORE_URL"),
        ("GENREBASE_LOGLEVEL", "GENREBASE_LOG_LEVEL"),
        ("COLECTOR_FEATURE_ORDER", "COLLECTOR_FEATURE_ORDER"),
        ("SPOTIFY_CLIENT_SECRET", "SPOTIPY_CLIENT_SECRET"),
    ],
)
@pytest.mark.parametrize("in_file", [False, True], ids=["environment", ".env"])
def test_an_unknown_name_is_named_with_the_nearest(
    name: str, nearest: str, in_file: bool, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it stands, and without its value."""
    if in_file:
        (nowhere / ".env").write_text(f"{name}=hunter2\n", encoding="utf-8")
    else:
        monkeypatch.setenv(name, "hunter2")
    (sentence,) = unknown_settings()
    assert sentence.startswith(f"{name.upper()} is no setting of Genrebase: ")
    assert f"did you mean {nearest}?" in sentence
    assert "hunter2" not in sentence


NUMBERS = [
    pytest.param(one, name, id=name)
    for one in settings_classes()
    for name, field in one.variables().items()
    if {int, float} & {field.annotation, *get_args(field.annotation)}
]


@pytest.mark.parametrize(("settings", "name"), NUMBERS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "1e300", "1" * 30])
def test_a_number_has_a_lowest_and_a_highest_value(
    settings: type[EnvironmentSettings], name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing waits for ever, and no clock, database or library fails on it later."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidSettings, match=f"{name}: Input should be"):
        settings.load()


def test_names_of_others_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither every setting of ours, nor spotipy's other variable, nor other programs' names."""
    for one in settings_classes():
        for name in one.variables():
            monkeypatch.setenv(name, "x")
    for name in ("SPOTIPY_REDIRECT_URI", "DATABASE_URL", "POSTGRES_PASSWORD", "READER_PASSWORD"):
        monkeypatch.setenv(name, "x")
    assert unknown_settings() == []


def test_all_invalid_settings_are_one_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all packages; without any there is none."""
    require_valid_settings()
    monkeypatch.setenv("CLASSIFIER_ESTIMATOR", "foo")
    monkeypatch.setenv("COLLECTOR_RATE", "fast")
    monkeypatch.setenv("STORE_BUSY_TIMEOUT", "-1")
    assert len(invalid_settings()) == 3
    with pytest.raises(InvalidSettings) as caught:
        require_valid_settings()
    for name in ("CLASSIFIER_ESTIMATOR", "COLLECTOR_RATE", "STORE_BUSY_TIMEOUT"):
        assert name in str(caught.value)

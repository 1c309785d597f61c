"""Training configurations from options and settings."""

import pytest

from classifier.commands.training_options import training_config
from classifier.config_options import parse_list, parse_parameter
from classifier.errors import BadParameter, BadTrainingConfig
from classifier.settings import ClassifierSettings
from classifier.training_config import Preprocessing
from genrebase.settings import InvalidSettings

SETTINGS = ClassifierSettings(_env_file=None)


def test_a_list_keeps_names_with_blanks_and_quoted_commas() -> None:
    """`drum & bass` and `"soul, funk"` arrive as they are, each once."""
    assert parse_list('drum & bass, "soul, funk",r&b , r&b,') == [
        "drum & bass",
        "soul, funk",
        "r&b",
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=3", 3),
        ("a=0.5", 0.5),
        ("a=None", None),
        ("a=true", True),
        ("a=balanced", "balanced"),
        ('a="3"', "3"),
        ("a=", ""),
        ("a=x=y", "x=y"),
    ],
)
def test_a_parameter_is_a_number_a_string_or_null(text: str, value: object) -> None:
    """A value that parses as JSON is parsed."""
    assert parse_parameter(text) == ("a", value)


def test_a_parameter_needs_its_equals_sign() -> None:
    """The message has the expected form."""
    with pytest.raises(BadParameter, match="name=value"):
        parse_parameter("max_depth")


@pytest.mark.parametrize("text", ["C=NaN", "C=1e999", "C=[1, -Infinity]"])
def test_a_parameter_is_no_infinite_number(text):
    """JSON of Python has them; no estimator computes with them."""
    with pytest.raises(BadParameter, match="finite"):
        parse_parameter(text)


def test_unknown_feature_groups_and_label_policies_are_refused() -> None:
    """The message lists the valid ones."""
    with pytest.raises(BadTrainingConfig, match=r"'smell'.*audio, metadata"):
        training_config(SETTINGS, features="audio,smell")
    with pytest.raises(BadTrainingConfig, match="claim, exclusive, shared"):
        training_config(SETTINGS, labels="soft")
    with pytest.raises(BadTrainingConfig, match="feature group"):
        training_config(SETTINGS, features=",")
    with pytest.raises(BadTrainingConfig, match="task"):
        training_config(SETTINGS, task=" ")


def test_a_descriptor_set_needs_its_feature_group() -> None:
    """Named features without `descriptors` cannot use it; features left to the data may."""
    with pytest.raises(BadTrainingConfig, match="add it to --features"):
        training_config(SETTINGS, features="audio", descriptors="mine")
    assert training_config(SETTINGS, features="descriptors", descriptors="mine").descriptors
    assert training_config(SETTINGS, descriptors="mine").descriptors == "mine"


def test_preprocessing_options_are_names_or_numbers() -> None:
    """A whole number counts components, a share below 1 is the explained variance."""
    result = training_config(SETTINGS, scaling="minmax", components="8", outliers="genre")
    assert result.preprocessing == Preprocessing("minmax", 8, "genre", None)
    assert training_config(SETTINGS, components="0.95").preprocessing.components == 0.95
    assert training_config(SETTINGS).preprocessing == Preprocessing()


@pytest.mark.parametrize(
    ("reported", "sentence"),
    [
        ({"scaling": "big"}, "standard, minmax, none"),
        ({"outliers": "all"}, "genre, overall"),
        ({"balance": "adasyn"}, "weights, smote"),
        ({"components": "0"}, "--pca is a number of components"),
        ({"components": "1.5"}, "share below 1"),
        ({"components": "nan"}, "share below 1"),
        ({"components": "many"}, "not 'many'"),
    ],
)
def test_an_unknown_preprocessing_is_refused(reported: dict[str, str], sentence: str) -> None:
    """The message lists the valid ones."""
    with pytest.raises(BadTrainingConfig, match=sentence):
        training_config(SETTINGS, **reported)


def test_the_order_of_feature_groups_makes_no_other_model() -> None:
    """`metadata,audio` is `audio,metadata`."""
    expected = training_config(SETTINGS, features="audio,metadata")
    assert training_config(SETTINGS, features="metadata,audio") == expected


def test_the_settings_provide_defaults() -> None:
    """They are the estimator, the minimum and the seed."""
    settings = ClassifierSettings(_env_file=None, estimator="dummy", min_tracks=5, seed=3)
    options = training_config(settings)
    assert (options.estimator, options.min_tracks, options.seed) == ("dummy", 5, 3)


def test_a_bad_setting_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the variable."""
    monkeypatch.setenv("CLASSIFIER_THREADS", "many")
    with pytest.raises(InvalidSettings, match="CLASSIFIER_THREADS"):
        ClassifierSettings.load()

"""From words to a choice."""

import pytest

from classifier import bootstrap
from classifier.errors import BadClassifierSettings, BadParameter, BadTrainingConfig
from classifier.records import Preprocessing
from classifier.settings import ClassifierSettings

SETTINGS = ClassifierSettings(_env_file=None)


def test_a_list_keeps_names_with_blanks_and_quoted_commas() -> None:
    """`drum & bass` and `"soul, funk"` arrive as they are, each once."""
    assert bootstrap.parse_list('drum & bass, "soul, funk",r&b , r&b,') == [
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
def test_a_parameter_is_a_number_a_word_or_nothing(text: str, value: object) -> None:
    """Whatever reads as JSON is that."""
    assert bootstrap.parse_parameter(text) == ("a", value)


def test_a_parameter_needs_its_equals_sign() -> None:
    """The sentence shows how to write it."""
    with pytest.raises(BadParameter, match="name=value"):
        bootstrap.parse_parameter("max_depth")


def test_what_nobody_knows_is_refused_with_the_known() -> None:
    """Feature groups and kinds of labels."""
    with pytest.raises(BadTrainingConfig, match=r"'smell'.*audio, metadata"):
        bootstrap.training_config(SETTINGS, features="audio,smell")
    with pytest.raises(BadTrainingConfig, match="claim, exclusive, shared"):
        bootstrap.training_config(SETTINGS, labels="soft")
    with pytest.raises(BadTrainingConfig, match="feature group"):
        bootstrap.training_config(SETTINGS, features=",")
    with pytest.raises(BadTrainingConfig, match="task"):
        bootstrap.training_config(SETTINGS, task=" ")


def test_what_is_done_to_the_tracks_is_a_word_or_a_number() -> None:
    """A whole number counts components, a share below 1 is what they explain."""
    found = bootstrap.training_config(SETTINGS, scaling="minmax", pca="8", outliers="genre")
    assert found.preparation == Preprocessing("minmax", 8, "genre", None)
    assert bootstrap.training_config(SETTINGS, pca="0.95").preparation.components == 0.95
    assert bootstrap.training_config(SETTINGS).preparation == Preprocessing()


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        ({"scaling": "big"}, "standard, minmax, none"),
        ({"outliers": "all"}, "genre, overall"),
        ({"balance": "adasyn"}, "weights, smote"),
        ({"pca": "0"}, "--pca is a number of components"),
        ({"pca": "1.5"}, "share below 1"),
        ({"pca": "nan"}, "share below 1"),
        ({"pca": "many"}, "not 'many'"),
    ],
)
def test_a_preparation_nobody_knows_is_refused(told: dict[str, str], sentence: str) -> None:
    """With what is known."""
    with pytest.raises(BadTrainingConfig, match=sentence):
        bootstrap.training_config(SETTINGS, **told)


def test_the_order_of_feature_groups_makes_no_other_model() -> None:
    """`metadata,audio` is `audio,metadata`."""
    expected = bootstrap.training_config(SETTINGS, features="audio,metadata")
    assert bootstrap.training_config(SETTINGS, features="metadata,audio") == expected


def test_the_settings_fill_in_what_was_not_said() -> None:
    """Estimator, minimum and seed."""
    settings = ClassifierSettings(_env_file=None, estimator="dummy", min_tracks=5, seed=3)
    found = bootstrap.training_config(settings)
    assert (found.estimator, found.min_tracks, found.seed) == ("dummy", 5, 3)


def test_a_bad_setting_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the variable."""
    monkeypatch.setenv("CLASSIFIER_THREADS", "many")
    with pytest.raises(BadClassifierSettings, match="CLASSIFIER_THREADS"):
        bootstrap.load_settings()

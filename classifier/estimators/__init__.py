"""The estimators: one factory per file, registered under `classifier.estimators`."""

from collections.abc import Sequence
from typing import Final

from classifier.data import soft_labels
from classifier.errors import BadTrainingConfig, MissingExtra
from classifier.features import groups
from classifier.ports import Estimator, SupportsPreprocessing, UsesFeatureGroups
from classifier.training_config import Preprocessing, TrainingConfig
from genrebase.runtime import plugins

GROUP: Final = "classifier.estimators"
"""Entry points that name a `Factory`."""


def names() -> list[str]:
    """Return the names of all registered estimators."""
    return plugins.registered_names(GROUP)


def installed_names() -> list[str]:
    """Return the names of those whose libraries are installed."""
    return [name for name in names() if _usable(name)]


def _usable(name: str) -> bool:
    try:
        plugins.load(GROUP, name)(features=TrainingConfig().features, seed=0, threads=1)
    except MissingExtra:
        return False
    return True


def usable_groups(estimator: Estimator, features: Sequence[str]) -> tuple[str, ...]:
    """Return those of the chosen feature groups that the estimator looks at.

    It says so itself (`UsesFeatureGroups`); who says nothing looks at numbers.
    """
    groups_read = (
        estimator.feature_groups
        if isinstance(estimator, UsesFeatureGroups)
        else groups.NUMERIC_GROUPS
    )
    return tuple(group for group in features if group in groups_read)


def build(choice: TrainingConfig, *, threads: int) -> Estimator:
    """Return the unfitted estimator that `choice` asks for.

    Raise `UnknownPlugin` for a name nobody registered (with the nearest one), `BadParameter` for
    a parameter it does not have, `BadTrainingConfig` for a preparation it cannot use and for features it
    does not look at.
    """
    make = plugins.load(GROUP, choice.estimator)
    made: Estimator = make(
        features=choice.features, seed=choice.seed, threads=threads, **choice.params
    )
    if not usable_groups(made, choice.features):
        raise BadTrainingConfig(_blind(choice, made))
    soft_labels.check_label_policy(made, choice)
    if choice.preprocessing == Preprocessing():
        return made
    if not isinstance(made, SupportsPreprocessing):
        raise BadTrainingConfig(
            f"{choice.estimator} prepares its tracks itself: leave out --scaling, --pca, "
            "--outliers and --balance, or name another --estimator."
        )
    return made.with_preprocessing(choice.preprocessing)


def _blind(choice: TrainingConfig, estimator: Estimator) -> str:
    if groups.MATRICES in choice.features and isinstance(estimator, UsesFeatureGroups):
        return (
            f"{choice.estimator} does not look at matrices: name other groups in --features, or "
            "use cnn, which does."
        )
    return (
        f"{choice.estimator} looks at numbers only ({', '.join(groups.NUMERIC_GROUPS)}): name some "
        "of them in --features, or use blend or mlp, which read text and artists' history."
    )

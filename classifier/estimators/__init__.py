"""The estimators, by the names of their entry points `classifier.estimators` (pyproject.toml)."""

from collections.abc import Sequence

from classifier.data import soft_labels
from classifier.errors import BadTrainingConfig, MissingExtra
from classifier.features import groups
from classifier.ports import Estimator, SupportsPreprocessing, UsesFeatureGroups
from classifier.settings import ESTIMATORS_GROUP
from classifier.training_config import Preprocessing, TrainingConfig
from genrebase.runtime import plugins


def names() -> list[str]:
    """Return the names of all registered estimators."""
    return plugins.registered_names(ESTIMATORS_GROUP)


def installed_names() -> list[str]:
    """Return the names of those whose libraries are installed."""
    return [name for name in names() if _is_installed(name)]


def _is_installed(name: str) -> bool:
    try:
        plugins.load(ESTIMATORS_GROUP, name)(features=TrainingConfig().features, seed=0, threads=1)
    except MissingExtra:
        return False
    return True


def usable_groups(estimator: Estimator, features: Sequence[str]) -> tuple[str, ...]:
    """Return the chosen groups that the estimator uses: numeric unless it declares others."""
    usable = groups.NUMERIC_GROUPS
    if isinstance(estimator, UsesFeatureGroups):
        usable = estimator.feature_groups
    return tuple(group for group in features if group in usable)


def build(config: TrainingConfig, *, threads: int) -> Estimator:
    """Return the unfitted estimator of `config`.

    Raise `UserError` for an unregistered name (with the most similar one), `BadParameter` for
    a parameter it does not have, `BadTrainingConfig` for preprocessing it does not support and for
    features it does not use.
    """
    make = plugins.load(ESTIMATORS_GROUP, config.estimator)
    estimator: Estimator = make(
        features=config.features, seed=config.seed, threads=threads, **config.params
    )
    if not usable_groups(estimator, config.features):
        raise BadTrainingConfig(_no_usable_features(config, estimator))
    soft_labels.check_label_policy(estimator, config)
    if config.preprocessing == Preprocessing():
        return estimator
    if not isinstance(estimator, SupportsPreprocessing):
        raise BadTrainingConfig(
            f"{config.estimator} preprocesses its tracks itself: leave out --scaling, --pca, "
            "--outliers and --balance, or name another --estimator."
        )
    return estimator.with_preprocessing(config.preprocessing)


def _no_usable_features(config: TrainingConfig, estimator: Estimator) -> str:
    if groups.MATRICES in config.features and isinstance(estimator, UsesFeatureGroups):
        return (
            f"{config.estimator} does not use matrices: name other groups in --features, or "
            "use cnn, which does."
        )
    return (
        f"{config.estimator} uses numeric features only ({', '.join(groups.NUMERIC_GROUPS)}): "
        "name some of them in --features, or use blend or mlp, which use text and artist history."
    )

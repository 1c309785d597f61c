"""From the command line's words and the settings to what the use cases want."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from classifier.errors import BadClassifierSettings, BadParameter, BadTrainingConfig
from classifier.records import (
    BALANCING_METHODS,
    DEFAULT_FEATURE_GROUPS,
    DEFAULT_TASK,
    FEATURE_GROUPS,
    LABEL_POLICIES,
    LEVELS,
    OUTLIER_SCOPES,
    SCALINGS,
    SPLITS,
    UNMAPPED_POLICIES,
    Preprocessing,
    TrainingConfig,
)
from classifier.settings import ClassifierSettings


def load_settings() -> ClassifierSettings:
    """Read the settings; raise `BadClassifierSettings` with a sentence for one that cannot be used."""
    try:
        return ClassifierSettings()
    except ValidationError as error:
        problems = [
            f"CLASSIFIER_{str(one['loc'][0]).upper()}: {one['msg']}."
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise BadClassifierSettings(" ".join(problems)) from None


def training_config(
    settings: ClassifierSettings,
    *,
    task: str = DEFAULT_TASK,
    estimator: str | None = None,
    genres: str | None = None,
    exclude: str | None = None,
    features: str | None = None,
    descriptors: str | None = None,
    labels: str = "claim",
    mapping: str | None = None,
    level: str | None = None,
    unmapped: str | None = None,
    within: str | None = None,
    per_genre: int | None = None,
    min_tracks: int | None = None,
    params: Sequence[str] | None = None,
    scaling: str | None = None,
    pca: str | None = None,
    outliers: str | None = None,
    balance: str | None = None,
    seed: int | None = None,
) -> TrainingConfig:
    """Return what a model is asked to learn; raise `BadTrainingConfig` or `BadParameter`."""
    groups = DEFAULT_FEATURE_GROUPS if features is None else tuple(parse_list(features))
    for group in groups:
        _known("feature group", group, FEATURE_GROUPS)
    if not groups:
        raise BadTrainingConfig(f"Name a feature group: {', '.join(FEATURE_GROUPS)}.")
    _known("kind of labels", labels, LABEL_POLICIES)
    _known("level", level or LEVELS[0], LEVELS)
    _known("place for unmapped genres", unmapped or UNMAPPED_POLICIES[0], UNMAPPED_POLICIES)
    if level == "broad" and within is not None:
        raise BadTrainingConfig(
            "Inside a broad genre there are fine genres only: drop --level broad."
        )
    if unmapped is not None and level != "broad":
        raise BadTrainingConfig("--unmapped says where genres go at --level broad: add that.")
    if not task.strip():
        raise BadTrainingConfig("A task needs a name.")
    return TrainingConfig(
        task=task.strip(),
        estimator=estimator or settings.estimator,
        genres=None if genres is None else tuple(parse_list(genres)),
        exclude=() if exclude is None else tuple(parse_list(exclude)),
        features=tuple(group for group in FEATURE_GROUPS if group in groups),
        auto_features=features is None,
        descriptors=descriptors,
        labels=labels,
        mapping=mapping,
        level=level or LEVELS[0],
        unmapped=unmapped or UNMAPPED_POLICIES[0],
        within=within,
        per_genre=per_genre,
        min_tracks=settings.min_tracks if min_tracks is None else min_tracks,
        params=dict(parse_parameter(text) for text in params or ()),
        seed=settings.seed if seed is None else seed,
        preparation=preprocessing(scaling, pca, outliers, balance),
    )


def with_split(choice: TrainingConfig, split: str) -> TrainingConfig:
    """Return a choice that is judged by these sides; raise `BadTrainingConfig`."""
    _known("split", split, SPLITS)
    return replace(choice, split=split)


def preprocessing(
    scaling: str | None, pca: str | None, outliers: str | None, balance: str | None
) -> Preprocessing:
    """Return what is done to the tracks before one learns; raise `BadTrainingConfig`."""
    for what, given, known in (
        ("scaling", scaling, SCALINGS),
        ("place for outliers", outliers, OUTLIER_SCOPES),
        ("balance", balance, BALANCING_METHODS),
    ):
        if given is not None:
            _known(what, given, known)
    components = None if pca is None else _components(pca)
    return Preprocessing(scaling, components, outliers, balance)


def _components(text: str) -> int | float:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise BadTrainingConfig(
            f"--pca is a number of components, or a share below 1: not {text!r}."
        )
    return share


def parse_list(text: str) -> list[str]:
    """Return the parts of a comma-separated list, each once; double quotes protect a comma."""
    parts = [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]
    return list(dict.fromkeys(part for part in parts if part))


def parse_parameter(text: str) -> tuple[str, Any]:
    """Return name and value of `name=value`; the value is JSON where it reads as such."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise BadParameter(f"{text!r} is no parameter: write --param name=value.")
    return name.strip(), _value(value.strip())


def _value(text: str) -> Any:
    words = {"none": None, "true": True, "false": False}
    if text.lower() in words:
        return words[text.lower()]
    try:
        return json.loads(text)
    except ValueError:
        return text


def _known(what: str, given: str, known: Sequence[str]) -> None:
    if given not in known:
        raise BadTrainingConfig(f"There is no {what} {given!r}. Known: {', '.join(known)}.")

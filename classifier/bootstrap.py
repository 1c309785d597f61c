"""From the command line's words and the settings to what the use cases want."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from classifier.errors import BadChoice, BadParameter, BadSettings
from classifier.records import (
    BALANCES,
    FEATURE_GROUPS,
    LABELS,
    LEVELS,
    MAIN,
    OUTLIERS,
    SCALINGS,
    SPLITS,
    UNMAPPED,
    USUAL,
    Choice,
    Preparation,
)
from classifier.settings import ClassifierSettings


def load_settings() -> ClassifierSettings:
    """Read the settings; raise `BadSettings` with a sentence for one that cannot be used."""
    try:
        return ClassifierSettings()
    except ValidationError as error:
        problems = [
            f"CLASSIFIER_{str(one['loc'][0]).upper()}: {one['msg']}."
            for one in error.errors(include_url=False, include_input=False)
        ]
        raise BadSettings(" ".join(problems)) from None


def choice(
    settings: ClassifierSettings,
    *,
    task: str = MAIN,
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
) -> Choice:
    """Return what a model is asked to learn; raise `BadChoice` or `BadParameter`."""
    groups = USUAL if features is None else tuple(listed(features))
    for group in groups:
        _known("feature group", group, FEATURE_GROUPS)
    if not groups:
        raise BadChoice(f"Name a feature group: {', '.join(FEATURE_GROUPS)}.")
    _known("kind of labels", labels, LABELS)
    _known("level", level or LEVELS[0], LEVELS)
    _known("place for unmapped genres", unmapped or UNMAPPED[0], UNMAPPED)
    if level == "broad" and within is not None:
        raise BadChoice("Inside a broad genre there are fine genres only: drop --level broad.")
    if unmapped is not None and level != "broad":
        raise BadChoice("--unmapped says where genres go at --level broad: add that.")
    if not task.strip():
        raise BadChoice("A task needs a name.")
    return Choice(
        task=task.strip(),
        estimator=estimator or settings.estimator,
        genres=None if genres is None else tuple(listed(genres)),
        exclude=() if exclude is None else tuple(listed(exclude)),
        features=tuple(group for group in FEATURE_GROUPS if group in groups),
        widen=features is None,
        descriptors=descriptors,
        labels=labels,
        mapping=mapping,
        level=level or LEVELS[0],
        unmapped=unmapped or UNMAPPED[0],
        within=within,
        per_genre=per_genre,
        min_tracks=settings.min_tracks if min_tracks is None else min_tracks,
        params=dict(parameter(text) for text in params or ()),
        seed=settings.seed if seed is None else seed,
        preparation=preparation(scaling, pca, outliers, balance),
    )


def judged_by(choice: Choice, split: str) -> Choice:
    """Return a choice that is judged by these sides; raise `BadChoice`."""
    _known("split", split, SPLITS)
    return replace(choice, split=split)


def preparation(
    scaling: str | None, pca: str | None, outliers: str | None, balance: str | None
) -> Preparation:
    """Return what is done to the tracks before one learns; raise `BadChoice`."""
    for what, given, known in (
        ("scaling", scaling, SCALINGS),
        ("place for outliers", outliers, OUTLIERS),
        ("balance", balance, BALANCES),
    ):
        if given is not None:
            _known(what, given, known)
    components = None if pca is None else _components(pca)
    return Preparation(scaling, components, outliers, balance)


def _components(text: str) -> int | float:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise BadChoice(f"--pca is a number of components, or a share below 1: not {text!r}.")
    return share


def listed(text: str) -> list[str]:
    """Return the parts of a comma-separated list, each once; double quotes protect a comma."""
    parts = [part.strip() for part in next(csv.reader([text], skipinitialspace=True), [])]
    return list(dict.fromkeys(part for part in parts if part))


def parameter(text: str) -> tuple[str, Any]:
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
        raise BadChoice(f"There is no {what} {given!r}. Known: {', '.join(known)}.")

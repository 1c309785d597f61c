"""Check the settings of all packages: unknown names, and values that cannot be used."""

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Final

from genrebase.runtime import plugins
from genrebase.settings import EnvironmentSettings, InvalidSettings, given_names

SETTINGS_GROUP: Final = "genrebase.settings"
"""Entry points that name a settings class."""

_SIMILAR: Final = 0.6
"""Minimum similarity (difflib's ratio, 0 to 1) of the setting that a message proposes."""
_MISSPELT: Final = 0.9
"""The same for a name without a known prefix, such as COLECTOR_RATE."""


def settings_classes() -> Iterator[type[EnvironmentSettings]]:
    """Yield the registered settings classes, without those of broken plug-ins."""
    for plugin in plugins.load_all(SETTINGS_GROUP):
        if plugin.error is None:
            yield plugin.value


def unknown_settings() -> list[str]:
    """Return a sentence for each name in the environment or `.env` that may be a misspelt setting.

    These are the names with the prefix of a settings class that the class does not read, and those
    that nearly equal a setting which is not given.
    """
    classes = list(settings_classes())
    variables = {name for one in classes for name in one.variables()}
    prefixes = tuple(one.model_config.get("env_prefix", "") for one in classes)
    given = given_names()
    sentences = []
    for name in sorted(given - variables):
        if name.startswith(prefixes):
            sentences.append(_unknown(name, _nearest(name, variables, _SIMILAR)))
        elif near := _nearest(name, variables - given, _MISSPELT):
            sentences.append(_unknown(name, near))
    return sentences


def invalid_settings() -> list[str]:
    """Return a message for each settings class with a value that cannot be used."""
    messages = []
    for one in settings_classes():
        try:
            one.load()
        except InvalidSettings as error:
            messages.append(str(error))
    return list(dict.fromkeys(messages))


def require_valid_settings() -> None:
    """Raise `InvalidSettings` with one message for all settings that cannot be used."""
    if messages := invalid_settings():
        raise InvalidSettings(" ".join(messages))


def _nearest(name: str, variables: Collection[str], similarity: float) -> str | None:
    return next(iter(get_close_matches(name, variables, n=1, cutoff=similarity)), None)


def _unknown(name: str, nearest: str | None) -> str:
    hint = f"did you mean {nearest}?" if nearest else "it has no effect."
    return f"{name} is no setting of Genrebase: {hint} docs/settings.md lists all."

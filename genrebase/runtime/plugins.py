"""Plug-ins: objects that installed packages register under an entry-point group."""

import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, Final

from genrebase.errors import GenrebaseError, UserError, as_clause

_NOUNS: Final = {
    "collector.sources": "source",
    "collector.audio_sources": "source of audio files",
    "collector.features": "provider",
    "classifier.estimators": "estimator",
    "collector.descriptors": "pre-trained network",
}
"""What users call the plug-ins of a group."""


class BrokenPlugin(GenrebaseError):
    """A registered plug-in cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Plugin:
    """A registered plug-in."""

    name: str
    value: Any
    """The object that the entry point names; None if it could not be loaded."""
    error: str | None = None
    """The error of loading it."""


def registered_names(group: str) -> list[str]:
    """Return the names registered under `group`, sorted."""
    return sorted(_registered(group))


def registered_targets(group: str) -> dict[str, str]:
    """Return the target of each name in `group`, `package.module:name`, without loading it."""
    return {name: entry.value for name, entry in sorted(_registered(group).items())}


def load(group: str, name: str) -> Any:
    """Return the object registered as `name`; raise `UserError` without one, or `BrokenPlugin`."""
    entries = _registered(group)
    if name not in entries:
        raise UserError(_unknown_message(group, name, sorted(entries)))
    return _load(entries[name])


def unknown_message(group: str, name: str, also: Collection[str] = ()) -> str | None:
    """Return a sentence where `name` is neither registered under `group` nor in `also`."""
    names = sorted({*_registered(group), *also})
    return None if name in names else _unknown_message(group, name, names)


def load_all(group: str) -> Iterator[Plugin]:
    """Yield the plug-ins of `group`, sorted by name; a broken one has an error and no value."""
    for name, entry in sorted(_registered(group).items()):
        try:
            yield Plugin(name, _load(entry))
        except BrokenPlugin as error:
            yield Plugin(name, None, str(error))


def _registered(group: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in _entry_points(group, tuple(sys.path))}


@lru_cache(maxsize=32)
def _entry_points(group: str, _search_path: tuple[str, ...]) -> EntryPoints:
    """Return the entry points of a group; reading the files of all packages takes 20 ms."""
    return entry_points(group=group)


def _load(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:
        raise BrokenPlugin(
            f"The plug-in {entry.name!r} of {entry.group} ({entry.value}) cannot be loaded: "
            f"{type(error).__name__}: {as_clause(error)}. Reinstall or remove the package that "
            "provides it."
        ) from error


def _unknown_message(group: str, name: str, names: list[str]) -> str:
    if not names:
        return f"Nothing is registered under {group}: install genrebase again (pip install .)."
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    noun = _NOUNS.get(group, "plug-in")
    return f"There is no {noun} {name!r}.{hint} Known: {', '.join(names)}."

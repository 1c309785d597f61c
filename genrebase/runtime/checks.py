"""The doctor's questions: each side registers its own, the umbrella asks them all."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from genrebase.runtime import plugins
from genrebase.runtime.redaction import redact

CHECK_GROUP: Final = "genrebase.checks"
"""Entry points that name a function without arguments which returns `Check`s."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's."""

    name: str
    """What was looked at, in a word or two."""
    ok: bool | None
    """True: fine; False: something to do; None: could not or need not be found out."""
    sentence: str
    """What was found, and what to do about it."""


def run_plugin_checks(group: str = CHECK_GROUP) -> Iterator[Check]:
    """Yield the checks of every plug-in; one that breaks becomes a line and stops only itself."""
    for plugin in plugins.load_all(group):
        if plugin.error is not None:
            yield Check(plugin.name, ok=False, sentence=plugin.error)
        else:
            yield from run_checks(plugin.name, plugin.value)


def run_checks(name: str, checks: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Yield what `checks` finds; whatever breaks it becomes the last line."""
    try:
        yield from checks()
    except Exception as error:  # noqa: BLE001 - a broken plug-in stops only itself
        sentence = redact(f"its check broke with {type(error).__name__}: {error}")
        yield Check(name, ok=False, sentence=sentence)

"""Diagnostic checks: packages register their own, `genrebase doctor` runs them all."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from genrebase.runtime import plugins
from genrebase.runtime.redaction import redact

CHECK_GROUP: Final = "genrebase.checks"
"""Entry points that name a function which takes no arguments and returns `Check`s."""


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check, a line of `genrebase doctor`."""

    name: str
    """The subject of the check."""
    ok: bool | None
    """True: fine; False: needs fixing; None: unknown, or not applicable."""
    sentence: str
    """The result, and how to fix it."""


def run_plugin_checks(group: str = CHECK_GROUP) -> Iterator[Check]:
    """Yield the results of all registered checks; one that fails to load is a failed check."""
    for plugin in plugins.load_all(group):
        if plugin.error is not None:
            yield Check(plugin.name, ok=False, sentence=plugin.error)
        else:
            yield from run_checks(plugin.name, plugin.value)


def run_checks(name: str, checks: Callable[[], Iterable[Check]]) -> Iterator[Check]:
    """Yield the results of `checks`; an exception becomes the last result."""
    try:
        yield from checks()
    except Exception as error:  # noqa: BLE001 - one broken check must not stop the others
        sentence = redact(f"This check raised {type(error).__name__}: {error}")
        yield Check(name, ok=False, sentence=sentence)

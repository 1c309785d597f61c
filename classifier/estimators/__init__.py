"""The estimators: one factory per file, registered under `classifier.estimators`."""

from typing import Final

from classifier.ports import Estimator
from classifier.records import Choice
from genrebase.runtime import plugins

GROUP: Final = "classifier.estimators"
"""Entry points that name a `Factory`."""


def names() -> list[str]:
    """Return the names of all registered estimators."""
    return plugins.names(GROUP)


def build(choice: Choice, *, threads: int) -> Estimator:
    """Return the unfitted estimator that `choice` asks for.

    Raise `UnknownPlugin` for a name nobody registered (with the nearest one), `BadParameter` for
    a parameter it does not have.
    """
    make = plugins.load(GROUP, choice.estimator)
    made: Estimator = make(
        features=choice.features, seed=choice.seed, threads=threads, **choice.params
    )
    return made

"""Fit the parts of one training on the workers of a cluster, if the command uses one.

Parts are members of an ensemble, or fits on other folds: independent of each other, and the same
wherever they are fitted. On a worker nothing is distributed further.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TypeVar

from classifier.threads import limit_threads
from genrebase.runtime.cluster import Cluster

Shared = TypeVar("Shared")
Part = TypeVar("Part")
Fitted = TypeVar("Fitted")

_cluster: Final[ContextVar[Cluster | None]] = ContextVar("cluster", default=None)


@contextmanager
def fits_on(cluster: Cluster | None) -> Iterator[None]:
    """Let the workers of `cluster` fit the parts of trainings in the block."""
    token = _cluster.set(cluster)
    try:
        yield
    finally:
        _cluster.reset(token)


def are_distributed() -> bool:
    """Return whether `fit_parts` uses a cluster."""
    return _cluster.get() is not None


def fit_parts(
    fit: Callable[[Shared, Part], Fitted], parts: Sequence[Part], shared: Shared
) -> Iterator[Fitted]:
    """Yield `fit(shared, part)` of each part, in their order.

    `fit` is a function of a module: workers import it. Without a cluster a part is fitted when it
    is asked for.
    """
    cluster = _cluster.get()
    if cluster is None:
        yield from (fit(shared, part) for part in parts)
        return
    tasks = [(fit, part) for part in parts]
    for _, fitted in cluster.results_in_order(_fit_on_worker, tasks, cluster.share(shared)):
        yield fitted


def _fit_on_worker(shared: Shared, task: tuple[Callable[[Shared, Part], Fitted], Part]) -> Fitted:
    """Fit a part with one thread: a worker has one."""
    fit, part = task
    with limit_threads(1):
        return fit(shared, part)

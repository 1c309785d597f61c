"""Run functions on a Dask cluster: connect, compare versions, survive workers that die.

The only module that imports dask. A task that a dead worker had is given to another, so what tasks
write must be idempotent. Dask's scheduler executes what clients send to it: see docs/scale.md.
"""

import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from genrebase.errors import GenrebaseError, UserError
from genrebase.extras import install_hint
from genrebase.runtime.cluster_versions import code_fingerprint, describe_difference
from genrebase.runtime.redaction import redact
from genrebase.settings import GenrebaseSettings

if TYPE_CHECKING:
    from distributed import Client, Future, Security

Argument = TypeVar("Argument")
Result = TypeVar("Result")

MAX_ATTEMPTS: Final = 10
"""Times that a task is started: after so many dead workers the task itself must be the cause."""

LOCAL: Final = "local:"
"""The prefix of an address that starts workers on this computer: `local:4`."""
_SCHEMES: Final = ("tcp://", "tls://")
_CONNECT_SECONDS: Final = 30.0
_WORKER_SECONDS: Final = 30.0
"""Seconds to wait for a first worker."""
_TASKS_PER_THREAD: Final = 3
"""Tasks that are sent ahead, so that no worker waits for its next one."""
_LOST_SCHEDULER: Final = "scheduler-connection-lost"
_LOST: Final = ("lost", "cancelled", "error")
"""States of a future whose data are gone."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a task returned, or why it could not."""

    value: Any = None
    error: str | None = None
    other_code: bool = False
    """The worker has other source code than the client, and ran nothing."""


class SharedValue:
    """A value that all tasks use: it is sent to a worker once, not with every task."""

    def __init__(self, client: "Client", value: Any) -> None:
        self._client, self._value = client, value
        self._future: Future | None = None

    def future(self) -> "Future":
        """Send the value, again if all workers that had it died."""
        if self._future is None or self._future.status in _LOST:
            # hash=False: equal values of two runs must not share their fate
            (self._future,) = self._client.scatter([self._value], broadcast=True, hash=False)
        return self._future


class ClusterTask(Generic[Result]):
    """A call that runs on some worker."""

    def __init__(self, submit: Callable[[], "Future"], address: str) -> None:
        self._submit, self._address = submit, address
        self._attempts = 1
        self.future = submit()

    def result(self) -> Result:
        """Wait for the result; raise `GenrebaseError` if it cannot be had."""
        while True:
            outcome = self.outcome()
            if outcome is not None:
                result: Result = outcome.value
                return result

    def outcome(self) -> _Outcome | None:
        """Wait; return None if the call was lost with its workers and has been started again."""
        from concurrent.futures import CancelledError

        from distributed import KilledWorker
        from distributed.client import FutureCancelledError

        try:
            outcome: _Outcome = self.future.result()
        except KilledWorker:
            count = "several" if self._attempts < MAX_ATTEMPTS else MAX_ATTEMPTS
            raise GenrebaseError(
                f"A task was given up because {count} workers died with it: see the logs "
                "of the workers, which may lack memory. What is stored stays; run the same "
                "command again."
            ) from None
        except (CancelledError, TimeoutError, OSError) as error:
            reason = error.reason if isinstance(error, FutureCancelledError) else ""
            if reason == _LOST_SCHEDULER or self._attempts >= MAX_ATTEMPTS:
                raise GenrebaseError(
                    f"The scheduler at {self._address} was lost or restarted, and its tasks with "
                    "it. What is stored stays: run the same command again."
                ) from None
            self._attempts += 1
            self.future = self._submit()
            return None
        if outcome.other_code:
            raise UserError(
                "A worker runs other source code of Genrebase than this command: install the "
                "same version on all of them, and restart the workers."
            )
        if outcome.error is not None:
            raise GenrebaseError(outcome.error)
        return outcome


class Cluster:
    """A connection to the workers of a cluster."""

    def __init__(self, client: "Client", address: str, *, is_local: bool) -> None:
        self._client = client
        self.address = address
        """As the user gave it."""
        self.is_local = is_local
        """Whether all workers are processes of this computer, started by this one."""

    @property
    def n_threads(self) -> int:
        """Return how many tasks can run at once, at least one."""
        return max(1, int(sum(self._client.nthreads().values())))

    @property
    def tasks_ahead(self) -> int:
        """Return how many tasks to have submitted, so that no worker waits."""
        return _TASKS_PER_THREAD * self.n_threads

    def share(self, value: Any) -> SharedValue:
        """Return a value that tasks can use, once it is sent."""
        return SharedValue(self._client, value)

    def submit(
        self,
        function: Callable[[Any, Argument], Result],
        argument: Argument,
        shared: SharedValue | None = None,
    ) -> ClusterTask[Result]:
        """Start `function(shared value, argument)` on a worker.

        `function` is one of a module, and may run more than once.
        """

        def submit() -> "Future":
            value = None if shared is None else shared.future()
            return self._client.submit(
                _run_task, code_fingerprint(), function, value, argument, pure=False
            )

        return ClusterTask(submit, self.address)

    def results(
        self,
        function: Callable[[Any, Argument], Result],
        arguments: Iterable[Argument],
        shared: SharedValue | None = None,
    ) -> Iterator[tuple[Argument, Result]]:
        """Yield each argument with its result, in the order in which they are completed."""
        from distributed import as_completed

        remaining = iter(arguments)
        completed = as_completed(loop=self._client.loop)
        running: dict[str, tuple[Argument, ClusterTask[Result]]] = {}

        def start(argument: Argument) -> None:
            add(argument, self.submit(function, argument, shared))

        def add(argument: Argument, task: ClusterTask[Result]) -> None:
            running[task.future.key] = (argument, task)
            completed.add(task.future)

        for argument in islice(remaining, self.tasks_ahead):
            start(argument)
        while running:
            argument, task = running.pop(next(completed).key)
            outcome = task.outcome()
            if outcome is None:
                add(argument, task)
                continue
            for following in islice(remaining, 1):
                start(following)
            yield argument, outcome.value

    def results_in_order(
        self,
        function: Callable[[Any, Argument], Result],
        arguments: Iterable[Argument],
        shared: SharedValue | None = None,
    ) -> Iterator[tuple[Argument, Result]]:
        """Yield each argument with its result, in the order of the arguments."""
        remaining = iter(arguments)
        running: list[tuple[Argument, ClusterTask[Result]]] = []

        def start(count: int) -> None:
            following = islice(remaining, count)
            running.extend((one, self.submit(function, one, shared)) for one in following)

        start(self.tasks_ahead)
        while running:
            argument, task = running.pop(0)
            result = task.result()
            start(1)
            yield argument, result


@contextmanager
def open_cluster(address: str | None = None) -> Iterator[Cluster | None]:
    """Connect to the cluster of `--on`, or of the setting; yield None without either.

    Raises `UserError` for an address that cannot be used, a scheduler that does not respond
    or has no workers, and for other versions than ours.
    """
    settings = GenrebaseSettings.load()
    address = address or settings.cluster
    if address is None:
        yield None
        return
    check_address(address)
    _import_dask()
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        # of versions that differ, and of large tasks: what matters is checked here
        warnings.simplefilter("ignore")
        if address.startswith(LOCAL):
            client = stack.enter_context(_local_client(int(address.removeprefix(LOCAL))))
        else:
            client = stack.enter_context(_remote_client(address, _security(settings, address)))
        _check_versions(client)
        yield Cluster(client, address, is_local=address.startswith(LOCAL))


def check_address(address: str) -> None:
    """Raise `UserError` if `address` is neither a scheduler's nor `local:N`."""
    count = address.removeprefix(LOCAL)
    is_count = count.isdecimal() and int(count) > 0
    if not (is_count if address.startswith(LOCAL) else address.startswith(_SCHEMES)):
        raise UserError(
            f"{address!r} is no cluster: write tcp://HOST:8786 or tls://HOST:8786 (a Dask "
            "scheduler), or local:N (N processes of this computer)."
        )


def _run_task(
    fingerprint: str, function: Callable[[Any, Any], Any], shared: Any, argument: Any
) -> _Outcome:
    """Call a function on a worker; return its error as a sentence."""
    if fingerprint != code_fingerprint():
        return _Outcome(other_code=True)
    try:
        return _Outcome(function(shared, argument))
    except GenrebaseError as error:
        return _Outcome(error=str(error))
    except Exception as error:  # noqa: BLE001 - it would end the command with a remote traceback
        return _Outcome(error=redact(f"A worker failed: {type(error).__name__}: {error}"))


def _import_dask() -> None:
    """Import dask with its logs off: its errors are raised here as sentences."""
    try:
        import dask
    except ModuleNotFoundError:
        hint = install_hint("distributed")
        raise UserError(f"A cluster needs the library Dask. {hint}") from None
    levels = {"distributed": "critical", "distributed.client": "critical", "tornado": "critical"}
    dask.config.set({"logging": levels})
    import distributed  # noqa: F401 - it configures its logs when it is imported

    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _local_client(n_workers: int) -> Iterator["Client"]:
    """Start workers on this computer; nobody else on it can connect to them."""
    import dask
    from distributed import Client, LocalCluster, Security

    config = {
        "distributed.scheduler.allowed-failures": MAX_ATTEMPTS,
        # it drops shared values of workers that are idle for a moment
        "distributed.scheduler.active-memory-manager.start": False,
    }
    with (
        TemporaryDirectory(prefix="genrebase-", ignore_cleanup_errors=True) as folder,
        dask.config.set(config),
        LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            security=Security.temporary(),
            dashboard_address=None,
            local_directory=folder,
            silence_logs=logging.CRITICAL,
            preload=["genrebase.runtime.cluster_worker"],
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield client


@contextmanager
def _remote_client(address: str, security: "Security") -> Iterator["Client"]:
    from distributed import Client

    try:
        client = Client(address, timeout=_CONNECT_SECONDS, security=security, set_as_default=False)
    except (OSError, TimeoutError, ValueError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError(
            f"The Dask scheduler at {address} does not respond: {redact(reason).rstrip('.')}. "
            "Start it with `dask scheduler`, or check the address and the TLS settings."
        ) from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_WORKER_SECONDS)
        except TimeoutError:
            raise UserError(
                f"The Dask scheduler at {address} has no workers: start some with "
                f"`dask worker {address} --nworkers -1 --nthreads 1`."
            ) from None
        yield client


def _security(settings: GenrebaseSettings, address: str) -> "Security":
    """Return the TLS settings: ours, else those of Dask's own configuration."""
    from distributed import Security

    ca, cert, key = settings.cluster_tls_ca, settings.cluster_tls_cert, settings.cluster_tls_key
    if any((ca, cert, key)) and not all((ca, cert, key)):
        raise UserError(
            "GENREBASE_CLUSTER_TLS_CA, GENREBASE_CLUSTER_TLS_CERT and GENREBASE_CLUSTER_TLS_KEY "
            "belong together: set all three, or none."
        )
    files = {"tls_ca_file": ca, "tls_client_cert": cert, "tls_client_key": key} if ca else {}
    security = Security(require_encryption=True if ca else None, **files)
    try:
        context = security.get_connection_args("client").get("ssl_context")
    except OSError as error:  # ssl.SSLError is one
        raise UserError(
            f"The cluster's TLS files cannot be used ({error}): check GENREBASE_CLUSTER_TLS_*."
        ) from None
    if address.startswith("tls://") and context is None:
        raise UserError(
            f"The scheduler at {address} expects a certificate: set GENREBASE_CLUSTER_TLS_CA, "
            "GENREBASE_CLUSTER_TLS_CERT and GENREBASE_CLUSTER_TLS_KEY."
        )
    return security


def _check_versions(client: "Client") -> None:
    installed = client.get_versions(packages=["genrebase", "scikit-learn", "scipy"])
    ours = {**installed["client"]["packages"], "genrebase": version("genrebase")}
    nodes = {"The scheduler": installed["scheduler"]}
    nodes |= {f"The worker {name}": node for name, node in installed["workers"].items()}
    for name, node in nodes.items():
        # a worker that has just died has no versions
        difference = describe_difference(ours, node["packages"]) if node else None
        if difference is not None:
            raise UserError(
                f"{name} has {difference}. Install the same versions everywhere, because results "
                "depend on them."
            )

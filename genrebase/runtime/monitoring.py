"""Health checks and Prometheus metrics of the daemons; `health_server` serves them over HTTP."""

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from typing import ClassVar, Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from genrebase.errors import GenrebaseError
from genrebase.runtime import jobs
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.clock import Clock
from genrebase.runtime.console import Output
from genrebase.runtime.redaction import redact
from genrebase.store import schema_upgrade
from genrebase.store.engine import is_read_only

PROBE_TIMEOUT_SECONDS: Final = 5.0
"""Timeout of a health probe, in seconds."""

Samples = Iterable[tuple[Mapping[str, str], float]]
"""Values, each with its labels."""


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """The result of a health check; the fields are its JSON keys."""

    ok: bool
    sentence: str


@dataclass(frozen=True)
class HealthTarget(Collector):
    """A daemon's health check and metrics, read from its database."""

    engine: Engine
    clock: Clock

    monitored_jobs: ClassVar[tuple[str, ...]]
    """The jobs that this daemon runs; other jobs do not count for its health."""

    def check(self) -> HealthStatus:
        """Check the database (schema, writable), and that no job failed or makes no progress.

        Only the daemon's own runs can fail it; a completed run by hand is a success too.
        """
        if is_read_only(self.engine):
            return HealthStatus(ok=False, sentence="The database is read-only: nothing is stored.")
        schema_upgrade.check_revision(self.engine)
        for job in self.monitored_jobs:
            run = jobs.last_service_run(self.engine, job)
            if run is not None and run.outcome == "failed":
                return HealthStatus(ok=False, sentence=f"The last {job} failed: {run.error}")
            if run is None or jobs.effective_run(run, self.clock.now()).outcome != "running":
                continue
            if self.is_stalled(run):
                since = f"{run.started_at:%Y-%m-%d %H:%M} UTC"
                return HealthStatus(
                    ok=False, sentence=f"The {job} that began at {since} makes no progress."
                )
        return HealthStatus(ok=True, sentence="The database responds, and no job failed.")

    @abstractmethod
    def is_stalled(self, run: jobs.JobRun) -> bool:
        """Return whether a running job has made no progress for too long."""

    @abstractmethod
    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""


def gauge(name: str, documentation: str, samples: Samples) -> Metric:
    """Return a Prometheus gauge `genrebase_NAME`."""
    return _add_samples(GaugeMetricFamily, name, documentation, samples)


def counter(name: str, documentation: str, samples: Samples) -> Metric:
    """Return a Prometheus counter `genrebase_NAME_total`."""
    return _add_samples(CounterMetricFamily, name, documentation, samples)


def _add_samples(
    family: type[GaugeMetricFamily | CounterMetricFamily],
    name: str,
    documentation: str,
    samples: Samples,
) -> Metric:
    samples = list(samples)
    labels = list(samples[0][0]) if samples else []
    metric = family(f"genrebase_{name}", documentation, labels=labels)
    for values, number in samples:
        metric.add_metric([values[label] for label in labels], number)
    return metric


def render_metrics(target: Collector) -> bytes:
    """Return the metrics of `target` and of this process in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(target)
    ProcessCollector(registry=registry)
    return generate_latest(registry)


def check_health(target: HealthTarget) -> HealthStatus:
    """Return the status of `target`; an error makes it unhealthy."""
    try:
        return target.check()
    except (GenrebaseError, SQLAlchemyError) as error:
        return HealthStatus(ok=False, sentence=first_line(error))


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, without secrets."""
    return redact(str(error)).splitlines()[0]


def probe(address: ListenAddress) -> HealthStatus:
    """Request `/healthz` of the daemon at `address`; without a response it is unhealthy."""
    url = f"{address.url}/healthz"
    host = address.url.removeprefix("http://").rpartition(":")[0].strip("[]")
    try:
        with closing(
            HTTPConnection(host, address.port, timeout=PROBE_TIMEOUT_SECONDS)
        ) as connection:
            connection.request("GET", "/healthz")
            document = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        return HealthStatus(ok=False, sentence=f"The daemon at {url} does not respond: {reason}")
    fields = document if isinstance(document, dict) else {}
    return HealthStatus(
        ok=fields.get("ok") is True, sentence=str(fields.get("sentence", document))
    )


def report_health(
    output: Output, address: ListenAddress | None, target: Callable[[], HealthTarget]
) -> None:
    """Print the health of the daemon at `address`, or of `target` if there is no address.

    Raise `GenrebaseError` with the reason if it is not healthy.
    """
    status = check_health(target()) if address is None else probe(address)
    output.write_json(asdict(status))
    if not status.ok:
        raise GenrebaseError(status.sentence)
    output.print(status.sentence)

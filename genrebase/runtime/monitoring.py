"""A daemon's own HTTP: whether it is well (`/healthz`) and what it did (`/metrics`)."""

import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from threading import Event, Thread
from typing import Final, Literal

import uvicorn
from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from genrebase.errors import GenrebaseError, UserError
from genrebase.runtime.addresses import ListenAddress
from genrebase.runtime.redaction import redact

PROBE_TIMEOUT_SECONDS: Final = 5.0
"""How long a daemon may take to say how it is."""

_UNAVAILABLE: Final = 503
_START_SECONDS: Final = 10.0
"""How long the server may take to start; it needs some milliseconds."""
_STOP_SECONDS: Final = 2
"""How long an answer in hand may take when the daemon ends."""


class AddressUnavailable(UserError):
    """An address that nobody can listen on."""


@dataclass(frozen=True, slots=True)
class HealthStatus:
    """Whether all is well."""

    ok: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that is counted or measured."""

    name: str
    """As Prometheus wants it; a counter's without `_total`."""
    kind: Literal["counter", "gauge"]
    meaning: str
    samples: Sequence[tuple[Mapping[str, str], float]]
    """Values, each with its labels."""


@dataclass(frozen=True, slots=True)
class HealthTarget:
    """Whose health is asked for."""

    health: Callable[[], HealthStatus]
    measures: Callable[[], Iterable[Measure]]


def check_health(patient: HealthTarget) -> HealthStatus:
    """Return how it is; one that cannot say so is not well."""
    try:
        return patient.health()
    except (GenrebaseError, SQLAlchemyError) as error:
        return HealthStatus(ok=False, sentence=redact(str(error)).splitlines()[0])


def probe(address: ListenAddress) -> HealthStatus:
    """Ask the daemon that listens at `address` how it is; one that does not say is not well."""
    where = f"{address.url}/healthz"
    host = address.url.removeprefix("http://").rpartition(":")[0].strip("[]")
    try:
        with closing(
            HTTPConnection(host, address.port, timeout=PROBE_TIMEOUT_SECONDS)
        ) as connection:
            connection.request("GET", "/healthz")
            said = json.loads(connection.getresponse().read())
    except (OSError, HTTPException, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        return HealthStatus(
            ok=False, sentence=f"The daemon at {where} does not say how it is: {reason}"
        )
    known = said if isinstance(said, dict) else {}
    return HealthStatus(ok=known.get("ok") is True, sentence=str(known.get("sentence", said)))


def render_metrics(measures: Iterable[Measure]) -> bytes:
    """Return measures in Prometheus' text format, with those of our own process."""
    registry = CollectorRegistry()
    registry.register(_Once([_family(one) for one in measures]))
    ProcessCollector(registry=registry)
    return generate_latest(registry)


@contextmanager
def serve(address: ListenAddress | None, patient: HealthTarget) -> Iterator[str | None]:
    """Answer at `address` while the block runs; yield the URL, port 0 takes any free one.

    Without an address nobody is answered, and None is yielded. Raises `AddressUnavailable` where nobody
    can listen there.
    """
    if address is None:
        yield None
        return
    listening = _listen(address)
    server = _Server(
        uvicorn.Config(
            application(patient),
            access_log=False,
            lifespan="off",
            log_config=None,
            loop="asyncio",
            server_header=False,
            timeout_graceful_shutdown=_STOP_SECONDS,
            ws="none",
        )
    )
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, name="health", daemon=True)
    thread.start()
    try:
        server.ready.wait(_START_SECONDS)
        yield ListenAddress(address.host, listening.getsockname()[1]).url
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def application(patient: HealthTarget) -> ASGIApp:
    """Return the application; its questions to the database do not hold one another up."""

    def healthz(_request: Request) -> Response:
        found = check_health(patient)
        document = {"ok": found.ok, "sentence": found.sentence}
        return JSONResponse(document, 200 if found.ok else _UNAVAILABLE)

    def metrics(_request: Request) -> Response:
        try:
            text = render_metrics(patient.measures())
        except (GenrebaseError, SQLAlchemyError) as error:
            return PlainTextResponse(f"# {redact(str(error)).splitlines()[0]}\n", _UNAVAILABLE)
        return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return Starlette(routes=[Route("/healthz", healthz), Route("/metrics", metrics)])


class _Server(uvicorn.Server):
    """Tells when it has started."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


class _Once(Collector):
    """Hands out what was measured already."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _family(measure: Measure) -> Metric:
    labels = list(measure.samples[0][0]) if measure.samples else []
    family = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
    made = family(measure.name, measure.meaning, labels=labels)
    for values, number in measure.samples:
        made.add_metric([values[label] for label in labels], number)
    return made


def _listen(address: ListenAddress) -> socket.socket:
    try:
        return socket.create_server(
            (address.host, address.port),
            family=socket.AF_INET6 if ":" in address.host else socket.AF_INET,
        )
    except OSError as error:
        raise AddressUnavailable(
            f"Nobody can listen on {address.host}:{address.port} ({error.strerror or error}): "
            "another program may do so already; give another port."
        ) from error

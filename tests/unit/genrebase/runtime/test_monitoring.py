"""Health checks, metrics and their server."""

import socket
from collections.abc import Callable, Iterator

import pytest
import requests
from prometheus_client.core import Metric
from sqlalchemy import create_engine

from genrebase.errors import GenrebaseError
from genrebase.runtime.addresses import LOOPBACK, ListenAddress
from genrebase.runtime.clock import SystemClock
from genrebase.runtime.health_server import serve
from genrebase.runtime.http_server import AddressUnavailable
from genrebase.runtime.jobs import JobRun
from genrebase.runtime.monitoring import (
    HealthStatus,
    HealthTarget,
    counter,
    gauge,
    render_metrics,
)

ANY_PORT = ListenAddress(LOOPBACK, 0)


def metrics() -> Iterator[Metric]:
    yield gauge("things", "Things.", [({}, 3.0)])
    yield counter("deeds", "Deeds.", [({"by": "me"}, 2.0), ({"by": 'a "b"\n'}, 1.0)])
    yield gauge("nothing", "Nothing yet.", [])


class FakeTarget(HealthTarget):
    """A daemon whose health and metrics are given."""

    def __init__(
        self,
        check: Callable[[], HealthStatus] = lambda: HealthStatus(ok=True, sentence=""),
        metrics: Callable[[], Iterator[Metric]] = metrics,
    ) -> None:
        super().__init__(create_engine("sqlite://"), SystemClock())
        object.__setattr__(self, "_parts", (check, metrics))

    def check(self) -> HealthStatus:
        return self._parts[0]()  # type: ignore[attr-defined, no-any-return]  # set above

    def is_stalled(self, run: JobRun) -> bool:
        return False

    def collect(self) -> Iterator[Metric]:
        yield from self._parts[1]()  # type: ignore[attr-defined]  # set above


def test_metrics_in_the_text_format_of_prometheus() -> None:
    """Counters end in `_total`, labels are escaped; memory and open files are included."""
    text = render_metrics(FakeTarget()).decode()
    assert "# TYPE genrebase_things gauge\ngenrebase_things 3.0\n" in text
    deeds = 'genrebase_deeds_total{by="me"} 2.0\ngenrebase_deeds_total{by="a \\"b\\"\\n"} 1.0\n'
    assert deeds in text
    assert "# TYPE genrebase_nothing gauge\n" in text
    if "process_" in text:  # only where the system has them
        assert "process_open_fds" in text


def test_health_and_metrics_over_http() -> None:
    """200 if healthy, 503 if not; metrics as text."""
    statuses = [
        HealthStatus(ok=True, sentence="Fine."),
        HealthStatus(ok=False, sentence="Not fine."),
    ]
    with serve(ANY_PORT, FakeTarget(lambda: statuses.pop(0))) as url:
        first, second = (requests.get(f"{url}/healthz", timeout=5) for _ in range(2))
        response = requests.get(f"{url}/metrics", timeout=5)
    assert (first.status_code, first.json()) == (200, {"ok": True, "sentence": "Fine."})
    assert (second.status_code, second.json()["sentence"]) == (503, "Not fine.")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "genrebase_things 3.0" in response.text


def test_a_failing_check_is_unhealthy() -> None:
    """A database that is gone gives a message and 503, never a traceback."""

    def fail() -> HealthStatus:
        raise GenrebaseError("The database does not answer.\nAnd more.")

    def fail_metrics() -> Iterator[Metric]:
        fail()
        yield from ()

    with serve(ANY_PORT, FakeTarget(fail, fail_metrics)) as url:
        health = requests.get(f"{url}/healthz", timeout=5)
        response = requests.get(f"{url}/metrics", timeout=5)
    assert (health.status_code, health.json()["sentence"]) == (
        503,
        "The database does not answer.",
    )
    assert (response.status_code, response.text) == (503, "# The database does not answer.\n")


def test_a_used_port_is_refused() -> None:
    """The message names the port."""
    with socket.create_server((LOOPBACK, 0)) as used:
        address = ListenAddress(LOOPBACK, used.getsockname()[1])
        with (
            pytest.raises(AddressUnavailable, match="Cannot listen on"),
            serve(address, FakeTarget()),
        ):
            pass

import socket

import pytest
import requests

from genrebase.errors import GenrebaseError
from genrebase.runtime.addresses import LOOPBACK, ListenAddress
from genrebase.runtime.monitoring import (
    AddressUnavailable,
    HealthStatus,
    HealthTarget,
    Measure,
    render_metrics,
    serve,
)

ANY_PORT = ListenAddress(LOOPBACK, 0)
MEASURES = [
    Measure("things", "gauge", "Things.", [({}, 3.0)]),
    Measure("deeds", "counter", "Deeds.", [({"by": "me"}, 2.0), ({"by": 'a "b"\n'}, 1.0)]),
    Measure("nothing", "gauge", "Nothing yet.", []),
]


def test_measures_are_written_as_prometheus_reads_them() -> None:
    """Counters end in `_total`, labels are escaped; memory and open files come along."""
    text = render_metrics(MEASURES).decode()
    assert "# TYPE things gauge\nthings 3.0\n" in text
    assert 'deeds_total{by="me"} 2.0\ndeeds_total{by="a \\"b\\"\\n"} 1.0\n' in text
    assert "# TYPE nothing gauge\n" in text
    if "process_" in text:  # only where the system tells
        assert "process_open_fds" in text


def test_answers_how_it_is() -> None:
    """200 where all is well, 503 where not; measures as text."""
    said = [HealthStatus(ok=True, sentence="Fine."), HealthStatus(ok=False, sentence="Not fine.")]
    with serve(ANY_PORT, HealthTarget(lambda: said.pop(0), lambda: MEASURES)) as url:
        first, second = (requests.get(f"{url}/healthz", timeout=5) for _ in range(2))
        metrics = requests.get(f"{url}/metrics", timeout=5)
    assert (first.status_code, first.json()) == (200, {"ok": True, "sentence": "Fine."})
    assert (second.status_code, second.json()["sentence"]) == (503, "Not fine.")
    assert metrics.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "things 3.0" in metrics.text


def test_one_that_cannot_say_is_not_well() -> None:
    """A database that is gone is a sentence and 503, never a traceback."""

    def gone() -> HealthStatus:
        raise GenrebaseError("The database does not answer.\nAnd more.")

    with serve(ANY_PORT, HealthTarget(gone, lambda: [gone()])) as url:  # type: ignore[list-item]
        health = requests.get(f"{url}/healthz", timeout=5)
        metrics = requests.get(f"{url}/metrics", timeout=5)
    assert (health.status_code, health.json()["sentence"]) == (
        503,
        "The database does not answer.",
    )
    assert (metrics.status_code, metrics.text) == (503, "# The database does not answer.\n")


def test_a_taken_port_is_refused() -> None:
    """Where another listens, a sentence says so."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        address = ListenAddress(LOOPBACK, taken.getsockname()[1])
        patient = HealthTarget(lambda: HealthStatus(ok=True, sentence=""), list)
        with pytest.raises(AddressUnavailable, match="give another port"), serve(address, patient):
            pass

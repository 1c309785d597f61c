"""Speed of the API of `genrebase serve`, beside direct calls of the model in the same run.

    python -m benchmarks.serving [DATABASE.db] [--seconds 10]

Without a database, one is made: 20 genres, 2,400 synthetic tracks, and two `blend` models. The
server is a process of its own, the clients are threads of this one. Printed as lines of JSON:

- one row: seconds of `ServedModels.predict` in this process and of requests, one after another;
- 32 clients with one row each: responses a second;
- batches of 1,000 rows, one client: rows a second;
- the JSON of a track's page while another client sends batches of 200;
- another champion is promoted while 8 clients send rows: failed requests, and the seconds until a
  response names it.

On a busy computer look at CPU seconds and ratios: both sides were measured in the same minutes.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from threading import Event
from typing import Any

from sqlalchemy import Engine

from benchmarks.measuring import print_result
from classifier import threads
from classifier.registry import stored_models
from classifier.serving.online import Item, PredictedRows, Result, ServedModels, frame_of
from classifier.serving.predict_track import TrackDescription
from classifier.training import promote, train
from classifier.training_config import DEFAULT_TASK, TrainingConfig
from genrebase.digests.refresh import refresh
from genrebase.runtime.clock import SystemClock
from genrebase.store import schema_upgrade
from genrebase.store.engine import make_engine
from tests.synthetic_music import Music

GENRES = [f"genre {number}" for number in range(20)]
CLIENTS = 32
ONE_BY_ONE = 100
_SERVE = (
    "import sys; from genrebase.cli import main; sys.argv[1:] = ['serve', '--port', '0']; main()"
)


def item(number: int) -> dict[str, Any]:
    return {
        "title": f"Song {number}",
        "artists": [f"Artist {number % 97}", "Somebody"],
        "album": "Album",
        "features": {"tempo": 80 + number % 90, "energy": number % 10 / 10, "valence": 0.5},
    }


def description(number: int) -> TrackDescription:
    one = item(number)
    numbers = {name: float(value) for name, value in one["features"].items()}
    return TrackDescription(one["title"], tuple(one["artists"]), one["album"], numbers)


class Client:
    """Sends requests over one connection that stays open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)

    def predict(self, first: int, count: int = 1) -> tuple[int, Any]:
        """Return the status and the document of a prediction."""
        body = json.dumps({"items": [item(first + at) for at in range(count)], "top": 1})
        return self.request("POST", "/api/v1/predict", body)

    def request(self, method: str, path: str, body: str | None = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/json"} if body else {}
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            return response.status, json.loads(response.read())
        except OSError:
            self._connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
            raise


def milliseconds(function: Callable[[int], object], count: int) -> dict[str, float]:
    """Return the median and the 95th percentile of calls, one after another."""
    spent = []
    for number in range(count):
        began = time.perf_counter()
        function(number)
        spent.append(1000 * (time.perf_counter() - began))
    return percentiles(spent)


def percentiles(values: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=20)
    return {"median": round(statistics.median(values), 1), "p95": round(cuts[18], 1)}


class Server:
    """A server process: its port, and the CPU seconds that it has used (Linux)."""

    def __init__(self, port: int, process: int) -> None:
        self.port = port
        self._stat = Path(f"/proc/{process}/stat")

    def cpu_seconds(self) -> float:
        times = self._stat.read_text().rpartition(")")[2].split()[11:13]
        return sum(map(int, times)) / os.sysconf("SC_CLK_TCK")


def predict(models: ServedModels, tracks: Sequence[Item]) -> list[Result]:
    """Predict in this thread."""
    prepared = models.prepare(tracks)
    predicted = [
        PredictedRows(
            one.model.artifact.estimator.predict_proba(frame_of([one.rows])),
            models.find_artists(list(one.described.values())),
        )
        for one in prepared.rows
    ]
    return models.complete(prepared, predicted)


def one_row(engine: Engine, server: Server) -> None:
    models, client = ServedModels(engine, DEFAULT_TASK), Client(server.port)
    with threads.limit_threads(1):
        predict(models, [description(0)])
        computed = time.process_time()
        direct = milliseconds(lambda number: predict(models, [description(number)]), ONE_BY_ONE)
        direct_cpu = time.process_time() - computed
    client.predict(0)
    computed = server.cpu_seconds()
    served = milliseconds(client.predict, ONE_BY_ONE)
    served_cpu = server.cpu_seconds() - computed
    print_result(
        "one row, ms",
        direct=direct,
        served=served,
        p95_difference=round(served["p95"] - direct["p95"], 1),
        ratio_of_medians=round(served["median"] / direct["median"], 2),
        direct_cpu_ms=round(1000 * direct_cpu / ONE_BY_ONE, 1),
        served_cpu_ms=round(1000 * served_cpu / ONE_BY_ONE, 1),
    )


def many_clients(server: Server, seconds: float) -> None:
    end = time.perf_counter() + seconds

    def run(number: int) -> Counter[int]:
        client, statuses = Client(server.port), Counter[int]()
        while time.perf_counter() < end:
            statuses[client.predict(number)[0]] += 1
        return statuses

    began, computed = time.perf_counter(), server.cpu_seconds()
    with ThreadPoolExecutor(CLIENTS) as pool:
        statuses = sum(pool.map(run, range(CLIENTS)), Counter[int]())
    spent, cpu = time.perf_counter() - began, server.cpu_seconds() - computed
    print_result(
        f"{CLIENTS} clients with one row each",
        per_second=round(statuses[200] / spent),
        per_cpu_second=round(statuses[200] / cpu),
        statuses=dict(statuses),
    )


def batches(engine: Engine, server: Server, seconds: float) -> None:
    client, rows = Client(server.port), 0
    began, computed = time.perf_counter(), server.cpu_seconds()
    while time.perf_counter() - began < seconds:
        status, document = client.predict(rows, 1_000)
        rows += len(document["results"]) if status == 200 else 0
    served = rows / (time.perf_counter() - began)
    served_cpu = rows / (server.cpu_seconds() - computed)
    models = ServedModels(engine, DEFAULT_TASK)
    tracks = [description(number) for number in range(1_000)]
    with threads.limit_threads(1):
        predict(models, tracks)
        began, computed = time.perf_counter(), time.process_time()
        for _ in range(3):
            predict(models, tracks)
        direct = 3_000 / (time.perf_counter() - began)
        direct_cpu = 3_000 / (time.process_time() - computed)
    print_result(
        "batches of 1,000, rows a second",
        direct=round(direct),
        served=round(served),
        ratio=round(served / direct, 2),
        direct_per_cpu_second=round(direct_cpu),
        served_per_cpu_second=round(served_cpu),
    )


def page_beside_batches(port: int, seconds: float) -> None:
    stop = Event()

    def send() -> int:
        client, sent = Client(port), 0
        while not stop.is_set():
            client.predict(sent, 200)
            sent += 200
        return sent

    client = Client(port)
    count = max(20, int(seconds * 10))

    def read(number: int) -> object:
        return client.request("GET", f"/tracks/{1 + number % 500}.json")

    alone = milliseconds(read, count)
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        beside = milliseconds(read, count)
        stop.set()
        print_result(
            "JSON of a track's page, ms", alone=alone, beside_batches=beside, rows=sending.result()
        )


def another_champion(engine: Engine, port: int) -> None:
    """Promote another model while clients send rows."""
    stop = Event()
    champion = stored_models.champion(engine, DEFAULT_TASK).id
    other = next(
        one.id
        for one in stored_models.models(engine, DEFAULT_TASK)
        if one.id != champion and one.has_artifact
    )

    def run(number: int) -> tuple[Counter[int], float | None]:
        client, statuses, switched = Client(port), Counter[int](), None
        while not stop.is_set():
            status, document = client.predict(number)
            statuses[status] += 1
            if switched is None and document["results"][0]["model_id"] == other:
                switched = time.perf_counter()
        return statuses, switched

    with ThreadPoolExecutor(8) as pool:
        running = [pool.submit(run, number) for number in range(8)]
        time.sleep(2)  # noqa: TID251 - real time is what is measured
        promote.run(engine, other, SystemClock(), log=lambda _: None)
        promoted = time.perf_counter()
        time.sleep(20)  # noqa: TID251
        stop.set()
        results = [one.result() for one in running]
    statuses = sum((one for one, _ in results), Counter[int]())
    switched = [round(at - promoted, 1) for _, at in results if at is not None]
    print_result("another champion", statuses=dict(statuses), seconds_until_named=sorted(switched))


def make_database(url: str) -> None:
    schema_upgrade.upgrade(url)
    engine, clock = make_engine(url), SystemClock()
    Music(genres=GENRES, artists=400, songs_each=6).fill(engine)
    for number in range(2):
        config = TrainingConfig(estimator="blend", seed=number)
        train.run(engine, config, clock, log=lambda _: None, again=True)
    refresh(engine, clock)  # as the commands do: pages read the digests
    engine.dispose()


@contextmanager
def running_server(url: str) -> Iterator[Server]:
    """Start a server process, and end it after the block."""
    command = [sys.executable, "-c", _SERVE]
    environment = {**os.environ, "STORE_URL": url}  # noqa: TID251 - of the server
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = re.search(r":([0-9]+)/", process.stdout.readline())
        assert found is not None
        try:
            yield Server(int(found[1]), process.pid)
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("database", nargs="?", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.database or Path(folder) / "serving.db"
        url = f"sqlite:///{file.absolute()}"
        if arguments.database is None:
            make_database(url)
        engine = make_engine(url)
        with running_server(url) as server:
            Client(server.port).predict(0)
            one_row(engine, server)
            many_clients(server, arguments.seconds)
            batches(engine, server, arguments.seconds)
            page_beside_batches(server.port, arguments.seconds)
            another_champion(engine, server.port)
        engine.dispose()


if __name__ == "__main__":
    main()

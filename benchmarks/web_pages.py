"""How long pages take, as HTML, JSON and CSV: `python -m benchmarks.web_pages URL [--requests N]`.

URL is that of a database with digests. Requests go to the application in this process, one after
another, with other tracks, genres and words each time. Reports wall time and CPU time of this
process in milliseconds: the median and the 95th percentile, which the machine's other work raises.
"""

import argparse
import time
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from genrebase.runtime.clock import SystemClock
from genrebase.store.engine import make_engine, read_transaction
from web.application import Site, application
from web.read_only import make_read_only
from web.security import Access, host_headers
from web.sql_queries import SqlQueries


def addresses(engine: Engine, random: Random, count: int) -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each page, and addresses of it."""
    with read_transaction(engine) as connection:
        highest = connection.execute(text("SELECT max(id) FROM track")).scalar_one()
        genres = list(connection.execute(text("SELECT name FROM genre ORDER BY name")).scalars())
        ids = [random.randint(1, highest) for _ in range(count)]
        titles = [
            connection.execute(
                text("SELECT title FROM track WHERE id >= :id ORDER BY id LIMIT 1"), {"id": one}
            ).scalar_one()
            for one in ids
        ]
    names = [random.choice(genres) for _ in range(count)]
    words = [random.choice(title.split()) for title in titles]
    yield "/", ["/"] * count
    yield "/overview.json", ["/overview.json"] * count
    yield "/genres", ["/genres"] * count
    yield "/genres.csv", ["/genres.csv"] * count
    yield "/genres/NAME", [f"/genres/{name}" for name in names]
    yield "/genres/NAME.json", [f"/genres/{name}.json" for name in names]
    yield "/map", ["/map"] * count
    yield "/tracks/ID", [f"/tracks/{one}" for one in ids]
    yield "/tracks/ID.json", [f"/tracks/{one}.json" for one in ids]
    yield "/search, a word", [f"/search.json?q={word}" for word in words]
    yield "/search, a title", [f"/search.json?q={title}" for title in titles]
    yield "/search, nothing", ["/search.json?q=xqzxqz"] * count
    yield "/disputes", ["/disputes"] * count
    yield "/disputes, learns most", ["/disputes.json?order=learns_most"] * count
    yield "/disputes, of a genre", [f"/disputes.json?genre={name}" for name in names]
    yield "/models", ["/models"] * count
    yield "/models/1", ["/models/1"] * count
    yield "/jobs", ["/jobs"] * count
    yield "/docs/views", ["/docs/views"] * count
    yield "/sql", ["/sql.json?q=SELECT 1"] * count


def measure(client: TestClient, pages: list[str]) -> dict[str, Any]:
    """Request pages one after another; return percentiles of the milliseconds."""
    client.get(pages[0])  # compiles the template
    walls, processors, statuses = [], [], set()
    for page in pages:
        wall, processor = time.perf_counter(), time.process_time()
        statuses.add(client.get(page).status_code)
        walls.append(1000 * (time.perf_counter() - wall))
        processors.append(1000 * (time.process_time() - processor))
    wall_50, wall_95 = np.percentile(walls, (50, 95))
    processor_50, processor_95 = np.percentile(processors, (50, 95))
    return {
        "wall": (wall_50, wall_95),
        "processor": (processor_50, processor_95),
        "statuses": statuses,
    }


def main() -> None:
    """Measure every page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--only", default="", help="Pages with this in their name.")
    given = parser.parse_args()
    engine = make_engine(given.url)
    make_read_only(engine)
    site = Site(
        engine, SystemClock(), Access(host_headers(80)), "benchmark", sql=SqlQueries(engine)
    )
    client = TestClient(application(site), base_url="http://localhost")
    print(f"{'page':26}{'CPU p50':>9}{'CPU p95':>9}{'wall p50':>10}{'wall p95':>10}  status")
    for name, pages in addresses(engine, Random(1), given.requests):
        if given.only not in name:
            continue
        result = measure(client, pages)
        times = "".join(f"{one:{9 if index < 2 else 10}.1f}" for index, one in enumerate(
            (*result["processor"], *result["wall"])
        ))  # fmt: skip
        print(f"{name:26}{times}  {sorted(result['statuses'])}", flush=True)


if __name__ == "__main__":
    main()

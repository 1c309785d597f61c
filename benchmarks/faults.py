"""The cost of broken responses: the same harvest over HTTP with and without them.

    python -m benchmarks.faults [--rows 1500] [--faults 0.2] [--seeds 3]

Prints, per seed, the requests of the whole harvest, the number of broken responses, and whether
the tracks are the same. The clock is simulated: retries take no time.
"""

import argparse
import logging
import tempfile
from pathlib import Path

import structlog
from pydantic import SecretStr
from sqlalchemy import select

from collector import composition_root
from collector.crawl.search_harvester import SearchHarvester
from collector.curation import genres as genre_use
from collector.settings import CollectorSettings
from genrebase.store import schema_upgrade, tables
from genrebase.store.engine import make_engine, read_transaction
from sandbox.application import SandboxOptions
from sandbox.middleware import faults
from sandbox.server import serve_in_thread
from sandbox.synthetic import catalogue as synthetic_catalogue
from sandbox.tracks.catalogue import SandboxCatalogue
from sandbox.tracks.catalogue_file import CatalogueTable
from tests.fakes import FakeClock

LATE = 0.001
"""Delay of a slow response in seconds; it costs no request."""


def main() -> None:
    options = _options()
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"{'faults':28} {'requests':>8} {'broken':>7} {'more':>7}  tracks")
    requests_without, _, expected = _harvest(options.rows, faults.parse_faults("0"))
    print(f"{'none':28} {requests_without:8,} {0:7} {'':>7}  {len(expected):,}")
    for seed in range(1, options.seeds + 1):
        broken = faults.parse_faults(options.faults, seed, LATE)
        requests, n_broken, ids = _harvest(options.rows, broken)
        same = "the same" if ids == expected else f"{len(ids ^ expected)} differ"
        more = f"{requests / requests_without - 1:+.1%}"
        print(
            f"{f'{options.faults}, seed {seed}':28} {requests:8,} {n_broken:7,} {more:>7}  {same}"
        )


def _harvest(rows: int, broken: faults.FaultPlan) -> tuple[int, int, set[str]]:
    music = synthetic_catalogue.generate_catalogue(1)
    kept = CatalogueTable(
        music.columns, music.rows[:: len(music.rows) // rows], music.name, music.sha256
    )
    catalogue, clock = SandboxCatalogue(kept), FakeClock()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'faults.db'}"
        schema_upgrade.upgrade(url)
        engine = make_engine(url)
        with serve_in_thread(catalogue, SandboxOptions(faults=broken)) as running:
            for genre in catalogue.genres:
                genre_use.add(engine, clock, genre, 100_000)
            source, budget = composition_root.open_source(
                "spotify", engine, _settings(running.url), clock
            )
            SearchHarvester(engine, source, budget, clock).run()
            stats = running.stats()
        with read_transaction(engine) as connection:
            ids = set(connection.scalars(select(tables.track_alias.c.source_id)))
        engine.dispose()
    n_broken = sum(stats["faults"].values())
    return stats["apis"]["spotify"]["requests"], n_broken, ids


def _settings(url: str) -> CollectorSettings:
    return CollectorSettings(
        _env_file=None,
        spotify_client_id="an-id",
        spotify_client_secret=SecretStr("a-secret"),
        spotify_url=url,
        rate="100000/30s",
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=1_500, help="rows of the synthetic catalogue")
    parser.add_argument("--faults", default="0.2", help="as for `collector sandbox --faults`")
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args()


if __name__ == "__main__":
    main()

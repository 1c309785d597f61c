"""Requests until every genre has its target, and new tracks per request.

    python -m benchmarks.tracks_per_request [--hundred FILE] [--ten FILE] [--seeds N] [--seconds S]

Compares, in pages of 50 and of 10: `planned`, the harvester's planner with the collector's rule of
claims; `loop`, the notebooks' way (each genre in turn, duplicates dropped afterwards); and two
oracles that have the whole catalogue. `free` assigns every recording to any genre that returned it
(see `benchmarks.request_lower_bound`): no crawl needs fewer requests. `claims` follows the rule
that a recording counts for the genre with its best rank: the minimum of pages, in any order
(reading one genre only takes recordings from the others, so the depths at which all targets are
reached are a least fixed point). The ratio of the two is the cost of the rule, independent of the
planner.

Catalogues: the sandbox's, two synthetic ones with little and heavy overlap (a thousand tracks a
genre); FILEs of 114 genres (200 a genre) and of ten genres (800 a genre; also without
`r&b`, whose rows come from another query). For a file the seed is the order of the genres, which
affects only the loop. One JSON line per catalogue, page size, seed.

Requests are counted up to the last that added a track to a genre below its target, and up to 99%
of the final count, because a genre that cannot be filled has a long tail of single tracks. `asked`
are all requests, until every target is reached or nothing is left; `short` are the genres below
their target.
"""

import argparse
import json
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from benchmarks import crawl_simulation, request_lower_bound
from benchmarks.crawl_simulation import Crawl, World
from benchmarks.request_lower_bound import Bound
from sandbox.synthetic import catalogue
from sandbox.tracks import catalogue_file

PAGES = (50, 10)
INVENTED_TARGET, HUNDRED_TARGET, TEN_TARGET = 1_000, 200, 800
LITTLE, HEAVY = 0.005, 0.2
"""Probability of being in another genre, too: 4% and 87% of recordings are in several genres."""


def worlds(options: argparse.Namespace, seed: int) -> Iterator[tuple[World, int]]:
    yield crawl_simulation.invented(seed, LITTLE), INVENTED_TARGET
    yield crawl_simulation.invented(seed, HEAVY), INVENTED_TARGET
    yield crawl_simulation.world_of(catalogue.generate_catalogue(seed), "sandbox"), INVENTED_TARGET
    if options.hundred:
        yield read(options.hundred), HUNDRED_TARGET
    if options.ten:
        yield read(options.ten), TEN_TARGET
        yield read(options.ten).without("r&b"), TEN_TARGET


@lru_cache
def read(path: Path) -> World:
    return crawl_simulation.world_of(catalogue_file.read_table(path), path.name)


def compare(world: World, target: int, page: int, seed: int, seconds: float) -> None:
    order = sorted(world.genres)
    random.Random(seed).shuffle(order)
    planned = crawl_simulation.planned(world, target, page)
    looped = crawl_simulation.looped(world, target, page, order)
    free = bound(world, target, page, seconds)
    claims = request_lower_bound.min_requests_under_claims(world, target, page)
    print_result(
        catalogue=world.name,
        genres=len(world.genres),
        overlap=round(world.overlap, 3),
        page=page,
        seed=seed,
        target=target,
        planned=crawl_metrics(planned),
        loop=crawl_metrics(looped),
        free={"at_least": free.minimum, "found": free.best},
        claims=claims,
        planned_by_free=round(planned.requests / free.minimum, 3),
        planned_to_99_percent_by_free=round(planned.to_99_percent / free.minimum, 3),
        planned_by_claims=round(planned.requests / claims, 3),
        loop_by_planned=round(looped.requests / planned.requests, 3),
        loop_by_free=round(looped.requests / free.minimum, 3),
    )


_bounds: dict[tuple[str, int], Bound] = {}


def bound(world: World, target: int, page: int, seconds: float) -> Bound:
    """Return the free oracle's bound, which is the same for every seed of a file."""
    if (world.name, page) not in _bounds:
        _bounds[world.name, page] = request_lower_bound.min_requests(world, target, page, seconds)
    return _bounds[world.name, page]


def crawl_metrics(crawl: Crawl) -> dict[str, object]:
    return {
        "requests": crawl.requests,
        "to_99_percent": crawl.to_99_percent,
        "asked": crawl.total_requests,
        "new_tracks_per_request": round(crawl.counted_per_request, 2),
        "short": crawl.short,
    }


def print_result(**values: object) -> None:
    print(json.dumps(values), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hundred", type=Path, metavar="FILE", help="114 genres, 1,000 rows each")
    parser.add_argument("--ten", type=Path, metavar="FILE", help="ten genres, 1,000 unique each")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="time limit of the oracle")
    options = parser.parse_args()
    for seed in range(1, options.seeds + 1):
        for world, target in worlds(options, seed):
            for page in PAGES:
                compare(world, target, page, seed, options.seconds)


if __name__ == "__main__":
    main()

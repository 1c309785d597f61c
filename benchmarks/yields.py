"""How many requests it takes until every genre has its target, and what each request brings.

    python -m benchmarks.yields [--hundred FILE] [--ten FILE] [--seeds N] [--seconds S]

Compares, in pages of 50 and of 10: `planned`, the harvester's planner with the collector's rule
of claims; `loop`, the notebooks' way (each genre in turn, duplicates dropped afterwards); and two
oracles that know the catalogue. `free` assigns every recording to any genre that was shown it (see
`benchmarks.oracle`): no crawl needs fewer. `claims` is bound to the rule that a recording counts
for the genre with its best rank: the fewest first-hand pages, found in any order (reading one
genre only ever takes from the others, so the depths at which none is short are a least fixed
point). The ratio of the two is what the rule costs, whoever plans.

Catalogues: the sandbox's own, two inventions with little and with heavy overlap (a thousand
tracks a genre); FILEs of 114 genres (200 a genre) and of ten genres (800 a genre; also without
`r&b`, whose rows answer another query). For a file the seed is the order of the genres, on which
only the loop depends. One JSON line per catalogue, page size, seed.

Requests are counted up to the last that brought a genre nearer to its target, and up to 99% of
what counted in the end: where a genre cannot be filled, single tracks turn up for long. `asked`
are all, until every target was there or nothing was left to ask; `short` are the genres left
without theirs.
"""

import argparse
import json
import random
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from benchmarks import crawl, oracle
from benchmarks.crawl import Crawl, World
from benchmarks.oracle import Bound
from sandbox.synthetic import catalogue
from sandbox.tracks import catalogue_file

PAGES = (50, 10)
INVENTED_TARGET, HUNDRED_TARGET, TEN_TARGET = 1_000, 200, 800
LITTLE, HEAVY = 0.005, 0.2
"""Chances to be shown under another genre, too: 4% and 87% of recordings are under several."""


def worlds(options: argparse.Namespace, seed: int) -> Iterator[tuple[World, int]]:
    yield crawl.invented(seed, LITTLE), INVENTED_TARGET
    yield crawl.invented(seed, HEAVY), INVENTED_TARGET
    yield crawl.world_of(catalogue.generate_catalogue(seed), "sandbox"), INVENTED_TARGET
    if options.hundred:
        yield read(options.hundred), HUNDRED_TARGET
    if options.ten:
        yield read(options.ten), TEN_TARGET
        yield read(options.ten).without("r&b"), TEN_TARGET


@lru_cache
def read(path: Path) -> World:
    return crawl.world_of(catalogue_file.read_table(path), path.name)


def compare(world: World, target: int, page: int, seed: int, seconds: float) -> None:
    order = sorted(world.genres)
    random.Random(seed).shuffle(order)
    planned = crawl.planned(world, target, page)
    looped = crawl.looped(world, target, page, order)
    free = bound(world, target, page, seconds)
    claims = oracle.least_under_claims(world, target, page)
    say(
        catalogue=world.name,
        genres=len(world.genres),
        overlap=round(world.overlap, 3),
        page=page,
        seed=seed,
        target=target,
        planned=figures(planned),
        loop=figures(looped),
        free={"at_least": free.least, "found": free.found},
        claims=claims,
        planned_by_free=round(planned.requests / free.least, 3),
        planned_to_99_percent_by_free=round(planned.nearly / free.least, 3),
        planned_by_claims=round(planned.requests / claims, 3),
        loop_by_planned=round(looped.requests / planned.requests, 3),
        loop_by_free=round(looped.requests / free.least, 3),
    )


_bounds: dict[tuple[str, int], Bound] = {}


def bound(world: World, target: int, page: int, seconds: float) -> Bound:
    """Return the free oracle's answer; that of a file is the same for every seed."""
    if (world.name, page) not in _bounds:
        _bounds[world.name, page] = oracle.least_requests(world, target, page, seconds)
    return _bounds[world.name, page]


def figures(found: Crawl) -> dict[str, object]:
    return {
        "requests": found.requests,
        "to_99_percent": found.nearly,
        "asked": found.asked,
        "new_tracks_per_request": round(found.each, 2),
        "short": found.short,
    }


def say(**found: object) -> None:
    print(json.dumps(found), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--hundred", type=Path, metavar="FILE", help="114 genres, 1,000 rows each")
    parser.add_argument("--ten", type=Path, metavar="FILE", help="ten genres, 1,000 unique each")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60.0, help="for one answer of the oracle")
    options = parser.parse_args()
    for seed in range(1, options.seeds + 1):
        for world, target in worlds(options, seed):
            for page in PAGES:
                compare(world, target, page, seed, options.seconds)


if __name__ == "__main__":
    main()

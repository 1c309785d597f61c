"""A lower bound of the requests with which any crawl can fill every genre.

The oracle has the whole catalogue and assigns every recording to the best genre. It requests whole
pages: those of a genre in order; beyond the search cap any page of any year range of the planner's
splits, in any order, without the pages before it.

This is a mixed-integer program: a binary variable per page, a share per (recording, genre) of at
most the number of its requested pages, at most one genre per recording, `target` per genre; the
number of pages is minimised by HiGHS. If the time runs out, the result is the dual bound, which no
crawl can go below, and the best solution.

With more than `LARGE` pages beyond the cap that program is too large. Then a maximum flow gives
the maximum number of tracks, each in one genre, on the pages that every crawl must request; each
further page adds at most its size.

Under the collector's rule (a recording counts for the genre with its best rank) the pages before
the cap are a least fixed point (`crawl_simulation.needed_under_claims`). Beyond it ranks are worse
than all before: only recordings that no genre returned before can be claimed there, and a genre
needs at least as many pages as it would of those with the most new recordings.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from benchmarks.crawl_simulation import REACH, THIS_YEAR, World, needed_under_claims, shard_of
from collector.crawl import planning
from collector.shard import ALL_YEARS, ROOT_SHARD

LARGE = 1_000

Page = frozenset[int]
"""The recordings of a page."""


@dataclass(frozen=True)
class Bound:
    """Bounds of the minimum number of requests."""

    minimum: int
    """No crawl needs fewer requests."""
    best: int | None
    """The requests of the best solution; equal to `minimum` if solved to optimality."""


@dataclass
class _Genre:
    first: list[Page]
    """Pages without a year filter, in order."""
    behind: list[Page] = field(default_factory=list)
    """Pages of year ranges, available once all of `first` are requested."""


class _Program:
    """Collects the variables and constraints of the program."""

    def __init__(self) -> None:
        self.cost: list[float] = []
        self.rows: list[dict[int, float]] = []
        self.low: list[float] = []

    def variable(self, cost: float) -> int:
        self.cost.append(cost)
        return len(self.cost) - 1

    def at_least(self, low: float, row: dict[int, float]) -> None:
        self.rows.append(row)
        self.low.append(low)

    def solve(self, seconds: float) -> Bound:
        at = [
            (row, key, value) for row, line in enumerate(self.rows) for key, value in line.items()
        ]
        rows, keys, values = (np.array(part) for part in zip(*at, strict=True))
        matrix = csr_array((values, (rows, keys)), shape=(len(self.rows), len(self.cost)))
        cost = np.array(self.cost)
        solved = milp(
            cost,
            integrality=(cost > 0).astype(int),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(matrix, np.array(self.low), np.inf),
            options={"time_limit": seconds, "mip_rel_gap": 0.0},
        )
        if solved.status == 2:
            raise ValueError("no crawl can fill every genre: choose a smaller target")
        if solved.mip_dual_bound is None:
            raise ValueError(f"no bound after {seconds:g} s: allow more time")
        minimum = math.ceil(solved.mip_dual_bound - 1e-6)  # rounding of the solver
        return Bound(minimum, None if solved.fun is None else round(solved.fun))


def min_requests(world: World, target: int, page: int, seconds: float = 60.0) -> Bound:
    """Return bounds of the minimum requests that fill every genre, computed within `seconds`."""
    genres = [_pages_of(world, genre, page) for genre in sorted(world.genres)]
    needed = [min(_needed(genre.first, target), len(genre.first)) for genre in genres]
    both = list(zip(genres, needed, strict=True))
    under = Counter(
        recording
        for genre in genres
        for recording in frozenset[int]().union(*genre.first, *genre.behind)
    )
    if sum(len(genre.behind) for genre in genres) > LARGE:
        return _by_flow(both, target, page)
    program = _Program()
    shares: dict[int, dict[int, float]] = {}
    for genre, certain in both:
        _add_genre(program, genre, certain, target, under, shares)
    for line in shares.values():
        program.at_least(-1.0, line)
    solved = program.solve(seconds)
    required = sum(needed)
    return Bound(
        solved.minimum + required, None if solved.best is None else solved.best + required
    )


def min_requests_under_claims(world: World, target: int, page: int) -> int:
    """Return the minimum requests of a crawl under the collector's rule of claims.

    Pages after the last claim of a genre that cannot be filled are not counted.
    """
    seen, read = needed_under_claims(world, target, page)
    requests = 0
    for key, (genre, have) in enumerate(zip(seen.names, seen.have, strict=True)):
        first = read[key]
        if have < target:
            pages = _pages_of(world, genre, page)
            won = [len(recordings - seen.ranks.keys()) for recordings in pages.behind]
            within_reach = len(frozenset[int]().union(*pages.behind) - seen.ranks.keys())
            requests += _richest(won, min(target - have, within_reach))
            if not any(won):
                rows = world.results(genre, ALL_YEARS)
                own = [n for n, row in enumerate(rows, 1) if seen.claim[row.recording][0] == key]
                first = max(own, default=0)
        requests += -(-first // page)
    return requests


def _richest(won: Sequence[int], missing: int) -> int:
    """Return how many pages, those with the most new recordings first, supply the missing ones."""
    for number, brought in enumerate(sorted(won, reverse=True), 1):
        if missing <= 0:
            return number - 1
        missing -= brought
    return len(won)


def _by_flow(genres: Sequence[tuple[_Genre, int]], target: int, page: int) -> Bound:
    """Bound the requests by the tracks on the pages that every crawl must request."""
    given = [frozenset[int]().union(*genre.first[:certain]) for genre, certain in genres]
    node = {recording: n for n, recording in enumerate(sorted(frozenset().union(*given)))}
    source, sink = 0, 1 + len(given) + len(node)
    edges = [(source, 1 + genre, target) for genre in range(len(given))]
    edges += [
        (1 + n, 1 + len(given) + node[recording], 1)
        for n, recordings in enumerate(given)
        for recording in recordings
    ]
    edges += [(1 + len(given) + n, sink, 1) for n in range(len(node))]
    tails, heads, room = (np.array(part, dtype=np.int32) for part in zip(*edges, strict=True))
    graph = csr_array((room, (tails, heads)), shape=(sink + 1, sink + 1))
    filled = int(maximum_flow(graph, source, sink).flow_value)
    missing = target * len(given) - filled
    return Bound(sum(certain for _, certain in genres) + math.ceil(missing / page), None)


def _add_genre(
    program: _Program,
    genre: _Genre,
    certain: int,
    target: int,
    under: Counter[int],
    shares: dict[int, dict[int, float]],
) -> None:
    """Add a genre whose first `certain` pages every crawl must request."""
    given = frozenset().union(*genre.first[:certain])
    choice = [(program.variable(1.0), recordings) for recordings in genre.first[certain:]]
    for (before, _), (after, _) in pairwise(choice):
        program.at_least(0.0, {before: 1.0, after: -1.0})
    behind = [(program.variable(1.0), recordings) for recordings in genre.behind]
    if choice:
        for key, _ in behind:
            program.at_least(0.0, {choice[-1][0]: 1.0, key: -1.0})
    shown_on: dict[int, list[int]] = {recording: [] for recording in given}
    for key, recordings in (*choice, *behind):
        for recording in recordings - given:
            shown_on.setdefault(recording, []).append(key)
    _fill(program, shown_on, target, under, shares)


def _fill(
    program: _Program,
    shown_on: Mapping[int, list[int]],
    target: int,
    under: Counter[int],
    shares: dict[int, dict[int, float]],
) -> None:
    """Require that the requested pages of a genre fill its target."""
    filled: Counter[int] = Counter()
    for recording, pages in shown_on.items():
        if under[recording] == 1 and len(pages) <= 1:
            filled.update(pages)
            target -= not pages
            continue
        share = program.variable(0.0)
        filled[share] = 1
        if pages:
            program.at_least(0.0, {**dict.fromkeys(pages, 1.0), share: -1.0})
        if under[recording] > 1:
            shares.setdefault(recording, {})[share] = -1.0
    program.at_least(target, {key: float(count) for key, count in filled.items()})


def _needed(pages: Sequence[Page], target: int) -> int:
    """Return how many pages contain `target` recordings, if none were shared."""
    distinct: set[int] = set()
    for number, recordings in enumerate(pages, 1):
        distinct |= recordings
        if len(distinct) >= target:
            return number
    return len(pages)


def _pages_of(world: World, genre: str, page: int) -> _Genre:
    rows = world.results(genre, ALL_YEARS)
    result = _Genre(_cut([row.recording for row in rows], page))
    if len(rows) >= REACH and len(world.genres[genre]) > REACH:
        seen = frozenset().union(*result.first)
        result.behind = [
            recordings
            for years in _splits(world, genre, ALL_YEARS)
            for recordings in _cut([row.recording for row in world.results(genre, years)], page)
            if recordings - seen
        ]
    return result


def _splits(world: World, genre: str, years: tuple[int, int]) -> Iterator[tuple[int, int]]:
    if len(world.results(genre, years)) < REACH or years[0] == years[1]:
        return
    whole = shard_of(0, 0, genre, replace(ROOT_SHARD, years=years))
    for narrower in planning.child_year_ranges(whole, THIS_YEAR):
        yield narrower
        yield from _splits(world, genre, narrower)


def _cut(recordings: Sequence[int], page: int) -> list[Page]:
    return [frozenset(recordings[at : at + page]) for at in range(0, len(recordings), page)]

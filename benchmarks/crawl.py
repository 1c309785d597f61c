"""Crawls of a catalogue in memory: what `benchmarks.yields` compares.

A world answers like the sandbox: rows of a genre in search order, narrowed to years, nothing at
or beyond `REACH`. Rows are resolved to recordings by
`collector.catalogue.identity` once, in the order of
the table, so that every crawl counts the same recordings.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from collector import planning
from collector.catalogue import claims, identity
from collector.planning import ALL_YEARS, GenreProgress, NewShard, Shard
from genrebase.store import names
from sandbox.tracks.catalogue_file import CatalogueTable
from sandbox.tracks.track_columns import TrackColumns

REACH: Final = 1_000
THIS_YEAR: Final = 2026


class Row(NamedTuple):
    recording: int
    year: int


class _Known(NamedTuple):
    id: int
    ordinal: int
    duration_ms: int | None
    isrc: str | None


@dataclass
class World:
    """Rows per genre in search order."""

    name: str
    genres: Mapping[str, Sequence[Row]]
    narrowed: dict[tuple[str, tuple[int, int]], Sequence[Row]] = field(default_factory=dict)

    def shown(self, genre: str, years: tuple[int, int]) -> Sequence[Row]:
        """Return all a search shows, page by page."""
        if (genre, years) not in self.narrowed:
            low, high = years
            found = [row for row in self.genres[genre] if low <= row.year <= high]
            self.narrowed[genre, years] = found[:REACH]
        return self.narrowed[genre, years]

    def without(self, genre: str) -> "World":
        kept = {name: rows for name, rows in self.genres.items() if name != genre}
        return World(f"{self.name} without {genre}", kept)

    @property
    def overlap(self) -> float:
        """Return the share of recordings shown under more than one genre."""
        under: dict[int, set[str]] = {}
        for genre, rows in self.genres.items():
            for row in rows:
                under.setdefault(row.recording, set()).add(genre)
        return sum(len(found) > 1 for found in under.values()) / len(under)


def world_of(table: CatalogueTable, name: str) -> World:
    """Resolve a table's rows to recordings."""
    layout = TrackColumns.from_header(table.columns, table.name)
    by_id: dict[str, int] = {}
    by_name: dict[str, list[_Known]] = {}
    genres: dict[str, list[Row]] = {}
    made = 0
    for row in table.rows:
        source_id = layout.id(row)
        recording = by_id.get(source_id)
        if recording is None:
            track = layout.track(row)
            key = names.name_key(track.title, track.artists[0])
            same = by_name.setdefault(key, [])
            found = identity.match_recording(same, track.duration_ms or None, track.isrc)
            if found is None:
                found = _Known(
                    made, identity.next_ordinal(same), track.duration_ms or None, track.isrc
                )
                same.append(found)
                made += 1
            recording = by_id[source_id] = found.id
        for genre in layout.genres(row):
            genres.setdefault(genre, []).append(Row(recording, layout.year(row)))
    return World(name, genres)


@dataclass
class Crawl:
    """What a crawl cost and brought."""

    requests: int
    """Up to the last that brought a genre nearer to its target."""
    nearly: int
    """Up to 99% of what it counted in the end; a long tail of single tracks left out."""
    asked: int
    """All of them: what was asked in vain as well, until nothing was left to ask."""
    recordings: int
    """Unique ones, of all genres."""
    counted: int
    """Of those, up to each genre's target."""
    short: Mapping[str, int]
    """Genres without their target, and what they have."""

    @property
    def each(self) -> float:
        """Return unique recordings that count for a target, per request."""
        return self.counted / self.requests


class Claims:
    """Who has seen what at which rank, and which genre it counts for: the collector's rule."""

    def __init__(self, genres: Sequence[str]) -> None:
        self.names = genres
        self.ranks: dict[int, dict[int, int]] = {}
        self.claim: dict[int, tuple[int | None, bool]] = {}
        self.years: dict[int, int] = {}
        self.rows: list[Counter[int]] = [Counter() for _ in genres]
        self.sightings = [0] * len(genres)
        self.have = [0] * len(genres)
        self.tied: set[int] = set()

    def standing(self) -> dict[int, tuple[int, str]]:
        return {key: (self.sightings[key], name) for key, name in enumerate(self.names)}

    def record(self, genre: int, rows: Sequence[Row], first_rank: int) -> int:
        """Record a page; return how many of its recordings were new."""
        before = self.standing()
        new = 0
        for rank, (recording, year) in enumerate(rows, first_rank):
            new += recording not in self.ranks
            self.rows[genre][self.years.setdefault(recording, year)] += 1
            under = self.ranks.setdefault(recording, {})
            self.sightings[genre] += genre not in under
            under[genre] = min(rank, under.get(genre, rank))
        after = self.standing()
        touched = {row.recording for row in rows}
        if claims.order_changed(before, after):
            touched |= self.tied
        for recording in touched:
            self.settle(recording, after)
        return new

    def settle(self, recording: int, standing: claims.TieBreakKeys) -> None:
        was = self.claim.get(recording, (None, False))
        now = self.claim[recording] = claims.choose_claim(self.ranks[recording], standing)
        if was[0] is not None:
            self.have[was[0]] -= 1
        if now[0] is not None:
            self.have[now[0]] += 1
        (self.tied.add if now[1] else self.tied.discard)(recording)

    def by_year(self, genre: int) -> Counter[int]:
        """Return how many rows of each year a genre showed."""
        return self.rows[genre]


def shard_of(number: int, genre: int, query: str, part: NewShard) -> Shard:
    years, head = part.years, part.head
    return Shard(
        number,
        genre,
        query,
        *years,
        part.first_rank,
        head,
        head,
        None,
        "open",
        0,
        0,
        0,
        0,
        part.promised,
    )


def planned(world: World, target: int, page: int) -> Crawl:
    """Crawl as the harvester does: the planner's decisions over the collector's claims."""
    genres = sorted(world.genres)
    seen = Claims(genres)
    shards = {
        key: shard_of(key, key, genre, planning.ROOT_SHARD) for key, genre in enumerate(genres)
    }
    requests, made = 0, len(shards)
    curve: list[tuple[int, int]] = []
    while True:
        needs = {
            key: GenreProgress(name, target, seen.have[key]) for key, name in enumerate(genres)
        }
        shard = planning.next_shard(shards.values(), needs, page)
        curve.append((requests, sum(min(have, target) for have in seen.have)))
        if shard is None:
            have = dict(zip(genres, seen.have, strict=True))
            return _ended(curve, len(seen.ranks), have, target)
        at, asked = shard.next_offset, min(page, REACH - shard.next_offset)
        rows = world.shown(genres[shard.genre_id], shard.years)[at : at + asked]
        new = seen.record(shard.genre_id, rows, shard.first_rank + at)
        requests += 1
        after = planning.after_page(shard, len(rows), new, asked, REACH)
        if after.status == "open":
            shards[shard.id] = after
            continue
        del shards[shard.id]
        if after.status == "split":
            known = seen.by_year(shard.genre_id)
            for one in planning.split_shard(shard, known, THIS_YEAR, page, REACH):
                shards[made] = shard_of(made, shard.genre_id, shard.query, one)
                made += 1


def looped(world: World, target: int, page: int, order: Sequence[str]) -> Crawl:
    """Crawl as the notebooks do: each genre in turn, pages in order, duplicates dropped after.

    A genre that comes out short is read on by as many pages as it lacks tracks, until none is
    short or nothing is left. Who was seen first keeps a recording.
    """
    pages = {genre: _pages(world, genre, ALL_YEARS, page) for genre in order}
    owner: dict[int, str] = {}
    have = dict.fromkeys(order, 0)
    requests = 0
    curve: list[tuple[int, int]] = []
    while open_genres := [genre for genre in order if genre in pages and have[genre] < target]:
        fetched: list[tuple[str, Sequence[Row]]] = []
        for genre in open_genres:
            for _ in range(-(-(target - have[genre]) // page)):
                rows = next(pages[genre], None)
                if rows is None:
                    del pages[genre]
                    break
                requests += 1
                fetched.append((genre, rows))
        for genre, rows in fetched:
            for row in rows:
                if row.recording not in owner:
                    owner[row.recording] = genre
                    have[genre] += 1
        curve.append((requests, sum(min(tracks, target) for tracks in have.values())))
    return _ended(curve, len(owner), have, target)


def _pages(world: World, genre: str, years: tuple[int, int], page: int) -> Iterator[Sequence[Row]]:
    rows = world.shown(genre, years)
    for offset in range(0, REACH, page):
        shown = rows[offset : offset + page]
        yield shown
        if len(shown) < page:
            return
    if years[0] < years[1]:
        whole = shard_of(0, 0, genre, replace(planning.ROOT_SHARD, years=years))
        for narrower in planning.child_year_ranges(whole, THIS_YEAR):
            yield from _pages(world, genre, narrower, page)


def needed_under_claims(world: World, target: int, page: int) -> tuple[Claims, list[int]]:
    """Return the least that has to be read over all years under the collector's rule of claims.

    What is read of one genre only takes from the others, so these pages are a least fixed point,
    whichever order it is approached in. Returns who has what then, and the rows read per genre.
    """
    genres = sorted(world.genres)
    seen = Claims(genres)
    rows = [world.shown(genre, ALL_YEARS) for genre in genres]
    read = [0] * len(genres)
    while short := [
        key for key, have in enumerate(seen.have) if have < target and read[key] < len(rows[key])
    ]:
        for key in short:
            seen.record(key, rows[key][read[key] : read[key] + page], read[key])
            read[key] = min(read[key] + page, len(rows[key]))
    return seen, read


def _ended(
    curve: Sequence[tuple[int, int]], recordings: int, have: Mapping[str, int], target: int
) -> Crawl:
    """Sum a crawl up: `curve` is what counted after so many requests."""
    short = {genre: tracks for genre, tracks in have.items() if tracks < target}
    most = max(counted for _, counted in curve)
    useful, nearly = (
        next(requests for requests, counted in curve if counted >= share * most)
        for share in (1.0, 0.99)
    )
    return Crawl(useful, nearly, curve[-1][0], recordings, most, short)


def invented(seed: int, crossing: float, genres: int = 10, recordings: int = 5_000) -> World:
    """Invent a world: each recording is also shown under each other genre by chance `crossing`.

    Searches show the popular first; how popular differs a little from genre to genre.
    """
    draw = random.Random(seed)
    shown: dict[str, list[tuple[float, Row]]] = {f"genre {n}": [] for n in range(genres)}
    numbers = itertools.count()
    for home in shown:
        for _ in range(recordings):
            row = Row(next(numbers), THIS_YEAR - min(int(draw.expovariate(1 / 18)), 76))
            popularity = draw.gauss(0, 10)
            for genre, rows in shown.items():
                if genre == home or draw.random() < crossing:
                    rows.append((-draw.gauss(popularity, 5), row))
    genres_shown = {genre: [row for _, row in sorted(rows)] for genre, rows in shown.items()}
    return World(f"invented, crossing {crossing}", genres_shown)

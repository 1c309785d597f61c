"""Simulated crawls of a catalogue in memory, compared by `benchmarks.tracks_per_request`.

A world responds like the sandbox: rows of a genre in search order, filtered by year, nothing at or
beyond `REACH`. Rows are matched to recordings by `collector.catalogue.identity` once, in the order
of the table, so that every crawl counts the same recordings.
"""

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from collector.catalogue import identity, track_claims
from collector.catalogue.identity import DurationRange
from collector.crawl import planning
from collector.shard import ALL_YEARS, ROOT_SHARD, GenreProgress, NewShard, Shard
from genrebase.store import claims, names
from sandbox.tracks.catalogue_file import CatalogueTable
from sandbox.tracks.track_columns import TrackColumns

REACH: Final = 1_000
THIS_YEAR: Final = 2026


class Row(NamedTuple):
    recording: int
    year: int


class _Recording(NamedTuple):
    id: int
    durations: DurationRange
    isrc: str | None


@dataclass
class World:
    """Rows per genre in search order."""

    name: str
    genres: Mapping[str, Sequence[Row]]
    filtered: dict[tuple[str, tuple[int, int]], Sequence[Row]] = field(default_factory=dict)

    def results(self, genre: str, years: tuple[int, int]) -> Sequence[Row]:
        """Return all results of a search."""
        if (genre, years) not in self.filtered:
            low, high = years
            matches = [row for row in self.genres[genre] if low <= row.year <= high]
            self.filtered[genre, years] = matches[:REACH]
        return self.filtered[genre, years]

    def without(self, genre: str) -> "World":
        genres = {name: rows for name, rows in self.genres.items() if name != genre}
        return World(f"{self.name} without {genre}", genres)

    @property
    def overlap(self) -> float:
        """Return the share of recordings in the results of more than one genre."""
        genres_of: dict[int, set[str]] = {}
        for genre, rows in self.genres.items():
            for row in rows:
                genres_of.setdefault(row.recording, set()).add(genre)
        return sum(len(genres) > 1 for genres in genres_of.values()) / len(genres_of)


def world_of(table: CatalogueTable, name: str) -> World:
    """Match a table's rows to recordings."""
    layout = TrackColumns(replace(table, rows=()))
    by_id: dict[str, int] = {}
    by_name: dict[str, list[_Recording]] = {}
    genres: dict[str, list[Row]] = {}
    made = 0
    for row in table.rows:
        source_id = layout.id(row)
        recording = by_id.get(source_id)
        if recording is None:
            track = layout.track(row)
            key = names.name_key(track.title, track.artists[0])
            same = by_name.setdefault(key, [])
            matches = identity.match_recordings(same, track.duration_ms or None, track.isrc)
            if not matches:
                matches = [_Recording(made, DurationRange(), track.isrc)]
                same += matches
                made += 1
            match = matches[0]
            match.durations.extend(track.duration_ms or None)
            recording = by_id[source_id] = match.id
        for genre in layout.genres(row):
            genres.setdefault(genre, []).append(Row(recording, layout.year(row)))
    return World(name, genres)


@dataclass
class Crawl:
    """The requests of a crawl and the recordings it returned."""

    requests: int
    """Requests up to the last one that added a track to a genre below its target."""
    to_99_percent: int
    """Requests up to 99% of the final count, without the long tail of single tracks."""
    total_requests: int
    """All requests, including those without new tracks, until nothing was left to request."""
    recordings: int
    """Unique recordings of all genres."""
    counted: int
    """Unique recordings, at most the target of each genre."""
    short: Mapping[str, int]
    """Genres below their target, and their recordings."""

    @property
    def counted_per_request(self) -> float:
        """Return the unique recordings per request, at most the target of each genre."""
        return self.counted / self.requests


class Claims:
    """Sightings with their ranks, and claims by the collector's rule."""

    def __init__(self, genres: Sequence[str]) -> None:
        self.names = genres
        self.ranks: dict[int, dict[int, int]] = {}
        self.claim: dict[int, tuple[int | None, bool]] = {}
        self.years: dict[int, int] = {}
        self.rows: list[Counter[int]] = [Counter() for _ in genres]
        self.sightings = [0] * len(genres)
        self.have = [0] * len(genres)
        self.tied: set[int] = set()

    def tie_break_keys(self) -> dict[int, tuple[int, str]]:
        return {key: (self.sightings[key], name) for key, name in enumerate(self.names)}

    def record(self, genre: int, rows: Sequence[Row], first_rank: int) -> int:
        """Record a page; return how many of its recordings were new."""
        before = self.tie_break_keys()
        new = 0
        for rank, (recording, year) in enumerate(rows, first_rank):
            new += recording not in self.ranks
            self.rows[genre][self.years.setdefault(recording, year)] += 1
            ranks = self.ranks.setdefault(recording, {})
            self.sightings[genre] += genre not in ranks
            ranks[genre] = min(rank, ranks.get(genre, rank))
        after = self.tie_break_keys()
        touched = {row.recording for row in rows}
        if any(track_claims.overtaken(before, after)):
            touched |= self.tied
        for recording in touched:
            self.update_claim(recording, after)
        return new

    def update_claim(self, recording: int, keys: track_claims.TieBreakKeys) -> None:
        was = self.claim.get(recording, (None, False))
        now = claims.choose_claim(self.ranks[recording], keys)
        self.claim[recording] = now
        if was[0] is not None:
            self.have[was[0]] -= 1
        if now[0] is not None:
            self.have[now[0]] += 1
        (self.tied.add if now[1] else self.tied.discard)(recording)

    def by_year(self, genre: int) -> Counter[int]:
        """Return the number of rows of a genre by year."""
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
    """Crawl as the harvester does: with its planner and the collector's claims."""
    genres = sorted(world.genres)
    seen = Claims(genres)
    shards = {key: shard_of(key, key, genre, ROOT_SHARD) for key, genre in enumerate(genres)}
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
        offset, limit = shard.next_offset, min(page, REACH - shard.next_offset)
        rows = world.results(genres[shard.genre_id], shard.years)[offset : offset + limit]
        new = seen.record(shard.genre_id, rows, shard.first_rank + offset)
        requests += 1
        after = planning.after_page(shard, len(rows), new, limit, REACH)
        if after.status == "open":
            shards[shard.id] = after
            continue
        del shards[shard.id]
        if after.status == "split":
            by_year = seen.by_year(shard.genre_id)
            for part in planning.split_shard(shard, by_year, THIS_YEAR, page, REACH):
                shards[made] = shard_of(made, shard.genre_id, shard.query, part)
                made += 1


def looped(world: World, target: int, page: int, order: Sequence[str]) -> Crawl:
    """Crawl as the notebooks do: each genre in turn, pages in order, duplicates dropped after.

    Genres below the target request as many more pages as they lack tracks, until none is below or
    nothing is left. A recording belongs to the genre that returned it first.
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
    rows = world.results(genre, years)
    for offset in range(0, REACH, page):
        result = rows[offset : offset + page]
        yield result
        if len(result) < page:
            return
    if years[0] < years[1]:
        whole = shard_of(0, 0, genre, replace(ROOT_SHARD, years=years))
        for narrower in planning.child_year_ranges(whole, THIS_YEAR):
            yield from _pages(world, genre, narrower, page)


def needed_under_claims(world: World, target: int, page: int) -> tuple[Claims, list[int]]:
    """Return the minimum to read without year filters under the collector's rule of claims.

    Reading one genre only takes recordings from the others, so these pages are a least fixed
    point, independent of the order. Return the claims at that point and the rows read per genre.
    """
    genres = sorted(world.genres)
    seen = Claims(genres)
    rows = [world.results(genre, ALL_YEARS) for genre in genres]
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
    """Summarise a crawl; `curve` has pairs (requests, counted recordings)."""
    short = {genre: tracks for genre, tracks in have.items() if tracks < target}
    maximum = max(counted for _, counted in curve)
    useful, to_99_percent = (
        next(requests for requests, counted in curve if counted >= share * maximum)
        for share in (1.0, 0.99)
    )
    return Crawl(useful, to_99_percent, curve[-1][0], recordings, maximum, short)


def invented(seed: int, crossing: float, genres: int = 10, recordings: int = 5_000) -> World:
    """Generate a world: each recording is in each other genre, too, with probability `crossing`.

    Searches return popular tracks first; the popularity differs slightly between genres.
    """
    draw = random.Random(seed)
    ranked: dict[str, list[tuple[float, Row]]] = {f"genre {n}": [] for n in range(genres)}
    numbers = itertools.count()
    for home in ranked:
        for _ in range(recordings):
            row = Row(next(numbers), THIS_YEAR - min(int(draw.expovariate(1 / 18)), 76))
            popularity = draw.gauss(0, 10)
            for genre, rows in ranked.items():
                if genre == home or draw.random() < crossing:
                    rows.append((-draw.gauss(popularity, 5), row))
    genres_in_order = {genre: [row for _, row in sorted(rows)] for genre, rows in ranked.items()}
    return World(f"invented, crossing {crossing}", genres_in_order)

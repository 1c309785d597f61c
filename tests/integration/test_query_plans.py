"""The planners of both engines use an index for every statement of a hot path.

A statement that reads all of a table that grows makes every step dearer as the database grows.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import pytest
from sqlalchemy import Engine, text

from collector.catalogue import tracks
from collector.crawl.search_harvester import SearchHarvester
from collector.enrichment.features import BudgetedProvider, FeatureEnricher
from collector.http.rate_limiter import RequestBudget
from collector.rate_limits import Account, Rate
from collector.records import (
    ArtistCredit,
    AudioFeatures,
    Provenance,
    SourceTrack,
    TrackObservation,
)
from genrebase.store.engine import read_transaction, transaction
from tests.fakes import FakeClock, FakeSource
from tests.query_plans import GENRES, RecordedStatements, recording

PAGE: Final = 10


class Rows(Mapping[str, Sequence[tuple[str, str, str, int]]]):
    """Endless results of every genre: some tracks are stored, and have the stored names."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def __getitem__(self, genre: str) -> Sequence[tuple[str, str, str, int]]:
        new = [
            (f"{self._prefix}{genre.replace(' ', ''):0>16}{number:05d}"[-22:], f"Tune {number}",
             f"Artist {number % 7}", 1950 + number % 70)
            for number in range(3_000)
        ]  # fmt: skip
        return [(f"{7:022d}", "Song 7", "Artist 1", 1960), *new]

    def __iter__(self) -> Iterator[str]:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


class FakeProvider:
    """Has features of two tracks of three."""

    name = "reccobeats"
    ids_of = "spotify"
    endpoint = "reccobeats/features"
    may_have_ended = False
    batch_size = 20
    licence = "unknown"
    account = Account("reccobeats", "fake", Rate(100_000, 1.0))

    def fetch(self, ids: Sequence[str]) -> dict[str, AudioFeatures | None]:
        return {one: AudioFeatures(energy=0.5) if int(one[-2:]) % 3 else None for one in ids}


def assert_no_scan(recorded: RecordedStatements) -> None:
    """Fail with the statements that scan a growing table."""
    assert recorded.texts
    lines = [f"{step}: {statement}" for statement, step in recorded.scans.items()]
    assert not lines, "\n".join(lines)


def harvest(engine: Engine) -> None:
    """Plan, lease and record pages of searches."""
    source = FakeSource(Rows("p"), max_results=1_000)
    budget = RequestBudget.open(engine, source.account)
    harvester = SearchHarvester(engine, source, budget, FakeClock())
    outcome = harvester.run(max_requests=4)
    assert outcome.recorded.tracks_new > 0


def record_page(engine: Engine, prefix: str = "new") -> None:
    """Record a page of stored and new tracks in several genres, with ties that move."""
    seen = [
        TrackObservation(
            SourceTrack(
                "spotify",
                f"{number:022d}" if number % 2 else f"{prefix}{number:019d}",
                f"Song {number}" if number % 2 else f"{prefix} {number}",
                (ArtistCredit(f"Artist {number % 5}", f"{number % 5:022d}"),),
                isrc=f"QZMAD{number:08d}",
                duration_ms=200_000,
            ),
            f"genre {1 + number % GENRES}",
            0,
        )
        for number in range(1_000, 1_000 + 6 * PAGE)
    ]
    with transaction(engine) as connection:
        tracks.record(connection, seen, Provenance("spotify", provider=None), FakeClock().now())


def enricher_of(engine: Engine) -> FeatureEnricher:
    provider = FakeProvider()
    funded = BudgetedProvider(provider, RequestBudget.open(engine, provider.account))
    return FeatureEnricher(engine, FakeClock(), [funded])


@pytest.mark.parametrize("path", [harvest, record_page])
def test_no_statement_of_a_hot_path_scans_a_growing_table(
    large: Engine, path: Callable[[Engine], None]
) -> None:
    """The planner of each engine finds an index for every statement."""
    with recording(large, explain=True) as recorded:
        path(large)
    assert_no_scan(recorded)


def test_no_statement_of_an_enrichment_scans_a_growing_table(large: Engine) -> None:
    """Once a process has looked at all tracks, it looks up those that are due."""
    enricher = enricher_of(large)
    enricher.run()
    with recording(large, explain=True) as recorded:
        assert not enricher.has_work()
        record_page(large, "due")
        assert enricher.has_work()
        assert enricher.run().found > 0
    assert_no_scan(recorded)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM track",
        "SELECT t.id FROM track AS t WHERE t.title = 'x'",
        "SELECT genre_id, count(*) FROM sighting GROUP BY genre_id",
        "UPDATE artist SET fold = fold WHERE name = 'x'",
        "SELECT x.id FROM genre g JOIN track x ON x.album = g.name",
    ],
)
def test_a_scan_is_found(large: Engine, statement: str) -> None:
    """Whatever the statement, and also under an alias."""
    with recording(large, explain=True) as recorded, read_transaction(large) as connection:
        connection.execute(text(statement))
    assert list(recorded.scans) == [statement]
    with pytest.raises(AssertionError, match=r"SCAN|Scan"):
        assert_no_scan(recorded)


def test_a_look_up_is_no_scan(large: Engine) -> None:
    """By the primary key, or by another index."""
    with recording(large, explain=True) as recorded, read_transaction(large) as connection:
        connection.execute(text("SELECT title FROM track AS t WHERE t.id = 7"))
        connection.execute(text("SELECT id FROM track WHERE name_key = 'x'"))
    assert_no_scan(recorded)

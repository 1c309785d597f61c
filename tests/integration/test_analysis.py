"""Audio analyses are fetched track by track, by priority, and stored completely or not at all."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import Connection, Engine, Table, func, select

from collector.catalogue import analysis_queue, forecast_counts, track_merging
from collector.catalogue import feature_queue as queue
from collector.catalogue.lease import LEASE_SECONDS
from collector.curation import forget
from collector.enrichment.analyses import (
    MAX_CONSECUTIVE_INVALID,
    MAX_CONSECUTIVE_MISSES,
    AnalysisFetcher,
)
from collector.errors import (
    CollectorError,
    InvalidResponse,
    NotFound,
    RateLimited,
    UnusableResponse,
)
from collector.http.rate_limiter import RequestBudget
from collector.rate_limits import Account, Rate
from genrebase.audio import packed_matrices, segment_timbre
from genrebase.audio.analysis import TrackAnalysis
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.audio_analyses import add_analysis, analysis
from tests.fakes import NOON, FakeClock

DAY = timedelta(days=1)


@dataclass
class FakeAnalyst:
    """Returns the given responses in order, and repeats the last one."""

    responses: list[TrackAnalysis | CollectorError] = field(default_factory=lambda: [analysis()])
    requested_ids: list[str] = field(default_factory=list)
    name: str = "spotify"
    endpoint: str = "audio-analysis"

    @property
    def account(self) -> Account:
        return Account("spotify", "fake", Rate(1_000, 30))

    def fetch(self, track_id: str, /) -> TrackAnalysis:
        self.requested_ids.append(track_id)
        response = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        if isinstance(response, CollectorError):
            raise response
        return response


def analyser(
    engine: Engine,
    analyst: FakeAnalyst,
    clock: FakeClock | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> AnalysisFetcher:
    return AnalysisFetcher(
        engine, clock or FakeClock(), analyst, RequestBudget.open(engine, analyst.account), stop
    )


def source_id(number: int) -> str:
    return f"{number:022d}"


def add_tracks(connection: Connection, count: int, **values: object) -> list[int]:
    """Tracks whose Spotify ids are their own ids."""
    first = (connection.scalar(select(func.max(tables.track.c.id))) or 0) + 1
    ids = [
        make.add_track(connection, f"Song {number}", **values)  # type: ignore[arg-type]  # as the test says
        for number in range(first, first + count)
    ]
    for track in ids:
        make.add_alias(connection, track, source_id(track))
    return ids


@pytest.fixture
def tracks(engine: Engine) -> list[int]:
    """Three tracks without an analysis."""
    with transaction(engine) as connection:
        return add_tracks(connection, 3)


def rows(engine: Engine, table: Table, **values: object) -> list[dict[str, object]]:
    query = select(table).where(*(table.c[name] == value for name, value in values.items()))
    with read_transaction(engine) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def analysed(engine: Engine) -> set[object]:
    return {row["track_id"] for row in rows(engine, tables.sound_summary)}


def test_an_analysis_fills_its_tables(engine: Engine, tracks: list[int]) -> None:
    """Sections, summary, progressions and matrix are stored; the track is not requested again."""
    analyst = FakeAnalyst()
    outcome = analyser(engine, analyst).run()
    assert (outcome.stopped, outcome.requested, outcome.found, outcome.requests) == (
        "done",
        3,
        3,
        3,
    )
    one = {"track_id": tracks[0]}
    result = rows(engine, tables.section, **one)
    assert [row["numeral"] for row in result] == ["I", "V", "I", "IV"]
    assert [row["position"] for row in result] == [0, 1, 2, 3]
    assert {(row["provider"], row["tempo_ratio"], row["loudness"]) for row in result} == {
        ("spotify", 1.0, -8.0)
    }
    (summary,) = rows(engine, tables.sound_summary, **one)
    assert (summary["degree_0"], summary["degree_5"], summary["degree_7"]) == (0.5, 0.25, 0.25)
    assert (summary["sections"], summary["numerals"]) == (4, "I V I IV")
    assert (summary["segments"], summary["timbre_mean_11"], summary["pitch_mean_0"]) == (
        3,
        0.5,
        0.5,
    )
    assert summary["fetched_at"] == NOON
    assert {row["numerals"]: row["times"] for row in rows(engine, tables.progression, **one)} == {
        "I V": 1, "V I": 1, "I IV": 1, "I V I": 1, "V I IV": 1, "I V I IV": 1,
    }  # fmt: skip
    (matrix,) = rows(engine, tables.sound_matrix, **one)
    values = packed_matrices.unpack(matrix["data"], matrix["steps"], matrix["channels"])  # type: ignore[arg-type]  # what the columns hold
    assert values.shape == (3, segment_timbre.N_CHANNELS)
    assert analyser(engine, analyst).has_work() is False
    assert analyser(engine, analyst).run().requests == 0


def test_a_second_analysis_replaces_the_first(engine: Engine, tracks: list[int]) -> None:
    """One analysis is stored, never parts of two."""
    with transaction(engine) as connection:
        add_analysis(connection, tracks[0], (0, 7, 0, 5))
        add_analysis(connection, tracks[0], (0, 2))
    assert len(rows(engine, tables.section)) == 2
    assert [row["numerals"] for row in rows(engine, tables.progression)] == ["I II"]


def test_labelled_tracks_come_first_and_genres_take_turns(engine: Engine) -> None:
    """The genre with the fewest requests first, in it the best rank; unlabelled tracks last."""
    with transaction(engine) as connection:
        rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
        (unlabelled,) = add_tracks(connection, 1)
        rocks = add_tracks(connection, 4, genres=[rock])
        for place, track in enumerate(reversed(rocks)):
            rank = tables.sighting.update().where(tables.sighting.c.track_id == track)
            connection.execute(rank.values(best_rank=place))
        jazzy = add_tracks(connection, 2, genres=[jazz])
        make.add_verdict(connection, rocks[3], jazz)  # a person says so
    analyst = FakeAnalyst()
    analyser(engine, analyst).run(max_requests=3)
    assert analyst.requested_ids == [source_id(rocks[2]), source_id(jazzy[0]), source_id(rocks[1])]
    analyser(engine, analyst).run()
    assert analyst.requested_ids[3:] == [
        source_id(number) for number in (jazzy[1], rocks[0], rocks[3], unlabelled)
    ]


def test_a_request_limit_releases_the_rest(engine: Engine, tracks: list[int]) -> None:
    """Leased tracks that were not requested are free at once."""
    outcome = analyser(engine, FakeAnalyst()).run(max_requests=1)
    assert (outcome.stopped, outcome.requests) == ("limit", 1)
    assert [row["outcome"] for row in rows(engine, tables.feature_attempt)] == ["known"]
    assert analyser(engine, FakeAnalyst()).run().found == 2


def test_a_track_is_leased_by_one_worker(engine: Engine, tracks: list[int]) -> None:
    """Another worker gets it only after the lease expired."""
    clock = FakeClock()
    with transaction(engine) as connection:
        leased = analysis_queue.lease(connection, tracks[:2], clock.now)
    analyst = FakeAnalyst()
    assert analyser(engine, analyst, clock).run().requested == 1
    assert not {one.source_ids[0] for one in leased.tracks} & set(analyst.requested_ids)
    assert analyser(engine, analyst, clock).has_work() is False
    clock.advance(LEASE_SECONDS)
    assert analyser(engine, analyst, clock).run().requested == 2
    with transaction(engine) as connection:
        leased.release(connection)  # too late: nothing happens
    assert analysed(engine) == set(tracks)
    assert {row["outcome"] for row in rows(engine, tables.feature_attempt)} == {"known"}


def test_a_miss_is_retried_after_increasing_delays(engine: Engine, tracks: list[int]) -> None:
    """A track without an analysis is requested again after a day, then after a week."""
    analyst, clock = FakeAnalyst([NotFound(), UnusableResponse("Empty."), analysis()]), FakeClock()
    outcome = analyser(engine, analyst, clock).run()
    assert (outcome.found, outcome.not_found) == (1, 2)
    assert outcome.reasons == {"Spotify has none of this track.": 1, "Empty.": 1}
    for gap in (1, 7, 30, 90, 90):
        clock.advance((gap * DAY).total_seconds() - 1)
        assert analyser(engine, FakeAnalyst([NotFound()]), clock).run().requested == 0
        clock.advance(1)
        assert analyser(engine, FakeAnalyst([NotFound()]), clock).run().requested == 2
    assert analysed(engine) == {tracks[2]}


def test_an_invalid_response_is_skipped(engine: Engine, tracks: list[int]) -> None:
    """One invalid response does not stop the other tracks."""
    gibberish = [InvalidResponse("Gibberish.")] * 6
    outcome = analyser(engine, FakeAnalyst([*gibberish, analysis()])).run()
    assert (outcome.found, outcome.not_found, outcome.problems) == (2, 1, [])
    assert outcome.reasons == {"Gibberish.": 1}


def test_repeated_invalid_responses_stop_the_run(engine: Engine, tracks: list[int]) -> None:
    """The problem names the provider."""
    outcome = analyser(engine, FakeAnalyst([InvalidResponse("Gibberish.")])).run()
    assert outcome.problems == ["audio-analysis: Gibberish."]
    assert outcome.requested == MAX_CONSECUTIVE_INVALID - 1


def test_an_endpoint_that_finds_no_track_is_closed(engine: Engine) -> None:
    """After misses without a hit the endpoint counts as closed for a week."""
    with transaction(engine) as connection:
        add_tracks(connection, 2 * MAX_CONSECUTIVE_MISSES)
    clock, analyst = FakeClock(), FakeAnalyst([NotFound()])
    assert analyser(engine, analyst, clock).run().stopped == "closed"
    assert len(analyst.requested_ids) == MAX_CONSECUTIVE_MISSES
    assert analyser(engine, analyst, clock).has_work() is False
    clock.advance((7 * DAY).total_seconds())
    assert analyser(engine, analyst, clock).has_work() is True


def test_a_ban_ends_the_run(engine: Engine, tracks: list[int]) -> None:
    """No request is made during the ban; leased tracks are free after it."""
    clock, analyst = FakeClock(), FakeAnalyst([RateLimited(20_000), analysis()])
    outcome = analyser(engine, analyst, clock).run()
    assert (outcome.stopped, outcome.requests) == ("blocked", 1)
    assert outcome.blocked is not None
    assert outcome.blocked.until == NOON + timedelta(seconds=20_001)
    assert analyser(engine, analyst, clock).has_work() is False
    assert analyser(engine, analyst, clock).run().requests == 0
    clock.advance(20_002)
    assert analyser(engine, analyst, clock).run().found == 3


def test_a_stop_request_ends_between_tracks(engine: Engine, tracks: list[int]) -> None:
    """After a stop request the current response is stored, and the rest is left."""
    analyst = FakeAnalyst()
    outcome = analyser(engine, analyst, stop=lambda: bool(analyst.requested_ids)).run()
    assert (outcome.stopped, outcome.found) == ("interrupted", 1)
    assert len(rows(engine, tables.feature_attempt)) == 1


def test_a_track_that_is_gone_by_now_is_left(engine: Engine, tracks: list[int]) -> None:
    """A track forgotten during its request leaves no row behind."""
    clock = FakeClock()
    with transaction(engine) as connection:
        (first,) = analysis_queue.lease(connection, tracks[:1], clock.now).tracks
        connection.execute(tables.track.delete().where(tables.track.c.id == first.track_id))
        analysis_queue.record_result(connection, first, "spotify", analysis(), clock.now(), None)
    assert rows(engine, tables.sound_summary) == []


@pytest.mark.parametrize("response", [analysis(), NotFound()])
def test_features_are_counted_without_analyses(
    engine: Engine, response: TrackAnalysis | CollectorError
) -> None:
    """The queue of features does not depend on analyses."""
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        refused, _ = add_tracks(connection, 2, genres=[rock])
        missed = {
            "track_id": refused,
            "provider": "reccobeats",
            "attempts": 1,
            "outcome": "unknown",
        }
        connection.execute(tables.feature_attempt.insert(), missed)
    assert analyser(engine, FakeAnalyst([response])).run().requested == 2
    with read_transaction(engine) as connection:
        assert forecast_counts.feature_counts(connection, NOON)[
            rock
        ] == forecast_counts.FeatureCounts(0, 1, 1)
        assert (
            len(connection.scalars(queue.queue_of("spotify").next_due(NOON, limit=10)).all()) == 2
        )


@pytest.mark.parametrize("older_has_one", [True, False])
def test_merging_keeps_one_analysis(engine: Engine, older_has_one: bool) -> None:
    """Of two merged tracks the older one's analysis stays, else the younger one's."""
    with transaction(engine) as connection:
        older, younger = add_tracks(connection, 2)
        add_analysis(connection, younger, (0, 2, 4, 5, 7))
        add_analysis(connection, younger, (0, 3), provider="audio")
        if older_has_one:
            add_analysis(connection, older, (0, 7))
        track_merging.merge_pairs(connection, [(older, younger)], "spotify", NOON)
    degrees = [row["degree"] for row in rows(engine, tables.section, provider="spotify")]
    assert sorted(degrees) == ([0, 7] if older_has_one else [0, 2, 4, 5, 7])  # type: ignore[type-var]  # numbers
    assert len(rows(engine, tables.section, provider="audio")) == 2
    for table in analysis_queue.ANALYSIS_TABLES:
        assert {row["track_id"] for row in rows(engine, table)} == {older}
    assert len(rows(engine, tables.sound_matrix)) == 2


def test_forgetting_removes_the_analysis(engine: Engine) -> None:
    """An annotated track stays, but not Spotify's analysis, which is not requested again."""
    old = {"origin": "spotify", "last_seen_at": NOON - 31 * DAY}
    with transaction(engine) as connection:
        rock = make.add_genre(connection, "rock")
        kept, gone = add_tracks(connection, 2, **old)
        make.add_verdict(connection, kept, rock)
        for track in (kept, gone):
            add_analysis(connection, track)
            add_analysis(connection, track, (0, 3), provider="audio")
    clock = FakeClock()
    forget.forget(engine, clock, "spotify", 30 * DAY)
    for table in analysis_queue.ANALYSIS_TABLES:
        result = {(row["track_id"], row["provider"]) for row in rows(engine, table)}
        assert result == {(kept, "audio")}
    assert forget.count_overdue(engine, clock, "spotify", 30 * DAY).counts.kept_for_labels == 0
    with transaction(engine) as connection:
        connection.execute(tables.sound_summary.delete())
    assert analyser(engine, FakeAnalyst(), clock).has_work() is False

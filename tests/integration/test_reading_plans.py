"""What people and pages look up is read by indexes on both engines, however large the database."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

import pytest
from sqlalchemy import Engine, func, select, text

from classifier.data import dataset, rows_to_predict
from classifier.registry import stored_models
from collector.curation import verdicts
from genrebase.store import find, search, tables, views
from genrebase.store.engine import read_transaction
from tests.fakes import FakeClock
from tests.query_plans import recording

TRACK: Final = 7_000
SMALL: Final = (
    *(tables.sound_summary, tables.section, tables.sound_matrix, tables.descriptor),
    *(tables.acousticbrainz_recording, tables.cluster_member, tables.track_match),
    *(tables.audio_item, tables.audio_download, tables.verdict),
)
"""Empty or nearly so in `large_database`: PostgreSQL rightly reads all of such a table."""
BY_TRACK: Final = [
    name
    for name, view in views.ALL.items()
    if "track_id" in view.columns and name != "genre_candidates"
]


def assert_no_scan(engine: Engine, read: Callable[[], object]) -> None:
    """Fail with the statements that scan a growing table that has rows."""
    with recording(engine, explain=True) as recorded:
        read()
    assert recorded.texts
    lines = [
        f"{step}: {statement}"
        for statement, step in recorded.scans.items()
        if not step.endswith(tuple(f" on {table.name}" for table in SMALL))
    ]
    assert not lines, "\n".join(lines)


def run(engine: Engine, query: str) -> list[tuple]:
    with read_transaction(engine) as connection:
        return [tuple(row) for row in connection.execute(text(query))]


@pytest.mark.parametrize("name", BY_TRACK)
def test_the_rows_of_a_track(large: Engine, name: str) -> None:
    """Every view with a column `track_id` is read by an index for one track."""
    query = f"SELECT * FROM {name} WHERE track_id = {TRACK}"
    assert_no_scan(large, partial(run, large, query))


@pytest.mark.parametrize("name", ["tracks", "training_tracks", "scoring_tracks"])
def test_a_page_of_tracks(large: Engine, name: str) -> None:
    """A page begins after the last track of the one before."""
    query = f"SELECT * FROM {name} WHERE track_id > {TRACK} ORDER BY track_id LIMIT 100"
    assert_no_scan(large, partial(run, large, query))
    assert len(run(large, query)) > 90


def test_a_page_is_not_sorted(large: Engine) -> None:
    """SQLite reads a page of any view in the order of its tracks, and nothing behind the page."""
    if large.dialect.name == "postgresql":
        pytest.skip("it sorts the few rows that an index returns")
    for name in BY_TRACK:
        query = f"SELECT * FROM {name} WHERE track_id > {TRACK} ORDER BY track_id LIMIT 100"
        steps = run(large, f"EXPLAIN QUERY PLAN {query}")
        is_sorted = any(row[1] == 0 and row[3] == "USE TEMP B-TREE FOR ORDER BY" for row in steps)
        assert not is_sorted, name


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a node of a plan of PostgreSQL, and those below it."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def test_changes_without_a_previous_champion(large: Engine) -> None:
    """No prediction of the champion is read to find that there is nothing to compare it with."""
    query = "SELECT * FROM prediction_changes LIMIT 100"
    with read_transaction(large) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.prediction)) > TRACK
        if large.dialect.name == "postgresql":
            [explained] = connection.scalar(text(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}"))
            scans = [
                node
                for node in nodes(explained["Plan"])
                if node.get("Relation Name") == "prediction"
            ]
            assert scans
            assert sum(node["Actual Rows"] for node in scans) == 0
            return
        steps: list[None] = []
        sqlite = connection.connection.driver_connection
        assert sqlite is not None
        sqlite.set_progress_handler(lambda: steps.append(None), 1_000)
        try:
            assert connection.execute(text(query)).all() == []
        finally:
            sqlite.set_progress_handler(None, 0)
    assert len(steps) <= 5


def test_the_candidates_of_a_genre(large: Engine) -> None:
    """They are the first rows of an index, genre by genre."""
    query = "SELECT * FROM genre_candidates WHERE genre = 'genre 5'"
    assert_no_scan(large, partial(run, large, query))
    assert len(run(large, query)) == 100


def test_the_progress_of_a_genre(large: Engine) -> None:
    """Only tracks of the genre are counted on SQLite; PostgreSQL counts all, which is faster."""
    if large.dialect.name == "postgresql":
        pytest.skip("all genres at once")
    query = "SELECT * FROM genre_progress WHERE genre = 'genre 5'"
    assert_no_scan(large, partial(run, large, query))
    assert len(run(large, query)) == 1


@pytest.mark.parametrize("name", [str(TRACK), f"{TRACK:022d}", f"spotify:{TRACK:022d}", "unknown"])
def test_a_track_by_any_of_its_names(large: Engine, name: str) -> None:
    """Also an id whose source is not given: its sources are few, and looked up one by one."""

    def look_up() -> None:
        with read_transaction(large) as connection:
            assert find.find_track(connection, name) == (None if name == "unknown" else TRACK)

    assert_no_scan(large, look_up)


@pytest.mark.parametrize(
    "words", ["ARTIST song 12345", "song", "rtist 77", "nothing like it", "a"]
)
def test_a_search_reads_an_index(large: Engine, words: str) -> None:
    """Rare and common words, and parts of words: rows are read by the index of trigrams.

    On PostgreSQL also a bounded number of the first rows.
    """
    with read_transaction(large) as connection, recording(large, explain=True) as recorded:
        hits = search.search(connection, words, limit=5).hits
    assert bool(hits) == (words != "nothing like it")
    first_rows = "FROM search_text ORDER BY track_id LIMIT"
    assert [one for one in recorded.scans if first_rows not in one] == []
    assert any("wanted" in one or "MATCH" in one for one in recorded.texts)


def test_the_prediction_of_a_track(large: Engine) -> None:
    """`classifier predict --track` reads the stored prediction, and else the track's features."""

    def predict() -> None:
        model = stored_models.champion(large, "main")
        assert rows_to_predict.stored_predictions(large, model, [TRACK])
        assert dataset.held_out_for(large, [TRACK]) in {None, "test", "validation"}
        dataset.tracks_sharing_artists(large, TRACK)

    assert_no_scan(large, predict)


def test_a_label_of_a_track(large: Engine) -> None:
    """`collector label` looks up one track and its labels, whatever number is stored."""

    def label() -> None:
        verdicts.add(large, FakeClock(), str(TRACK), "genre 1", by="Ada")
        verdicts.remove(large, str(TRACK), by="Ada")

    assert_no_scan(large, label)

"""The counters of genres, and their repair."""

from sqlalchemy import Connection, Engine, select, update

from collector.catalogue import genre_counters
from collector.catalogue.genre_counters import WrongCounter
from collector.curation import genres
from collector.monitoring.doctor import check_counters
from genrebase.store import tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.consistency import assert_consistent
from tests.query_plans import recording


def fill(connection: Connection) -> tuple[int, int]:
    rock, jazz = make.add_genre(connection, "rock"), make.add_genre(connection, "jazz")
    for number in range(5):
        make.add_track(connection, f"Song {number}", genres=[rock, jazz][: 1 + number % 2])
    make.add_track(connection, "Without a genre")
    return rock, jazz


def counters(connection: Connection) -> dict[str, tuple[int, int]]:
    genre = tables.genre.c
    rows = connection.execute(select(genre.name, genre.sightings, genre.tracks))
    return {name: (sightings, tracks) for name, sightings, tracks in rows}


def test_changes_of_both_counters_are_added_together(engine: Engine) -> None:
    """A genre may appear among the sightings, the tracks, or both; zeros change nothing."""
    with transaction(engine) as connection:
        rock, jazz = fill(connection)
        genre_counters.add(connection, {rock: 2, jazz: -1}, {rock: -3})
        genre_counters.add(connection, {rock: 0}, {})
        genre_counters.add(connection, tracks={jazz: 4})
        assert counters(connection) == {"rock": (7, 2), "jazz": (1, 4)}


def test_changes_are_one_statement(engine: Engine) -> None:
    """However many genres a batch changes."""
    with transaction(engine) as connection:
        ids = [make.add_genre(connection, f"genre {number}") for number in range(9)]
        with recording(engine) as recorded:
            genre_counters.add(connection, dict.fromkeys(ids, 1), dict.fromkeys(ids, 2))
        assert len(recorded.texts) == 1
        assert set(counters(connection).values()) == {(1, 2)}


def test_the_doctor_names_wrong_counters_and_recounting_corrects_them(engine: Engine) -> None:
    """Only genres whose counters differ from their rows are corrected; ties are chosen again."""
    with transaction(engine) as connection:
        rock, _ = fill(connection)
        assert_consistent(connection)
    assert check_counters(engine).ok
    with transaction(engine) as connection:
        wrong = {"sightings": 70, "tracks": 1}
        genre = tables.genre
        connection.execute(update(genre).where(genre.c.id == rock).values(wrong))
        assert genre_counters.wrong_counters(connection) == [WrongCounter("rock", 70, 1, 5, 5)]
    check = check_counters(engine)
    assert check.ok is False
    assert "'rock' has 5 tracks and 5 sightings, its counters 1 and 70" in check.sentence
    assert "collector genres recount" in check.sentence
    assert genres.recount(engine) == ["rock"]
    assert genres.recount(engine) == []
    assert check_counters(engine).ok
    with read_transaction(engine) as connection:
        assert_consistent(connection)

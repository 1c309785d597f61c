"""Searching tracks by words, and the index that it reads, on both databases."""

from random import Random

import pytest
from sqlalchemy import Engine, delete, select, update

from collector.catalogue import deletion
from genrebase.store import search, search_index, tables
from genrebase.store.engine import read_transaction, transaction
from genrebase.store.names import name_key
from genrebase.store.search import Hit, InvalidPosition
from genrebase.store.search_terms import indexed_text, parse
from tests import factories as make
from tests.consistency import assert_indexed


def titles(engine: Engine, words: str, limit: int = 50, after: Hit | None = None) -> list[str]:
    with read_transaction(engine) as connection:
        result = search.search(connection, words, limit, after)
        track = tables.track.c
        query = select(track.id, track.title).where(track.id.in_(result.track_ids))
        by_id = {row.id: row.title for row in connection.execute(query)}
    return [by_id[one] for one in result.track_ids]


def add(engine: Engine, *names: tuple[str, str, int | None]) -> list[int]:
    with transaction(engine) as connection:
        return [
            make.add_track(connection, title, [artist], popularity=popularity)
            for title, artist, popularity in names
        ]


def test_the_best_matches_come_first(engine):
    """Equal names, beginnings, words, parts; the most popular of each first; also by pages."""
    expected = ["Love", "Loveless", "Love Song", "Lovely", "My Love", "Glover", "Clover"]
    add(
        engine,
        ("Clover", "Ann", None),
        ("Love Song", "Ann", 30),
        ("Glover", "Ann", 0),
        ("Lovely", "Ann", None),
        ("My Love", "Ann", 99),
        ("Loveless", "Ann", 40),
        ("Love", "Ann", 1),
        ("Other", "Ann", 100),
    )
    assert titles(engine, "love") == expected  # nothing is indexed yet
    assert search_index.fill(engine) == 8
    assert search_index.fill(engine) == 0
    assert titles(engine, "love") == expected
    pages, after = [], None
    with read_transaction(engine) as connection:
        while True:
            result = search.search(connection, "LOVE", 2, after)
            pages += result.track_ids
            if not result.has_more:
                break
            after = Hit.from_text(str(result.hits[-1]))
        whole = search.search(connection, "love", 50).track_ids
    assert pages == whole
    assert len(whole) == len(expected)


def test_the_index_finds_what_comparing_all_names_finds(engine):
    """Whether tracks are indexed or wait for it, and whatever the names have in common."""
    random = Random(1)
    parts = ("an", "ban", "ana", "na", "b", "Ä", "a-n", "東", "'n", '"x" OR', "an*", "|", "%_")
    made = {
        tuple(" ".join(random.choices(parts, k=random.randint(1, 4))) for _ in range(2))
        for _ in range(120)
    }
    names = sorted({name_key(*pair): pair for pair in sorted(made)}.values())
    ids = add(engine, *((title, artist, 5) for title, artist in names[:80]))
    search_index.fill(engine)
    ids += add(engine, *((title, artist, None) for title, artist in names[80:]))
    with read_transaction(engine) as connection:
        track = tables.track.c
        rows = connection.execute(select(track.id, track.title, track.artists)).all()
        texts = {row.id: indexed_text(row.title, row.artists) for row in rows}
        for words in (*parts, *(" ".join(random.choices(parts, k=2)) for _ in range(20)), "zz"):
            query = parse(words)
            expected = {one for one in ids if query and query.match(texts[one]) is not None}
            result = search.search(connection, words, 200)
            assert set(result.track_ids) == expected, words
            assert list(result.hits) == sorted(result.hits)
            assert not result.is_cut


def test_renamed_and_deleted_tracks(engine):
    """They are found by their present names at once, before and after they are indexed."""
    names = (("Alpha", "Ann", 1), ("Beta", "Ann", 1), ("Gone", "Ann", 1), ("Forgotten", "Bob", 1))
    first, second, merged, forgotten = add(engine, *names)
    search_index.fill(engine)
    track, credit = tables.track, tables.track_artist
    with transaction(engine) as connection:
        connection.execute(update(track).where(track.c.id == first).values(title="Omega"))
        beta = update(track).where(track.c.id == second)
        connection.execute(beta.values(title="Beta", popularity=7))
        connection.execute(delete(credit).where(credit.c.track_id == merged))
        connection.execute(delete(track).where(track.c.id == merged))
        deletion.delete_tracks(connection, [forgotten])
    indexed = select(tables.search_text.c.track_id).order_by(tables.search_text.c.track_id)
    with read_transaction(engine) as connection:
        assert search_index.count_due(connection, 10) == 3  # popularity is not in the index
        assert list(connection.scalars(indexed)) == [first, second, merged]
    for is_indexed in (False, True):
        if is_indexed:
            assert search_index.fill(engine) == 3
        for words in ("alpha", "gone", "bob"):
            assert titles(engine, words) == []
        assert titles(engine, "omega") == ["Omega"]
        assert titles(engine, "ann") == ["Beta", "Omega"]
    assert_indexed(engine)


def test_of_a_common_word_the_first_tracks_are_compared(engine, monkeypatch):
    """So it takes no longer than a rare one; the result says so. Better matches are not cut."""
    monkeypatch.setattr(search, "MAX_COMPARED", 3)
    monkeypatch.setattr(search, "MAX_DUE", 2)
    add(engine, *((f"My Song {number}", "Ann", number) for number in range(6)), ("Song", "Bob", 0))
    search_index.fill(engine)
    with read_transaction(engine) as connection:
        result = search.search(connection, "song", 50)
        assert result.is_cut
        assert not result.has_due
        assert result.track_ids[0] == 7
        assert set(result.track_ids[1:]) <= {1, 2, 3, 4, 5, 6}
        assert not search.search(connection, "bob", 50).is_cut
    add(engine, *((f"Late {number}", "Cyd", 1) for number in range(4)))
    with read_transaction(engine) as connection:
        result = search.search(connection, "cyd", 50)
    assert result.has_due
    assert sorted(result.track_ids) == [9, 10, 11]


def test_sqlite_without_fts5(sqlite_engine, monkeypatch):
    """The texts are read one by one; `migrate` by another build makes the index of them."""
    with transaction(sqlite_engine) as connection:
        connection.exec_driver_sql("DROP TABLE search_index")
    add(sqlite_engine, ("Blue Moon", "Ann", 1), ("Red Moon", "Ann", 2))
    search_index.fill(sqlite_engine)
    assert titles(sqlite_engine, "oon") == ["Red Moon", "Blue Moon"]
    with transaction(sqlite_engine) as connection:
        search_index.ensure(connection)
        assert search_index.is_usable(connection)
    assert titles(sqlite_engine, "oon") == ["Red Moon", "Blue Moon"]
    monkeypatch.setattr(search_index, "is_usable", lambda _connection: False)
    add(sqlite_engine, ("New Moon", "Ann", 3))
    assert search_index.fill(sqlite_engine) == 0  # the build with FTS5 indexes it
    assert titles(sqlite_engine, "oon") == ["New Moon", "Red Moon", "Blue Moon"]


@pytest.mark.parametrize(
    "text", ["", "4.0.1", "1.2", "a.b.c", "0.-5.1", "0.1.1\n", "0.1." + "9" * 30]
)
def test_a_wrong_position(text):
    """The message says where positions come from."""
    with pytest.raises(InvalidPosition, match="page before"):
        Hit.from_text(text)

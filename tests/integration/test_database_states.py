"""A state that was made once is the same wherever it is loaded."""

from sqlalchemy import Engine, func, select

from genrebase.store import search_index, tables
from genrebase.store.engine import read_transaction, transaction
from tests import factories as make
from tests.database_states import once
from tests.filled_database import contents, fill


def test_a_loaded_state_equals_the_made_one(engine: Engine) -> None:
    """All rows are loaded, also those of the search, and none that was there before is left."""
    calls = []

    def filled() -> int:
        fill(engine)
        calls.append(1)
        return 7

    key = test_a_loaded_state_equals_the_made_one
    assert once(engine, key, filled) == 7
    made = contents(engine)
    with transaction(engine) as connection:
        connection.execute(tables.sound_matrix.delete())
        rock = connection.scalar(select(tables.genre.c.id).where(tables.genre.c.name == "rock"))
        for number in range(3):
            make.add_track(connection, f"Another {number}", ["Nobody"], genres=[rock])
    search_index.fill(engine)
    assert once(engine, key, filled) == 7
    assert calls == [1]
    assert contents(engine) == made
    with read_transaction(engine) as connection:
        waiting = search_index.count_due(connection, 10_000)
        assert waiting == len(made["track"])
    with transaction(engine) as connection:
        highest = connection.scalar(select(func.max(tables.track.c.id)))
        assert make.add_track(connection, "Another", ["Nobody"]) == highest + 1

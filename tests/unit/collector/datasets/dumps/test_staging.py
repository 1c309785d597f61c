"""The temporary file in which a dump's tables are joined."""

import sqlite3

import pytest

from collector.datasets.dumps.archive import DamagedDump
from collector.datasets.dumps.staging import StagingFile
from genrebase.errors import UserError

TABLES = ("numbers (id INTEGER PRIMARY KEY, double INTEGER)",)
INSERT = "INSERT OR IGNORE INTO numbers VALUES (?, ?)"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "staging.tmp"


def rows(staging):
    return staging.execute("SELECT * FROM numbers ORDER BY id").fetchall()


def test_rows_and_their_number_are_kept_together(path):
    """A file that is opened again knows which rows it has, and which were left out."""
    with StagingFile.open(path, TABLES) as staging:
        staging.load("file", "numbers", INSERT, [("1", "2"), ("2", "4"), ("1", "2")], 3)
    with StagingFile.open(path, TABLES) as staging:
        assert staging.rows_read("file", "numbers") == 3
        assert staging.rows_read("other", "numbers") == 0
        staging.mark_loaded("file", "numbers")
        assert staging.rows_read("file", "numbers") is None
        assert staging.loaded() == {"numbers": (3, 1)}
        assert rows(staging) == [(1, 2), (2, 4)]


def test_a_step_is_done_once_or_not_at_all(path):
    """Tables that a failed step created are gone with its rows."""

    def work(staging):
        staging.execute("CREATE TABLE made (id INTEGER)")
        staging.execute(INSERT, 7, 14)
        if not is_whole:
            raise KeyboardInterrupt

    is_whole = False
    with pytest.raises(KeyboardInterrupt), StagingFile.open(path, TABLES) as staging:
        staging.run_once("step", work)
    is_whole = True
    for _ in range(2):
        with StagingFile.open(path, TABLES) as staging:
            staging.run_once("step", work)
            assert rows(staging) == [(7, 14)]


def test_it_is_cleared_as_a_whole_or_not_at_all(path):
    """One that is killed meanwhile would lack the notes of the tables that are left."""

    def deny(action, name, *_):
        return sqlite3.SQLITE_DENY if (action, name) == denied else sqlite3.SQLITE_OK

    with (
        pytest.raises(UserError, match="not authorized"),
        StagingFile.open(path, TABLES) as staging,
    ):
        staging.load("file", "numbers", INSERT, [(1, 2)], 1)
        denied = (sqlite3.SQLITE_DROP_TABLE, "numbers")
        staging._connection.set_authorizer(deny)
        staging.clear(TABLES)
    with StagingFile.open(path, TABLES) as staging:
        assert staging.rows_read("file", "numbers") == 1
        staging.clear(TABLES)
        assert (staging.rows_read("file", "numbers"), rows(staging)) == (0, [])


def test_two_imports_do_not_share_it(path):
    """The second one says which file is in use."""
    with (
        StagingFile.open(path, TABLES),
        pytest.raises(UserError, match=r"staging\.tmp"),
        StagingFile.open(path, TABLES),
    ):
        pass


def test_another_file_under_its_name_is_damaged(path):
    """It is not overwritten."""
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(UserError, match="delete it"), StagingFile.open(path, TABLES):
        pass


def test_a_value_of_another_type_is_damage(path):
    """A column of numbers holds numbers only."""
    with StagingFile.open(path, TABLES) as staging, pytest.raises(DamagedDump, match="numbers"):
        staging.load("file", "numbers", INSERT, [("1", "two")], 1)


def test_it_is_cleared_and_deleted_as_a_whole(path):
    """Facts, steps and tables."""
    with StagingFile.open(path, TABLES) as staging:
        staging.load("file", "numbers", INSERT, [("1", "2")], 1)
        staging.note_fact("name", "value")
        assert staging.fact("name") == "value"
        staging.clear(TABLES)
        assert (staging.fact("name"), rows(staging), staging.loaded()) == (None, [], {})
        staging.delete()
    assert list(path.parent.iterdir()) == []

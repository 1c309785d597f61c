"""Random rows that SQL makes inside the engine, the same ones on SQLite and PostgreSQL."""

from collections.abc import Iterable
from time import perf_counter
from typing import Any, Final

from sqlalchemy import Connection, text

from genrebase.store import tables
from genrebase.store.names import hash_fold

PRIME: Final = 2_147_483_647
"""Random numbers are below it, so that no product of two exceeds 64 bits."""
PYTHON_FOLD: Final = hash_fold.__wrapped__
"""Without its cache, which a million names would only fill."""
POSTGRESQL_FOLD: Final = """
CREATE FUNCTION pg_temp.made_fold(key text) RETURNS integer IMMUTABLE LANGUAGE sql AS $$
SELECT CAST((6 * (CAST(CAST('x' || substr(d, 1, 8) AS bit(32)) AS bigint) % 10)
             + CAST(CAST('x' || substr(d, 9, 8) AS bit(32)) AS bigint) % 10) % 10 AS integer)
FROM (SELECT encode(sha256(convert_to(key, 'UTF8')), 'hex') AS d) AS digest $$
"""
"""`names.hash_fold` of a normalised name (2^32 modulo 10 is 6)."""


def random_numbers(many: int, columns: dict[str, str], seed: int) -> str:
    """Return a query of the numbers `n` from 1 to `many` with random columns below `PRIME`.

    Each column follows from `n`, or from `m`: the same number for every fiftieth and the one
    before it.
    """
    first, mixed = [], []
    for place, (name, base) in enumerate(columns.items(), start=seed * 100):
        scrambled = f"({base} * {48_271 + 2 * place} + {place * 69_621 % PRIME}) % {PRIME}"
        first.append(f"{scrambled} AS {name}")
        mixed.append(f"({name} * {name} + 16807 * {name} + {base}) % {PRIME} AS {name}")
    return f"""
        WITH RECURSIVE numbers(n) AS (
            SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < {many}
        )
        SELECT n, m, {", ".join(mixed)} FROM (
            SELECT n, m, {", ".join(mixed)} FROM (
                SELECT n, m, {", ".join(first)} FROM (
                    SELECT n, CASE WHEN n % 50 = 0 THEN n - 1 ELSE n END AS m FROM numbers
                ) AS paired
            ) AS one
        ) AS two
    """


def skewed(limit: int, column: str) -> str:
    """Return an expression of a number from 1 to `limit` by a power law: low ones are frequent."""
    return f"(1 + {column} * {column} / {PRIME} * {limit} / {PRIME})"


def uniform(column: str, low: float, high: float) -> str:
    """Return an expression of a real number."""
    return f"({low} + {high - low} * (CAST({column} % 10000 AS DOUBLE PRECISION) / 10000))"


class EngineSql:
    """Runs statements of one transaction, and writes what the engines spell differently."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.sqlite = connection.dialect.name == "sqlite"
        self.fold = "made_fold" if self.sqlite else "pg_temp.made_fold"
        """The function that returns the fold of a normalised name."""

    def prepare_engine(self) -> None:
        """Create the function of folds; let PostgreSQL not look up every foreign key."""
        if self.sqlite:
            driver: Any = self.connection.connection.driver_connection
            driver.create_function("made_fold", 1, PYTHON_FOLD, deterministic=True)
        else:
            self.run(POSTGRESQL_FOLD)
            self.run(
                "SET LOCAL session_replication_role = 'replica'"
            )  # no look-up per foreign key
            self.run("SET LOCAL work_mem = '256MB'")

    def drop_indexes(self) -> None:
        """Drop SQLite's indexes; it is faster to make each of them after the rows."""
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        rows = self.connection.exec_driver_sql(query).all() if self.sqlite else ()
        self.indexes = {name: sql for name, sql in rows if not name.startswith("made_")}
        for name in self.indexes:
            self.run(f"DROP INDEX {name}")

    def create_indexes(self) -> None:
        """Create the dropped indexes again."""
        for name, sql in self.indexes.items():
            began = perf_counter()
            self.run(sql)
            print(f"  {name}: {perf_counter() - began:.1f} s", flush=True)

    def moment(self, seconds: str) -> str:
        """Return an expression of a time from one of seconds since 1970."""
        if self.sqlite:
            return f"strftime('%Y-%m-%d %H:%M:%f000', {seconds}, 'unixepoch')"
        return f"to_timestamp({seconds})"

    def run(self, statement: str) -> None:
        """Run a statement that has no parameters."""
        self.connection.execute(text(statement.replace(":", r"\:")))

    def make(self, name: str, query: str, key: str) -> None:
        """Make a temporary table `made_<name>`, indexed by `key`."""
        began = perf_counter()
        self.run(f"CREATE TEMPORARY TABLE made_{name} AS {query}")
        self.run(f"CREATE INDEX made_{name}_key ON made_{name} ({key})")
        print(f"  numbers of {name}: {perf_counter() - began:.1f} s", flush=True)
        if not self.sqlite:
            self.run(f"ANALYZE made_{name}")

    def insert(self, table: str, columns: str, query: str) -> None:
        """Insert the rows of a query, and print how long it took."""
        began = perf_counter()
        self.run(f"INSERT INTO {table} ({columns}) {query}")
        print(f"  {table}: {perf_counter() - began:.1f} s", flush=True)

    def rows(self, table: str, rows: Iterable[dict[str, Any]]) -> None:
        """Insert single rows."""
        self.connection.execute(tables.metadata.tables[table].insert(), list(rows))

    def padded(self, column: str, width: int = 22) -> str:
        """Return an expression of a number with leading zeros."""
        zeros = "0" * width
        if self.sqlite:
            return f"substr('{zeros}' || {column}, -{width})"
        return f"lpad(CAST({column} AS TEXT), {width}, '0')"

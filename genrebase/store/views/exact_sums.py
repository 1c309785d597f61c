"""Sums of real numbers that do not depend on the order of the rows, as integers.

A sum of doubles is rounded after each addition, so its last digits depend on the order of the
rows: on the query plan, the number of parallel workers, the engine. Here each value is split into
two integers, which are summed exactly. SQLite, PostgreSQL and DuckDB therefore return the same
double for the same rows. See docs/decisions/0042-exact-sums.md.
"""

from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Double, cast, func
from sqlalchemy.sql.functions import GenericFunction

from genrebase.store.views.shared import compile_as

COARSE: Final = 2.0**20
"""Units per 1 of the first integer. Values up to 2^18 (the square of 400 BPM) and 33 million rows
stay below 2^63."""
FINE: Final = 2.0**36
"""Units of the second integer per unit of the first: what is below 2^-56 is cut off."""


class integer_part(GenericFunction[int]):  # noqa: N801 - SQL functions are written so
    """A double without its fraction, as a 64-bit integer."""

    type = BigInteger()
    inherit_cache = True


_TRUNCATED: Final = "CAST(trunc({}) AS BIGINT)"
compile_as(
    integer_part, postgresql=_TRUNCATED, duckdb=_TRUNCATED, sqlite="CAST({} AS INTEGER)"
)  # SQLite's cast truncates


def exact_sum(value: ColumnElement[Any]) -> ColumnElement[float]:
    """Return the sum of doubles of a magnitude of at most 2^18, the same in any order of the rows.

    NULLs are left out; the sum of no value is NULL.
    """
    scaled = value * COARSE
    coarse = integer_part(scaled)
    fine = integer_part((scaled - cast(coarse, Double)) * FINE)
    return (_total(coarse) + _total(fine) / FINE) / COARSE


def exact_mean(value: ColumnElement[Any]) -> ColumnElement[float]:
    """Return the mean of doubles by their `exact_sum`; NULL without a value."""
    return exact_sum(value) / func.nullif(func.count(value), 0)


def _total(part: ColumnElement[int]) -> ColumnElement[float]:
    # PostgreSQL and DuckDB sum 64-bit integers as wider numbers
    return cast(cast(func.sum(part), BigInteger), Double)

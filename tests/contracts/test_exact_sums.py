"""Sums of real numbers that do not depend on the order of the rows, on both engines."""

import math
import random
from functools import reduce
from operator import add

import pytest
from sqlalchemy import Double, Engine, cast, column, literal, select, union_all

from genrebase.store.engine import read_transaction
from genrebase.store.views.exact_sums import exact_mean, exact_sum


def sums(engine: Engine, values: list[float | None]) -> tuple[float | None, float | None]:
    """Return the exact sum and mean of these values, added in their order."""
    rows = union_all(*(select(cast(literal(one), Double).label("value")) for one in values))
    value = column("value", Double)
    with read_transaction(engine) as connection:
        query = select(exact_sum(value), exact_mean(value)).select_from(rows.subquery())
        return tuple(connection.execute(query).one())


def test_the_order_does_not_matter(engine: Engine):
    """The sum of a hundred values has the same last digit in every order, to 2^-50."""
    numbers = random.Random(1)
    values = [numbers.uniform(-60, 0) for _ in range(50)] + [numbers.random() for _ in range(50)]
    ascending = sorted(values)
    assert reduce(add, ascending) != reduce(add, ascending[::-1])  # a sum of doubles
    expected = sums(engine, values)
    for _ in range(5):
        numbers.shuffle(values)
        assert sums(engine, values) == expected
    assert expected[0] == pytest.approx(math.fsum(values), rel=0, abs=2**-40)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1, 0.2, 0.3], (0.6, 0.2)),
        ([-0.25, None, 0.5], (0.25, 0.125)),
        ([160_000.0, 1 / 3, -160_000.0], (1 / 3, 1 / 9)),
        ([0.0, 0.0], (0.0, 0.0)),
    ],
)
def test_sums_are_exact(engine: Engine, values: list[float | None], expected: tuple[float, float]):
    """Large values do not swallow small ones; NULLs are left out."""
    assert sums(engine, values) == pytest.approx(expected, rel=0, abs=2**-50)


def test_nothing_has_no_sum(engine: Engine):
    """Without a value, sum and mean are NULL."""
    assert sums(engine, [None, None]) == (None, None)


def test_both_engines_agree(sqlite_engine: Engine, postgres_engine: Engine):
    """SQLite and PostgreSQL return the same doubles."""
    numbers = random.Random(2)
    values = [numbers.random() ** 3 * numbers.choice((1, -50, 400)) for _ in range(300)]
    assert sums(sqlite_engine, values) == sums(postgres_engine, values[::-1])

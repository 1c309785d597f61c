"""Licences in SQL: the classes and the order are those of `genrebase.licences`."""

from itertools import combinations

from sqlalchemy import Engine, literal, select, text

from genrebase import licences
from genrebase.store import licence_sql
from genrebase.store.engine import read_transaction

ELEMENTS = [
    "-".join(("cc", *elements))
    for number in range(5)
    for elements in combinations(("by", "nc", "nd", "sa"), number)
]
NAMES = (
    *licences.NAMED,
    *ELEMENTS,
    *(f"{name}-4.0" for name in ELEMENTS),
    *("cc-by-4", "cc-by-40.0", "cc-by-4.00", "cc-by-...", "cc-by-.40", "cc-by-", "cc-by--4.0"),
    *("CC-BY-4.0", "cc-by-4.0 ", "cc0-1.0", "odbl-2.0", "mit", "4.0", "", "-", "none of ours"),
    *("non-commercial", "cc-by-٤.٠"),
)


def test_sql_and_python_agree_about_every_name(engine: Engine) -> None:
    """Also about what is no name of a licence: it is unknown in both."""
    with read_transaction(engine) as connection:
        for name in NAMES:
            found = connection.scalar(select(licence_sql.licence_class(literal(name))))
            assert (name, found) == (name, licences.licence_class(name))


def test_sql_and_python_agree_about_the_stricter_one(engine: Engine) -> None:
    """Of two licences that are stored, in either order."""
    names = [name for name in NAMES if licences.is_licence(name)]
    statement = f"SELECT {licence_sql.stricter('one', 'other')} FROM (SELECT CAST(:one AS TEXT) "
    statement += "AS one, CAST(:other AS TEXT) AS other) AS pair"
    with read_transaction(engine) as connection:
        for one in names[::3]:
            for other in names:
                found = connection.scalar(text(statement), {"one": one, "other": other})
                assert found == licences.stricter(one, other)

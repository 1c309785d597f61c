"""Licences in SQL: what one allows, and the stricter of two; as `genrebase.licences` defines it.

Without LIKE: its `%` would have to be doubled for one of the two drivers.
"""

from itertools import product
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, case, func, literal_column

from genrebase import licences

_UNLIMITED: Final = [name for name in licences.NAMED if licences.licence_class(name) == "open"]
_CREATIVE_COMMONS: Final = [
    name
    for parts in product(("", "-by"), ("", "-nc"), ("", "-nd", "-sa"))
    if licences.is_licence(name := "".join(("cc", *parts)))
]
"""Without a version."""
_VERSION_LENGTH: Final = len("4.0")


def licence_class(name: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what a licence allows, by its name; `unknown` for what is no name of a licence."""
    elements = func.rtrim(name, "0123456789.")
    has_version = and_(
        func.length(elements) + _VERSION_LENGTH == func.length(name),
        func.substr(name, func.length(name) - 1, 1) == ".",
        func.length(func.replace(name, ".", "")) + 1 == func.length(name),
    )
    classes = {f"{one}-": licences.licence_class(one) for one in _CREATIVE_COMMONS}
    return case(
        (name.in_(_UNLIMITED), "open"),
        (name == licences.TERMS, "restricted"),
        else_=case(
            classes,
            value=case((has_version, elements), else_=name.op("||")("-")),
            else_=licences.UNKNOWN,
        ),
    )


def strictest(name: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the strictest licence of a group of rows, by class and then by name."""
    return func.substr(func.max(_rank(name).op("||")(name)), 2)


def strictness(name: str) -> str:
    """Return SQL for a text that sorts licences, and ends with the licence from character 2 on."""
    compiled = _rank(literal_column(name)).compile(compile_kwargs={"literal_binds": True})
    return f"({compiled} || {name})"


def _rank(name: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the place of a licence's class, one character."""
    classes = {value: str(rank) for rank, value in enumerate(licences.CLASSES)}
    return case(classes, value=licence_class(name))


def stricter(one: str, other: str) -> str:
    """Return SQL for the stricter of two licences; NULL is no licence."""
    return (
        f"CASE WHEN {other} IS NULL OR {one} = {other} THEN {one} WHEN {one} IS NULL THEN {other}"
        f" WHEN {strictness(one)} > {strictness(other)} THEN {one} ELSE {other} END"
    )

"""Licences in SQL: what one allows, and the stricter of two; as `genrebase.licences` defines it.

Without LIKE: its `%` would have to be doubled for one of the two drivers.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, literal_column

from genrebase import licences

_UNLIMITED: Final = [name for name in licences.NAMED if licences.licence_class(name) == "open"]


def licence_class(name: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what a licence allows, by its name."""
    return case(
        (name.in_(_UNLIMITED), "open"),
        (name == licences.UNKNOWN, "unknown"),
        (name == licences.TERMS, "restricted"),
        (func.replace(name, "-nd", "") != name, "restricted"),
        (func.replace(name, "-nc", "") != name, "noncommercial"),
        else_="open",
    )


def strictness(name: str) -> str:
    """Return SQL for a text that sorts licences, and ends with the licence from character 2 on."""
    classes = {value: str(rank) for rank, value in enumerate(licences.CLASSES)}
    rank = case(classes, value=licence_class(literal_column(name)))
    compiled = rank.compile(compile_kwargs={"literal_binds": True})
    return f"({compiled} || {name})"


def stricter(one: str, other: str) -> str:
    """Return SQL for the stricter of two licences; NULL is no licence."""
    return (
        f"CASE WHEN {other} IS NULL OR {one} = {other} THEN {one} WHEN {one} IS NULL THEN {other}"
        f" WHEN {strictness(one)} > {strictness(other)} THEN {one} ELSE {other} END"
    )

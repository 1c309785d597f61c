"""Parse cells that hold lists, as JSON, Python, numpy and Spark write them. Pure.

A damaged list raises `UnreadableList`: its text is never taken as a name.
"""

import ast
import io
import json
import re
import tokenize
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from collector.datasets.parsing import cells
from genrebase.store import names, source_ids

_BRACKETS: Final = {"[": "]", "(": ")", "{": "}"}
_QUOTES: Final = "\"'"
_CALL: Final = re.compile(r"(?:np\.|numpy\.)?[A-Za-z_]\w*\(", re.ASCII)
_CALL_OF_LIST: Final = re.compile(
    r"(?:np\.|numpy\.)?(?:array|ndarray|list|tuple|set|frozenset)\(|[A-Za-z_][\w.]*\([\[({]+['\"]"
)
_PLAIN_LIST: Final = re.compile(r"\[(?:'[^'\\\n]*'(?:, (?=')|(?=\])))+\]")
_NESTED: Final = re.compile(r"""[\[{]+['"].*[\]}]""", re.DOTALL)
_EMPTY: Final = re.compile(
    r"\[\s*\]|\(\s*\)|\{\s*\}"
    r"|(?:np\.|numpy\.)?(?:array|list|tuple|set|frozenset)"
    r"\((?:\[\]|\(\)|\{\})?(?:, dtype=[^()]*)?\)"
)
_LITERAL: Final = re.compile(
    r"[bBuU]['\"]|(?:None|nan|null),? |(?:np|numpy)\.\w+\(|\w+\(\w+=", re.ASCII
)
_OBJECT: Final = "[object Object]"
"""JavaScript's text for an object."""
_CONSTANTS: Final = {"nan", "NaN", "null", "none", "None", "true", "false", "NA", "NaT", "inf"}
_NAME_KEYS: Final = (
    "name",
    "artist_name",
    "genre_title",
    "genre_name",
    "tag_name",
    "title",
    "genre",
    "tag",
)
_ID_KEYS: Final = ("id", "uri", "spotify_id", "artist_id", "artist_uri", "url", "href")
_WEIGHT_KEYS: Final = ("count", "weight", "votes")
_MAX_DEPTH: Final = 8
_MAX_CHARACTERS: Final = 131_072
"""A longer cell is not parsed."""


class UnreadableList(ValueError):
    """The cell is a damaged list."""


class ListItem(NamedTuple):
    """An item of a list."""

    name: str
    id: str | None = None
    """Its id, URI or URL as given; None where there is only a name."""


class ItemList(NamedTuple):
    """The items of a cell, in its order."""

    items: tuple[ListItem, ...] = ()
    is_shortened: bool = False
    """Whether numpy left out items (`['a' 'b' ... 'z']`)."""


class _Shortened:
    """Represents the items that numpy leaves out."""


@lru_cache(maxsize=65_536)
def parse_list(cell: str) -> ItemList | None:
    """Return the items of a list cell; None if the cell is plain text.

    A list is JSON, a Python list, tuple, set or dict, a printed numpy array, or one object.
    Objects are read by their `name`. None and NaN are left out; a text such as 'nan' may be a
    name. Raises `UnreadableList`.
    """
    text = cell.strip()
    if text == _OBJECT:
        raise UnreadableList
    if not text or not _is_list_like(text):
        return None
    if _PLAIN_LIST.fullmatch(text):
        return _collect(text[2:-2].split("', '"))  # fast path for nine lists in ten
    return _collect(_parse_value(text))


def is_blank(cell: str) -> bool:
    """Return whether a cell is empty: a word for a missing value, or a list without items."""
    if cells.is_missing(cell) or _EMPTY.fullmatch(cell.strip()):
        return True
    try:
        parsed = parse_list(cell)
    except UnreadableList:
        return False
    if parsed is None or parsed.is_shortened:
        return False
    return all(cells.is_missing(item.name) for item in parsed.items)


def is_shortened(cell: str) -> bool:
    """Return whether numpy left items out of the list in a cell."""
    if "..." not in cell:
        return False
    try:
        parsed = parse_list(cell)
    except UnreadableList:
        return False
    return parsed is not None and parsed.is_shortened


def strip_brackets(cell: str) -> str:
    """Return the text in the brackets of a list without quotes: `[pop, rock]`."""
    text = cell.strip()
    is_enclosed = len(text) > 1 and _BRACKETS.get(text[0]) == text[-1]
    return text[1:-1].strip() if is_enclosed else text


def _is_list_like(text: str) -> bool:
    """Return whether a cell has the syntax of a list: brackets around quotes or nothing.

    `[spunge]` and `(G)I-DLE` are names; so is `[a, b]`, which has no quotes.
    """
    first = text[0]
    if first in _BRACKETS:
        inside = text[1:].lstrip()
        if _EMPTY.fullmatch(text):
            return True
        return inside[:1] in {*_QUOTES, *_BRACKETS} or _has_literals(text, inside)
    if first in _QUOTES:
        return len(text) > 2 and text[-1] == first and text[1:-1].lstrip()[:1] in {"[", "{"}
    if first in "bB" and text[1:2] in _QUOTES:
        return False
    return text.endswith(")") and (
        _CALL_OF_LIST.match(text) is not None or (_CALL.match(text) is not None and "='" in text)
    )


def _has_literals(text: str, inside: str) -> bool:
    """Return whether a bracket without a leading quote holds values: None, calls, bytes."""
    if _BRACKETS[text[0]] != text[-1]:
        return False
    items = [item.strip() for item in inside[:-1].split(",")]
    if all(item in _CONSTANTS for item in items):
        return True
    return _LITERAL.match(inside) is not None


def _parse_value(text: str) -> Any:
    if len(text) > _MAX_CHARACTERS:
        raise UnreadableList
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _parse_python(text)


def _parse_python(text: str) -> Any:
    try:
        separated = _separate(text)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an unknown escape in a name
            tree = ast.parse(separated, mode="eval")
        return _value_of(tree.body)
    except (SyntaxError, ValueError, MemoryError, RecursionError, tokenize.TokenError) as error:
        raise UnreadableList from error


def _separate(text: str) -> str:
    """Insert the commas that numpy leaves out between items: `['a' 'b']`."""
    parts: list[str] = []
    previous = ""
    for token in tokenize.generate_tokens(io.StringIO(f"({text})").readline):
        if token.type in {tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER}:
            continue
        starts_item = token.type in {tokenize.STRING, tokenize.NUMBER, tokenize.NAME} or (
            token.string in {"[", "{", "..."}
        )
        if starts_item and previous == "value":
            parts.append(",")
        parts.append(token.string)
        ends_item = token.type in {tokenize.STRING, tokenize.NUMBER} or (
            token.string in {"]", "}", ")", "...", *_CONSTANTS}
        )
        previous = "value" if ends_item else ""
    return " ".join(parts)


def _value_of(node: ast.expr) -> Any:
    """Return the value of a literal; raise ValueError for anything else: nothing is executed."""
    match node:
        case ast.Constant(value=value):
            return _Shortened if value is ... else value
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            return [_value_of(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return {
                str(_value_of(key)): _value_of(value) for key, value in pairs if key is not None
            }
        case ast.Name(id=name) if name in _CONSTANTS:
            return None
        case ast.UnaryOp(operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Call(args=[], keywords=[]):
            return []
        case ast.Call(args=[first, *_]):
            return _value_of(first)
        case ast.Call(keywords=keywords):
            return {word.arg: _value_of(word.value) for word in keywords if word.arg is not None}
        case _:
            raise ValueError(ast.dump(node))


def _collect(value: Any) -> ItemList:
    items = list(_items(value, 0))
    named = (item for item in items if isinstance(item, ListItem))
    return ItemList(tuple(named), is_shortened=_Shortened in items)


def _items(value: Any, depth: int) -> Iterator[ListItem | type[_Shortened]]:
    if depth > _MAX_DEPTH:
        raise UnreadableList
    if value is _Shortened:
        yield _Shortened
    elif isinstance(value, list):
        for item in _by_weight(value):
            yield from _items(item, depth + 1)
    elif isinstance(value, dict):
        yield from _items_of_object(value, depth)
    else:
        yield from _items_of_text(value, depth)


def _by_weight(items: Sequence[Any]) -> Sequence[Any]:
    """Return objects that all have a count, such as tags with their votes, the largest first."""
    for key in _WEIGHT_KEYS:
        if items and all(isinstance(item, dict) and _is_weight(item.get(key)) for item in items):
            return sorted(items, key=lambda item: -float(item[key]))
    return items


def _is_weight(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _items_of_text(value: Any, depth: int) -> Iterator[ListItem | type[_Shortened]]:
    if value is None or isinstance(value, bool) or value != value:
        return
    text = cells.decode_bytes(value) if isinstance(value, bytes) else str(value)
    text = names.clean(cells.plain_text(text))
    if _NESTED.match(text) is not None:
        yield from _items(_parse_value(text), depth + 1)
    elif text:
        yield ListItem(text)


def _items_of_object(
    value: Mapping[str, Any], depth: int
) -> Iterator[ListItem | type[_Shortened]]:
    """Yield the item of an object with a name, or the items of a mapping."""
    name = _first_text(value, _NAME_KEYS)
    if name is not None:
        artist = value.get("artist")
        id_ = _first_text(value, _ID_KEYS)
        if id_ is None and isinstance(artist, dict):
            id_ = _first_text(artist, _ID_KEYS)
        if name:
            yield ListItem(name, id_)
        return
    if not any(key in value for key in _NAME_KEYS):
        yield from _items_of_mapping(value, depth)


def _items_of_mapping(
    value: Mapping[str, Any], depth: int
) -> Iterator[ListItem | type[_Shortened]]:
    """Yield the items of an object without a name.

    `{"pop": 3, "rock": 1}` are names with weights, `{"Ana": "spotify:artist:…"}` names with ids,
    `{"0": "pop", "1": "rock"}` numbered items, `{"element": "pop"}` is one item.
    """
    members = list(value.values())
    if not value:
        return
    if all(key.isdigit() for key in value) or (
        len(value) == 1 and isinstance(members[0], list | dict)
    ):
        yield from _items(members, depth + 1)
    elif all(isinstance(member, int | float) for member in members):
        by_weight = sorted(value, key=lambda name: -value[name])
        yield from (ListItem(names.clean(name)) for name in by_weight)
    elif all(isinstance(member, str) and _is_id(member) for member in members):
        yield from (ListItem(names.clean(name), value[name]) for name in value)
    elif all(isinstance(member, str) and _is_id(name) for name, member in value.items()):
        yield from (ListItem(names.clean(value[id_]), id_) for id_ in value)
    elif len(value) == 1:
        yield from _items(members, depth + 1)
    else:
        raise UnreadableList


def _is_id(text: str) -> bool:
    return source_ids.is_spotify_id(text.strip().rsplit(":", 1)[-1].rsplit("/", 1)[-1])


def _first_text(value: Mapping[str, Any], keys: Sequence[str]) -> str | None:
    for key in keys:
        member = value.get(key)
        if isinstance(member, bytes):
            member = cells.decode_bytes(member)
        if isinstance(member, str | int) and not isinstance(member, bool):
            return names.clean(cells.plain_text(str(member)))
    return None

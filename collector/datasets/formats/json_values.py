"""Read a JSON text value by value, and lists element by element: memory does not grow with them.

Python's decoder does the parsing; it also takes the NaN that pandas and others write.
"""

import json
from collections.abc import Iterator
from itertools import islice
from json import JSONDecodeError
from typing import IO, Any, Final

_CHUNK: Final = 1 << 18
"""Characters that are read at once."""
_MAX_VALUE: Final = 1 << 28
"""Maximum characters of one element."""
_MAX_PROBE: Final = 1 << 20
"""Maximum characters of a first line that is tested as a record."""
_DECODER: Final = json.JSONDecoder()

INVALID: Final = object()
"""Represents a line of JSON lines that is not JSON."""


class JsonText:
    """A JSON text that is decoded from its start, once."""

    def __init__(self, file: IO[str]) -> None:
        """Read `file` from its current position."""
        self._file = file
        self._buffer, self._at, self._is_complete = "", 0, False

    def next_character(self) -> str:
        """Return the next character that is not blank; empty at the end."""
        while True:
            while self._at < len(self._buffer):
                character = self._buffer[self._at]
                if not (character.isspace() or character == "\ufeff"):
                    return character
                self._at += 1
            if not self._fill():
                return ""

    def skip(self) -> None:
        """Skip the character that `next_character` returned."""
        self._at += 1

    def value(self) -> Any:
        """Return the value that begins at the next character; raise `JSONDecodeError`."""
        self.next_character()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._buffer, self._at)
            except RecursionError:
                raise JSONDecodeError("nested too deeply", "", self._at) from None
            except JSONDecodeError:
                if len(self._buffer) - self._at > _MAX_VALUE or not self._fill():
                    raise
            except ValueError as error:  # Python converts no integer of thousands of digits
                raise JSONDecodeError(str(error).partition(";")[0], "", self._at) from None
            else:
                # a number at the end of the buffer may continue
                if end < len(self._buffer) or not self._fill():
                    self._at = end
                    return value

    def _fill(self) -> bool:
        """Read at least as many characters as are buffered; return whether there were any."""
        if self._is_complete:
            return False
        text = self._file.read(max(_CHUNK, len(self._buffer) - self._at))
        self._buffer, self._at = self._buffer[self._at :] + text, 0
        self._is_complete = not text
        return bool(text)


def is_json_lines(file: IO[str]) -> bool:
    """Return whether a text is one JSON object per line, by its first two lines."""
    lines = (line for line in iter(lambda: file.readline(_MAX_PROBE), "") if line.strip())
    first, second = (*islice(lines, 2), "", "")[:2]
    if not second.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(first.lstrip("\ufeff")), dict)
    except (ValueError, RecursionError):
        return False


def read_lines(file: IO[str]) -> Iterator[Any]:
    """Yield the value of each line that is not blank, `INVALID` for one that is no JSON."""
    for line in file:
        if line.strip():
            try:
                yield json.loads(line.lstrip("\ufeff"))
            except (ValueError, RecursionError):
                yield INVALID


def read_members(file: IO[str]) -> Iterator[tuple[str, Any, bool]]:
    """Yield the parts of a document: name, value, and whether it is an element of a list.

    The elements of a list are named as the list is, those of a list that is the document "".
    Raises `JSONDecodeError` where the text is no JSON.
    """
    text = JsonText(file)
    while (character := text.next_character()) != "":
        if character == "[":
            for value in _elements(text):
                yield "", value, True
        elif character == "{":
            yield from _object_members(text)
        else:
            yield "", text.value(), False


def _object_members(text: JsonText) -> Iterator[tuple[str, Any, bool]]:
    for _ in _items(text, "}"):
        name = str(text.value())
        _expect(text, ":")
        if text.next_character() == "[":
            for value in _elements(text):
                yield name, value, True
        else:
            yield name, text.value(), False


def _elements(text: JsonText) -> Iterator[Any]:
    return (text.value() for _ in _items(text, "]"))


def _items(text: JsonText, end: str) -> Iterator[None]:
    """Yield before each item of a list or an object; pass over the brackets and commas."""
    text.skip()
    if text.next_character() == end:
        text.skip()
        return
    while True:
        yield
        if _expect(text, f",{end}") == end:
            return


def _expect(text: JsonText, characters: str) -> str:
    character = text.next_character()
    if not character or character not in characters:
        raise JSONDecodeError(f"expected one of {characters} instead of {character!r}", "", 0)
    text.skip()
    return character

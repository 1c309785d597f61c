"""Parser of the subset of Lucene's query syntax that the sandbox's MusicBrainz evaluates. Pure.

Fields with words, quoted phrases or ranges; AND, OR, NOT, +, -, parentheses; backslash escapes.
Words without a field, wildcards, `~` and `^` are outside of the subset.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

_TOKEN: Final = re.compile(
    r"""\s*(?:
        (?P<operator>AND|OR|NOT|&&|\|\||!)(?=[\s("+\-]|$)
      | (?P<sign>[+\-!])(?=\S)
      | (?P<bracket>[()])
      | \[\s*(?P<low>[^\s\]]+)\s+TO\s+(?P<high>[^\s\]]+)\s*\]
      | "(?P<phrase>(?:\\.|[^"\\])*)"
      | (?P<word>(?:\\.|[^\s()\[\]{}"\\:^~*?!/])+)(?P<colon>:?)
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
_MAX_DEPTH: Final = 20
"""Of nested parentheses."""


class LuceneSyntaxError(Exception):
    """The query is no query, or outside of the subset."""


class Occurrence(Enum):
    """What a clause means for its group."""

    MUST = "+"
    MUST_NOT = "-"
    SHOULD = ""


@dataclass(frozen=True, slots=True)
class Term:
    """A value of a field."""

    field: str
    text: str
    """Without escapes."""
    is_phrase: bool
    """Whether it was quoted: its words have to follow each other."""


@dataclass(frozen=True, slots=True)
class Range:
    """A range of a field's values, both ends included; None: open."""

    field: str
    low: str | None
    high: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """Clauses that belong together."""

    clauses: tuple["Clause", ...]


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition, and what it means for its group."""

    occurrence: Occurrence
    condition: "Condition"


Condition = Term | Range | Group


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    high: str = ""


def parse(query: str) -> Group:
    """Parse `query`; raise `LuceneSyntaxError`."""
    parser = _Parser(list(_tokens(query)))
    group = parser.group(None, 0)
    if not group.clauses or parser.has_more:
        raise LuceneSyntaxError(query)
    return group


def _tokens(query: str) -> Iterator[_Token]:
    position, end = 0, len(query.rstrip())
    while position < end:
        match = _TOKEN.match(query, position)
        if match is None:
            raise LuceneSyntaxError(f"at {query[position:]!r}")
        position = match.end()
        if match["low"] is not None:
            yield _Token("range", match["low"], match["high"])
        elif match["word"] is not None:
            yield _Token("field" if match["colon"] else "word", _unescape(match["word"]))
        elif match["phrase"] is not None:
            yield _Token("phrase", _unescape(match["phrase"]))
        elif match["bracket"]:
            yield _Token(match["bracket"], match["bracket"])
        else:
            text = match["operator"] or match["sign"]
            yield _Token({"&&": "AND", "||": "OR", "!": "NOT"}.get(text, text), text)


class _Parser:
    """The classic query parser: AND makes the conditions on both sides required."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens, self._at = tokens, 0

    @property
    def has_more(self) -> bool:
        return self._at < len(self._tokens)

    def group(self, field: str | None, depth: int) -> Group:
        """Parse clauses up to the group's end; `field` is that of words without one."""
        if depth > _MAX_DEPTH:
            raise LuceneSyntaxError("too many parentheses")
        clauses: list[Clause] = []
        while self.has_more and self._tokens[self._at].kind != ")":
            operator = self._take_if("AND", "OR")
            if operator and not clauses:
                raise LuceneSyntaxError(f"{operator} at the beginning")
            sign = self._take_if("NOT", "+", "-")
            condition = self._condition(field, depth)
            is_and = operator == "AND"
            if is_and and clauses[-1].occurrence is Occurrence.SHOULD:
                clauses[-1] = Clause(Occurrence.MUST, clauses[-1].condition)
            if sign in {"NOT", "-"}:
                occurrence = Occurrence.MUST_NOT
            else:
                occurrence = Occurrence.MUST if sign == "+" or is_and else Occurrence.SHOULD
            clauses.append(Clause(occurrence, condition))
        return Group(tuple(clauses))

    def _condition(self, field: str | None, depth: int) -> Condition:
        token = self._take()
        if token.kind == "field":
            field, token = token.text.lower(), self._take()
        if token.kind == "(":
            group = self.group(field, depth + 1)
            if not group.clauses or self._take().kind != ")":
                raise LuceneSyntaxError("a parenthesis is not closed, or empty")
            return group
        if field is None:
            raise LuceneSyntaxError(f"{token.text!r} has no field")
        if token.kind == "range":
            low, high = (None if end == "*" else end for end in (token.text, token.high))
            return Range(field, low, high)
        if token.kind in {"word", "phrase"}:
            return Term(field, token.text, token.kind == "phrase")
        raise LuceneSyntaxError(f"{token.text!r} is no value")

    def _take(self) -> _Token:
        if not self.has_more:
            raise LuceneSyntaxError("the query ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _take_if(self, *kinds: str) -> str | None:
        return (
            self._take().kind if self.has_more and self._tokens[self._at].kind in kinds else None
        )


def _unescape(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)

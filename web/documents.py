"""The pages of docs/ that the server shows, too: the glossary, questions in SQL, API examples."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup, escape

_PACKAGE: Final = Path(__file__).resolve().parent
_QUESTION: Final = re.compile(r"^## (.+?)\n.*?```sql\n(.*?);?\n```", re.MULTILINE | re.DOTALL)
_SHELL: Final = re.compile(r"^```sh\n(.*?)\n```", re.MULTILINE | re.DOTALL)
_CURL: Final = re.compile(r"^curl .*?(?=^(?:curl|printf) |\Z)", re.MULTILINE | re.DOTALL)
_POSTED_TO: Final = re.compile(r"https?://[^/]+(/[^\s\"]+)\"? .*(?:-d|--data-binary) ", re.DOTALL)
_LINK: Final = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_CODE: Final = re.compile(r"`([^`]+)`")
_STRONG: Final = re.compile(r"\*\*([^*]+)\*\*")
_EMPHASIS: Final = re.compile(r"\*([^*]+)\*")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the SQL query that answers it."""

    question: str
    sql: str


@dataclass(frozen=True, slots=True)
class Term:
    """An entry of the glossary."""

    subject: str
    word: str
    meaning: str
    """In Markdown."""


@cache
def questions() -> tuple[Question, ...]:
    """Return the questions of docs/sql.md."""
    return tuple(Question(title, sql) for title, sql in _QUESTION.findall(_read("sql.md")))


@cache
def glossary() -> tuple[Term, ...]:
    """Return the entries of docs/glossary.md."""
    terms, subject = [], ""
    for line in _read("glossary.md").splitlines():
        if line.startswith("## "):
            subject = line.removeprefix("## ")
        elif line.startswith("| **"):
            word, meaning = (cell.strip() for cell in line.strip("|").split(" | ", 1))
            terms.append(Term(subject, plain(word), meaning.strip(" |")))
    return tuple(terms)


@cache
def glossary_introduction() -> str:
    """Return the text of docs/glossary.md between its title and its first subject."""
    return " ".join(_read("glossary.md").partition("\n## ")[0].splitlines()[1:]).strip()


@cache
def posted_examples() -> dict[str, str]:
    """Return the first `curl` command of docs/api.md that posts to an address, by path."""
    commands = [
        command.strip()
        for block in _SHELL.findall(_read("api.md"))
        for command in _CURL.findall(block)
    ]
    examples: dict[str, str] = {}
    for command in commands:
        if match := _POSTED_TO.search(command):
            examples.setdefault(match[1], command)
    return examples


def plain(text: str) -> str:
    """Return a line of Markdown as text."""
    for pattern in (_LINK, _CODE, _STRONG, _EMPHASIS):
        text = pattern.sub(r"\1", text)
    return text


def as_html(text: str) -> Markup:
    """Return a line of Markdown as HTML; links to other files of docs/ as text."""
    html = _LINK.sub(r"\1", str(escape(text)))
    for pattern, tag in ((_CODE, "code"), (_STRONG, "b"), (_EMPHASIS, "em")):
        html = pattern.sub(rf"<{tag}>\1</{tag}>", html)
    return Markup(html)  # noqa: S704 - escaped above


def _read(name: str) -> str:
    """Return a page: of the installed package, or else of the checkout."""
    packaged = _PACKAGE / "docs" / name
    file = packaged if packaged.exists() else _PACKAGE.parent / "docs" / name
    return file.read_text(encoding="utf-8")

"""What clients send with a page: URL-encoded forms, and the parameters of addresses."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from genrebase.counts import counted
from genrebase.errors import UserError
from genrebase.store import names
from web.problems import FormRefused

MAX_FIELDS: Final = 20
MAX_ID_DIGITS: Final = 18
"""More may not fit into an id of 64 bits."""
_MAX_SHOWN: Final = 50
"""Characters of what a client sent that a sentence repeats."""


class InvalidParameter(UserError):
    """An address has a parameter that its page does not take, or a value that it does not."""


async def read_form(request: Request, max_bytes: int) -> dict[str, str]:
    """Return the fields of a form, the first of each name; raise `FormRefused`."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise FormRefused(413, f"The form is larger than {counted(max_bytes, 'byte')}.")
    fields: dict[str, str] = {}
    try:
        pairs = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MAX_FIELDS)
    except ValueError:
        raise FormRefused(400, f"The form has more than {MAX_FIELDS} fields.") from None
    for name, value in pairs:
        fields.setdefault(name, value)
    return fields


def address_parameters(pairs: Iterable[tuple[str, str]], known: Collection[str]) -> dict[str, str]:
    """Return the parameters of an address, without characters that no database stores.

    Raise `InvalidParameter` for one that is not `known`: a filter whose name is misspelt would
    otherwise select everything.
    """
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            taken = f"it takes {listed(sorted(known), 'and')}" if known else "it takes none"
            raise InvalidParameter(f"This page has no parameter {name[:_MAX_SHOWN]!r}: {taken}.")
        if name in values:
            raise InvalidParameter(f"The parameter {name} is given more than once.")
        values[name] = names.clean(value)
    return values


def choice(values: Mapping[str, str], name: str, choices: Collection[str]) -> str:
    """Return a parameter that is one of some texts, empty without it; raise `InvalidParameter`."""
    value = values.get(name, "")
    if value and value not in choices:
        raise InvalidParameter(
            f"The parameter {name} is {listed([*choices], 'or')}, not {value[:_MAX_SHOWN]!r}."
        )
    return value


def listed(texts: Sequence[str], conjunction: str) -> str:
    """Return texts as people list them: `a, b and c`."""
    *first, last = texts
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def id_number(text: str, default: int = 0) -> int:
    """Return an id that a client wrote as a number; `default` for anything else."""
    is_id = text.isascii() and text.isdecimal() and len(text) <= MAX_ID_DIGITS
    return int(text) if is_id else default

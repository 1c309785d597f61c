"""URL-encoded forms, read up to a limit of bytes and fields."""

from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from genrebase.counts import counted
from web.problems import FormRefused

MAX_FIELDS: Final = 20
_MAX_ID_DIGITS: Final = 18
"""More may not fit into an id of 64 bits."""


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


def id_number(text: str, default: int = 0) -> int:
    """Return an id that a client wrote as a number; `default` for anything else."""
    is_id = text.isascii() and text.isdecimal() and len(text) <= _MAX_ID_DIGITS
    return int(text) if is_id else default

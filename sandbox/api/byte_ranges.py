"""Responses with a part of a file, as a header `Range` asks for it."""

import re
from typing import Final

from starlette.responses import Response

_RANGE: Final = re.compile(r"bytes=(\d{1,15})-(\d{1,15})?")


def range_response(content: bytes, header: str | None, media_type: str) -> Response:
    """Return the whole content, the part that one range names, or 416 for one beyond the end."""
    accepts = {"Accept-Ranges": "bytes"}
    match = _RANGE.fullmatch(header or "")
    if match is None:
        return Response(content, 200, accepts, media_type)
    first = int(match[1])
    last = min(int(match[2]), len(content) - 1) if match[2] else len(content) - 1
    if first > last:
        return Response(b"", 416, {**accepts, "Content-Range": f"bytes */{len(content)}"})
    part = f"bytes {first}-{last}/{len(content)}"
    return Response(content[first : last + 1], 206, {**accepts, "Content-Range": part}, media_type)

"""Bodies that are files: written to a temporary file while they are counted."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import NamedTemporaryFile
from typing import IO, Final

from starlette.requests import Request

from web.api.operations import Problem, received

MAX_BYTES: Final = 50_000_000


@asynccontextmanager
async def uploaded_file(request: Request, media_types: frozenset[str]) -> AsyncIterator[IO[bytes]]:
    """Yield a temporary file with the body of a request; it is deleted after the block.

    Raises `Problem` for another media type, a body that is too large, empty or too slow.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in media_types:
        raise Problem(
            415,
            f"Send the file as the body, with Content-Type: {' or '.join(sorted(media_types))}.",
        )
    with NamedTemporaryFile() as file:
        size = 0
        async for chunk in received(request, MAX_BYTES):
            size += len(chunk)
            file.write(chunk)
        if not size:
            raise Problem(422, "The body is empty: send the file as the body.")
        file.flush()
        file.seek(0)
        yield file

"""The operation that predicts the rows of a CSV file: it comes back with five more columns."""

import asyncio
import csv
import io
import math
from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, closing
from dataclasses import dataclass
from itertools import islice
from typing import IO, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from classifier.errors import BadTrainingConfig
from classifier.serving.online import MAX_ITEMS, Result
from classifier.serving.predict_track import NUMERIC_INPUTS, TrackDescription
from genrebase.counts import agree, counted
from genrebase.errors import UserError, as_clause
from genrebase.spreadsheet_cells import as_text
from genrebase.store import names
from web.api.operations import ApiCall, Operation, Problem
from web.api.predictions import NOTHING_DESCRIBED
from web.api.uploads import uploaded_file
from web.predictor import Overloaded, Predictor

CSV: Final = "text/csv"
MAX_ROWS: Final = 100_000
MAX_LINE: Final = 1_000_000
ADDED: Final = (
    "predicted_genre", "predicted_probability", "predicted_regime", "predicted_by_model",
    "predicted_problem",
)  # fmt: skip
"""The columns that are added; the last one says why a row has no prediction."""
_NAMES: Final = {
    "title": ("title", "track_name", "track_title", "name"),
    "artists": ("artists", "artist", "artist_name", "artist_names", "track_artist"),
    "album": ("album", "album_name", "track_album_name"),
}
"""The names that a column of texts may have."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where a file has its texts and numbers."""

    count: int
    texts: dict[str, int]
    numbers: dict[str, int]

    def track(self, row: Sequence[str]) -> TrackDescription | UserError:
        """Return the track that a row describes, or what is wrong with it."""
        if len(row) != self.count:
            return UserError(f"The row has {len(row)} cells, and the header {self.count}.")
        texts = {name: names.clean(row[at]) for name, at in self.texts.items()}
        artists = (name.strip() for name in texts.get("artists", "").split(";"))
        try:
            track = TrackDescription(
                texts.get("title") or None,
                tuple(name for name in artists if name),
                texts.get("album") or None,
                {
                    name: _number(name, row[at])
                    for name, at in self.numbers.items()
                    if row[at].strip()
                },
            )
        except UserError as error:
            return error
        return UserError(NOTHING_DESCRIBED) if track.is_empty else track


async def predict_csv(call: ApiCall) -> StreamingResponse:
    """Predict up to 100,000 rows of a CSV file; five columns are added."""
    predictor = call.context.predictor
    await run_in_threadpool(predictor.models)  # without a champion the response is a problem
    async with AsyncExitStack() as stack:
        file = await stack.enter_async_context(uploaded_file(call.request, frozenset({CSV})))
        columns = await run_in_threadpool(_check, file)
        kept = stack.pop_all()  # the file is deleted after the response

    async def body() -> AsyncIterator[bytes]:
        async with kept:
            async for text in _predicted(file, columns, predictor):
                yield text.encode()

    return StreamingResponse(body(), media_type=CSV)


async def _predicted(
    file: IO[bytes], columns: _Columns, predictor: Predictor
) -> AsyncIterator[str]:
    with closing(_rows(file)) as rows:
        yield _as_csv([[*next(rows), *ADDED]])
        while batch := list(islice(rows, MAX_ITEMS)):
            tracks = [columns.track(row) for row in batch]
            described = [one for one in tracks if isinstance(one, TrackDescription)]
            predictions = iter(await _results(predictor, described))
            results = [one if isinstance(one, UserError) else next(predictions) for one in tracks]
            yield _as_csv(
                [*row, *[""] * (columns.count - len(row)), *_cells(one)]
                for row, one in zip(batch, results, strict=True)
            )


async def _results(predictor: Predictor, tracks: Sequence[TrackDescription]) -> list[Result]:
    """Return the results; wait while too many other predictions wait."""
    while tracks:
        try:
            return await predictor.predict_later(tracks)
        except Overloaded as error:
            await asyncio.sleep(error.retry_after)
    return []


def _check(file: IO[bytes]) -> _Columns:
    """Return where the columns of a file are; raise `Problem` if it cannot be read to its end."""
    count = 0
    with closing(_rows(file)) as rows:
        try:
            header = next(rows, [])
            for count, _row in enumerate(rows, start=1):
                if count > MAX_ROWS:
                    raise Problem(
                        413,
                        f"The file has more than {counted(MAX_ROWS, 'row')}: send it in parts.",
                    )
        except UnicodeDecodeError:
            raise Problem(422, "The file is not encoded in UTF-8.") from None
        except csv.Error as error:
            raise Problem(
                422, f"The file is no CSV (after {counted(count, 'row')}): {as_clause(error)}."
            ) from None
    places = {"_".join(name.casefold().split()): at for at, name in reversed([*enumerate(header)])}
    taken = [header[places[name]].strip() for name in ADDED if name in places]
    if taken:
        raise Problem(
            422,
            f"The file has {agree(len(taken), 'a column', 'columns')} that the response adds: "
            f"{', '.join(taken)}. Rename or remove {agree(len(taken), 'it', 'them')}.",
        )
    texts = {
        field: next(places[name] for name in aliases if name in places)
        for field, aliases in _NAMES.items()
        if any(name in places for name in aliases)
    }
    numbers: dict[str, int] = {name: places[name] for name in NUMERIC_INPUTS if name in places}
    if not texts and not numbers:
        known = ", ".join((*_NAMES, *NUMERIC_INPUTS))
        raise Problem(422, f"The file has none of these columns: {known}.")
    return _Columns(len(header), texts, numbers)


def _rows(file: IO[bytes]) -> Generator[list[str]]:
    """Yield the rows of a file from its beginning, without empty lines."""
    file.seek(0)
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        yield from (row for row in csv.reader(_lines(text)) if row)
    finally:
        text.detach()  # the file stays open


def _lines(text: IO[str]) -> Iterator[str]:
    """Yield the lines of a file; raise `csv.Error` for one that would fill the memory."""
    while line := text.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith("\n"):
            raise csv.Error(f"a line has more than {counted(MAX_LINE, 'character')}")
        yield line


def _number(name: str, cell: str) -> float:
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise BadTrainingConfig(f"{name} is a number, not {cell[:50]!r}.")
    return number


def _cells(result: Result) -> tuple[object, ...]:
    """Return the cells of the added columns."""
    if isinstance(result, UserError):
        return ("", "", "", "", as_text(str(result)))
    genre, probability = result.top[0]
    return (as_text(genre), probability, result.regime, result.model, "")


def _as_csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


OPERATIONS: Final = (
    Operation(
        "POST",
        "/predict/csv",
        "predictCsv",
        predict_csv,
        CSV,
        body_media_type=CSV,
        problems=(408, 413, 415, 429),
    ),
)

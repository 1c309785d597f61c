r"""Read PostgreSQL's COPY text: a line per row, tabs between cells, `\N` for NULL, no header."""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import IO, Any, Final

from collector.datasets.dumps.archive import DamagedDump

Cells = tuple[str | None, ...]
"""The requested cells of a row; None is NULL."""

_BLOCK: Final = 1 << 20
_MAX_LINE: Final = 1 << 24
"""Bytes of a line; the longest one of a dump is an annotation."""
_END: Final = "\\."
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_CHARACTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def read_rows(
    stream: IO[bytes], name: str, columns: Sequence[str], wanted: Sequence[str], skip: int = 0
) -> Iterator[Cells]:
    """Yield the `wanted` cells (at least two) of each row of a table with these columns.

    The first `skip` rows are passed over without being parsed. Raises `DamagedDump` for a row with
    another number of cells, and for a table that breaks off; `name` is its name in messages.
    """
    pick: Callable[[Sequence[str]], tuple[Any, ...]] = itemgetter(*map(columns.index, wanted))
    width = len(columns)
    for number, line in enumerate(islice(read_lines(stream, name), skip, None), skip + 1):
        cells = line.split("\t")
        if len(cells) != width:
            raise DamagedDump.because(
                f"{name}, row {number:,},", f"{len(cells)} columns instead of {width}"
            )
        yield pick(cells) if "\\" not in line else tuple(map(unescape, pick(cells)))


def unescape(cell: str) -> str | None:
    """Return the value of a cell."""
    if "\\" not in cell:
        return cell
    if cell == r"\N":
        return None
    return _ESCAPED.sub(lambda match: _CHARACTERS.get(match[1], match[1]), cell)


def read_lines(stream: IO[bytes], name: str) -> Iterator[str]:
    """Yield the lines of a table in UTF-8, without line feeds; raise `DamagedDump`."""
    rest = b""
    while block := stream.read(_BLOCK):
        block = rest + block
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if len(rest) > _MAX_LINE:
            raise DamagedDump.because(name, f"a line of more than {_MAX_LINE >> 20} MiB")
        try:
            lines = block[:end].decode().split("\n")
        except UnicodeDecodeError as error:
            raise DamagedDump.because(name, error) from error
        lines.pop()
        if _END in lines:
            yield from lines[: lines.index(_END)]
            return
        yield from lines
    if rest:
        raise DamagedDump.because(name, "its last row breaks off")

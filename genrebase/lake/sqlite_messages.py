"""What the process that reads a SQLite file and its parent send each other.

The parent writes one `ReadRequest` a line to standard input. The process writes `DONE` to standard
output when it can read the file, and for each request an Arrow stream followed by `DONE`. After a
line `RELEASE` it writes `DONE` only, and the next request sees a later state of the file. If it
fails it ends, with the reason on standard error.
"""

import base64
import json
from dataclasses import dataclass
from typing import Final, Self

import pyarrow as pa

DONE: Final = b"\n"
"""An Arrow stream that breaks off is read like a complete one."""
RELEASE: Final = b"\n"
"""A line that ends the state that is read: the next request begins another one."""
BATCH_ROWS: Final = 65_536


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A query, and the schema that its rows are converted to."""

    sql: str
    schema: pa.Schema

    def to_line(self) -> bytes:
        """Return the request as a line of JSON."""
        schema = base64.b64encode(self.schema.serialize().to_pybytes()).decode()
        return json.dumps({"sql": self.sql, "schema": schema}).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Self:
        """Return the request of a line."""
        fields = json.loads(line)
        buffer = pa.py_buffer(base64.b64decode(fields["schema"]))
        return cls(fields["sql"], pa.ipc.read_schema(buffer))

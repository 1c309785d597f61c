"""What the process that reads a SQLite file and its parent send each other.

The parent writes one query a line, as JSON, to standard input. The process writes `DONE` to
standard output when it can read the file, and for each query an Arrow stream followed by `DONE`.
The rows have the types of the driver, and the first row is that of `with_types`. After a line
`RELEASE` it writes `DONE` only, and the next query sees a later state of the file. If it fails it
ends, with the reason on standard error.
"""

from typing import Final

DONE: Final = b"\n"
"""An Arrow stream that breaks off is read like a complete one."""
RELEASE: Final = b"\n"
"""A line that ends the state that is read: the next query begins another one."""
BATCH_ROWS: Final = 65_536

"""An engine that can only read, and whose statements end after some seconds."""

import time
from typing import Any, Final

from sqlalchemy import Engine, event

STATEMENT_SECONDS: Final = 10.0
"""Maximum duration of one statement of a page."""
_PROGRESS_STEPS: Final = 20_000
"""Instructions of SQLite's virtual machine between two looks at the clock."""


def make_read_only(engine: Engine, seconds: float = STATEMENT_SECONDS) -> None:
    """Let every new connection of an engine read only, with a limit of time per statement."""
    is_sqlite = engine.dialect.name == "sqlite"

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        if is_sqlite:
            cursor.execute("PRAGMA query_only=ON")
        else:
            cursor.execute("SET default_transaction_read_only = on")
            cursor.execute(f"SET statement_timeout = {int(seconds * 1000)}")
            connection.commit()
        cursor.close()

    if is_sqlite:

        @event.listens_for(engine, "before_cursor_execute")
        def before(conn: Any, *_arguments: Any) -> None:
            end = time.monotonic() + seconds
            conn.connection.driver_connection.set_progress_handler(
                lambda: time.monotonic() > end, _PROGRESS_STEPS
            )

    engine.dispose()  # connections from before could write

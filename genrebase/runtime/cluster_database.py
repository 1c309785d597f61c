"""Whether the workers of a cluster read the database of the command that uses them."""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import Engine, select

from genrebase.errors import UserError
from genrebase.runtime.cluster import LOCAL
from genrebase.runtime.process_identity import ProcessIdentity
from genrebase.store import tables
from genrebase.store.engine import read_transaction


def require_shared_database(engine: Engine, address: str) -> None:
    """Raise `UserError` for a SQLite file and workers that may be on other computers."""
    if engine.dialect.name == "sqlite" and not address.startswith(LOCAL):
        raise UserError(
            f"A SQLite database is a file of this computer, which the workers at {address} do "
            "not have: use --on local:N, or PostgreSQL (`genrebase copy` copies a database)."
        )


@dataclass(frozen=True, slots=True)
class CommandRun:
    """A run of `job_run`, by which a worker finds out whether its database is ours."""

    id: int
    process: str

    @classmethod
    def of_this_process(cls, run_id: int) -> Self:
        """Return a run that this process has started."""
        return cls(run_id, str(ProcessIdentity.current()))

    def require(self, engine: Engine) -> None:
        """Raise `UserError` if `engine` is on another database."""
        row = tables.job_run.c
        with read_transaction(engine) as connection:
            counts = connection.scalar(select(row.counts).where(row.id == self.id))
        if counts is None or counts.get("process") != self.process:
            raise UserError(
                "A worker uses another database than this command: start the workers with the "
                "same STORE_URL. Nothing was written there."
            )

"""The errors of the store; each message says what to do."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from genrebase.errors import GenrebaseError, UserError


class StoreError(GenrebaseError):
    """The database could not complete an operation."""


class DatabaseUnreachable(StoreError):
    """No connection to the database."""


class DatabaseFailure(StoreError):
    """The connection broke, or a write was refused, in the middle of an operation."""


class ConcurrentWrites(DatabaseFailure):
    """Others wrote the same rows in another order, and the database ended this transaction."""


class DatabaseBusy(StoreError):
    """Another session holds a lock for too long."""

    @classmethod
    def held_by(cls, holders: Sequence[str], seconds: float) -> Self:
        """Name the sessions that hold locks."""
        listed = "; ".join(holders) or "a session that has ended since"
        return cls(
            f"Nothing was changed: after {seconds:g} s others still hold locks on the tables or "
            f"views: {listed}. Wait for them, or end one with "
            "SELECT pg_terminate_backend(PROCESS), and run the same again."
        )


class SchemaMismatch(UserError):
    """The database has another schema revision than this version of Genrebase expects."""


class ViewConflict(UserError):
    """A migration was rolled back because of views that users created."""

    @classmethod
    def not_restored(cls, reasons: Mapping[str, str]) -> Self:
        """Name the objects that could not be recreated, each with the reason."""
        objects = "; ".join(f"{name} ({reason})" for name, reason in sorted(reasons.items()))
        return cls(
            "Nothing was changed, because the migration could not preserve these objects: "
            f"{objects}. Drop them, migrate, and create them again."
        )

    @classmethod
    def names_taken(cls, names: Iterable[str]) -> Self:
        """Name the users' views that carry the name of one of ours."""
        return cls(
            "Nothing was changed, because Genrebase needs the names of views that it did not "
            f"create: {', '.join(sorted(names))}. Rename them and migrate again."
        )

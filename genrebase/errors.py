"""Base classes of all errors; each defines the exit code of the command it ends."""

from typing import ClassVar

from genrebase import exit_codes


class GenrebaseError(Exception):
    """An operation failed; the message says what to do."""

    exit_code: ClassVar[int] = exit_codes.FAILED
    is_refusal: ClassVar[bool] = False
    """Whether the request was refused before anything was done: no failure of a service."""


class UserError(GenrebaseError):
    """The request cannot be carried out as given; nothing was changed."""

    exit_code: ClassVar[int] = exit_codes.REFUSED
    is_refusal: ClassVar[bool] = True


class NothingToDo(GenrebaseError):
    """The command had nothing to do."""

    exit_code: ClassVar[int] = exit_codes.NOTHING_TO_DO


class CommandInterrupted(GenrebaseError):
    """Ctrl-C, or SIGTERM, ended a command before it was done; the message says what was kept."""

    exit_code: ClassVar[int] = exit_codes.INTERRUPTED


def as_clause(message: object) -> str:
    """Return a message to end a sentence that continues: without its own full stop.

    Messages of libraries end with one or not: `f"{file} cannot be read: {as_clause(error)}."`
    """
    return str(message).rstrip().rstrip(".")

"""Base classes of all errors; each defines the exit code of the command it ends."""

from typing import ClassVar


class GenrebaseError(Exception):
    """An operation failed; the message says what to do."""

    exit_code: ClassVar[int] = 1
    is_refusal: ClassVar[bool] = False
    """Whether the request was refused before anything was done: no failure of a service."""


class UserError(GenrebaseError):
    """The request cannot be carried out as given; nothing was changed."""

    exit_code: ClassVar[int] = 2
    is_refusal: ClassVar[bool] = True


class NothingToDo(GenrebaseError):
    """The command had nothing to do."""

    exit_code: ClassVar[int] = 3

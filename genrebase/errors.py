"""What can go wrong: sentences that say what to do, each with the exit code it ends with."""

from typing import ClassVar


class GenrebaseError(Exception):
    """Something failed; the message says what to do about it."""

    exit_code: ClassVar[int] = 1


class UserError(GenrebaseError):
    """The request makes no sense as it stands: nothing was read, changed or half-written."""

    exit_code: ClassVar[int] = 2


class NothingToDo(GenrebaseError):
    """There was nothing to do."""

    exit_code: ClassVar[int] = 3

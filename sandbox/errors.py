"""Errors that keep the sandbox from starting or end it."""

from genrebase.errors import GenrebaseError, UserError


class UnusableCatalogue(UserError):
    """The catalogue file cannot be served."""


class UnusableOption(UserError):
    """An option of the sandbox cannot be used."""


class PortTaken(UserError):
    """Another program listens on the port."""


class ServerStopped(GenrebaseError):
    """The server ended without having been stopped."""

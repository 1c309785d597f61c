"""What can keep the sandbox from starting."""

from genrebase.errors import GenrebaseError, Refused


class UnusableCatalogue(Refused):
    """The catalogue file cannot be served."""


class UnusableOption(Refused):
    """An option of the sandbox cannot be used."""


class PortTaken(Refused):
    """Another program listens on the port."""


class ServerStopped(GenrebaseError):
    """The server ended although nobody asked it to."""

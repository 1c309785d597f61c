"""What the store refuses, and why."""

from genrebase.errors import GenrebaseError, Refused


class StoreError(GenrebaseError):
    """The database could not do what was asked."""


class BadUrl(Refused):
    """The database's address cannot be used."""


class Unreachable(StoreError):
    """The database does not answer."""


class SchemaMismatch(Refused):
    """The database carries another schema than this version of Genrebase."""


class ViewsInTheWay(Refused):
    """Somebody's own views could not be kept through an upgrade, so nothing was touched."""

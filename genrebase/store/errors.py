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


class BadSetting(Refused):
    """A setting of the store cannot be used."""


class NotOurs(Refused):
    """The database cannot take our schema as it is."""


class Interrupted(StoreError):
    """The database went away, or refused to be written to, in the middle of something."""

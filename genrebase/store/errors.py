"""What the store refuses, and why."""

from genrebase.errors import GenrebaseError, UserError


class StoreError(GenrebaseError):
    """The database could not do what was asked."""


class InvalidUrl(UserError):
    """The database's address cannot be used."""


class DatabaseUnreachable(StoreError):
    """The database does not answer."""


class SchemaMismatch(UserError):
    """The database carries another schema than this version of Genrebase."""


class ViewConflict(UserError):
    """Somebody's own views could not be kept through an upgrade, so nothing was touched."""


class InvalidStoreSettings(UserError):
    """A setting of the store cannot be used."""


class IncompatibleDatabase(UserError):
    """The database cannot take our schema as it is."""


class DatabaseFailure(StoreError):
    """The database went away, or refused to be written to, in the middle of something."""

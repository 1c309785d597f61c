"""List the sources of labels and features, and set the licence of one."""

from collector.catalogue import data_sources
from collector.catalogue.data_sources import DataSource
from genrebase import licences
from genrebase.digests import store as digests
from genrebase.errors import UserError
from genrebase.store.bulk import exclusive_transaction
from genrebase.store.engine import Engine, read_transaction


def list_sources(engine: Engine) -> list[DataSource]:
    """Return every source and provider, by name."""
    with read_transaction(engine) as connection:
        return data_sources.load(connection)


def set_licence(engine: Engine, name: str, licence: str) -> DataSource:
    """Set the licence of a source, and of the features of files that it delivered.

    Raises `UserError` for a source that does not exist, or whose licence is known.
    """
    fixed = licences.OF_SOURCES.get(name)
    if fixed is not None:
        raise UserError(f"The licence of {name} is known: {fixed}.")
    with exclusive_transaction(engine) as connection:
        stored = {one.name: one for one in data_sources.load(connection)}
        if name not in stored:
            raise UserError(f"There is no source {name}: see `collector sources list`.")
        data_sources.set_licence(connection, name, licence)
        digests.discard(connection, views_named=["data_sources"])
        return next(one for one in data_sources.load(connection) if one.name == name)

"""Copy a database into another, SQLite or PostgreSQL, in resumable batches."""

from genrebase.store.copy.copy import copy_database

__all__ = ["copy_database"]

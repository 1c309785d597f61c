"""Copy a database into another, SQLite or PostgreSQL, in resumable batches."""

from genrebase.store.copy.copy import (
    CopyResult,
    NoSuchSource,
    SameDatabase,
    TargetHoldsOtherData,
    copy_database,
)

__all__ = [
    "CopyResult",
    "NoSuchSource",
    "SameDatabase",
    "TargetHoldsOtherData",
    "copy_database",
]

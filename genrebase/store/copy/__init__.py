"""Copying databases: into another of either kind, batch by batch."""

from genrebase.store.copy.copy import (
    CopiedTable,
    CopyProgress,
    CopyResult,
    SameDatabase,
    TargetHoldsOtherData,
    copy_database,
)

__all__ = [
    "CopiedTable",
    "CopyProgress",
    "CopyResult",
    "SameDatabase",
    "TargetHoldsOtherData",
    "copy_database",
]

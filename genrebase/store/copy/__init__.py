"""Copying databases: into another of either kind, batch by batch."""

from genrebase.store.copy.copy import (
    Copied,
    HoldsOtherData,
    Progress,
    SameDatabase,
    TableCopied,
    copy,
)

__all__ = ["Copied", "HoldsOtherData", "Progress", "SameDatabase", "TableCopied", "copy"]

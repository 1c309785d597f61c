"""Copying databases: into another of either kind, batch by batch."""

from genrebase.store.copying.copying import (
    Copied,
    HoldsOtherData,
    Progress,
    SameDatabase,
    TableCopied,
    copy,
)

__all__ = ["Copied", "HoldsOtherData", "Progress", "SameDatabase", "TableCopied", "copy"]

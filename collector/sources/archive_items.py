"""Parse Internet Archive's items: those of a search, and one with its files. Pure.

Every field of an item may be a text or a list of texts: uploaders fill them in freely.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from collector.datasets.parsing import cells
from collector.errors import InvalidResponse, UnusableResponse
from collector.records import ItemFiles, ListedItem
from collector.sources import item_fields as fields
from collector.sources.archive_files import choose_files
from collector.sources.item_fields import RejectReason
from collector.sources.subject_genres import parse_subjects
from genrebase import licences
from genrebase.store import names

_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VARIOUS: Final = frozenset({"various", "various artists", "v/a", "va", "v.a.", "v.a"})
"""Creators, normalised, that name nobody."""
_MAX_FILES: Final = 20_000
"""Files of one item, derivatives included."""


def parse_listed_item(document: Any, last_year: int) -> ListedItem | RejectReason:
    """Return an item of a search, or the reason to reject it."""
    if not isinstance(document, dict):
        return RejectReason.NOTHING if document is None else RejectReason.NO_OBJECT
    identifier = document.get("identifier")
    if not isinstance(identifier, str) or not _IDENTIFIER.fullmatch(identifier):
        return RejectReason.NO_ID
    return _item(identifier, document, last_year)


def parse_item_files(document: Any, identifier: str, last_year: int, max_bytes: int) -> ItemFiles:
    """Return an item with its files of at most `max_bytes`, one per track.

    Raises `UnusableResponse` for an item that is gone, and `InvalidResponse` for
    anything but an item.
    """
    if not isinstance(document, dict):
        raise InvalidResponse("The response is no item of Internet Archive.")
    metadata = document.get("metadata")
    if not document or document.get("is_dark") is True or not isinstance(metadata, dict):
        raise UnusableResponse(fields.GONE)
    if metadata.get("identifier", identifier) != identifier:
        raise InvalidResponse("The response is about another item than the one requested.")
    listed = document.get("files")
    if not isinstance(listed, list):
        raise InvalidResponse("The item has no list of files.")
    passed_over: Counter[str] = Counter()
    files = choose_files(listed[:_MAX_FILES], max_bytes, passed_over)
    return ItemFiles(_item(identifier, metadata, last_year), tuple(files), passed_over)


def _item(identifier: str, document: Mapping[str, Any], last_year: int) -> ListedItem:
    released = fields.get_text(_first(document.get("date")) or _first(document.get("year")))
    release_date, _ = cells.parse_date(released, last_year)
    return ListedItem(
        item_id=identifier,
        title=fields.get_name(_first(document.get("title"))),
        artist=parse_artist(document.get("creator")),
        release_date=release_date,
        subjects=parse_subjects(document.get("subject")),
        licence=licences.parse_licence(_short(_first(document.get("licenseurl")))),
    )


def parse_artist(value: Any) -> str | None:
    """Return the first artist of a field, None for various or unnamed artists."""
    artist = fields.get_name(_first(value))
    if artist is None or names.normalise(artist) in _VARIOUS or cells.is_missing(artist):
        return None
    return None if fields.check_artist_name(artist) else artist


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _short(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= fields.MAX_NAME_LENGTH else ""

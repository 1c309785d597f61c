"""Items of sources of audio files, and the status of each of their files."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, cast, func, select

from genrebase.store import licence_sql, tables
from genrebase.store.views import shared
from genrebase.store.views.catalogue import LICENCE_CLASS
from genrebase.store.views.definition import Providers, view

_LICENCE = "The licence that the source states, named as in SPDX; unknown if it states none."
_SOURCE = "The source: internetarchive, jamendo."


@view(
    "One row per item of a source of audio files: a release, or a track of Jamendo's.",
    {
        "source": _SOURCE,
        "item_id": "The source's ID of the item.",
        "title": "The item's title, NULL if unknown.",
        "artist": "The item's artist, NULL if unknown or various.",
        "release_date": "YYYY, YYYY-MM or YYYY-MM-DD, NULL if unknown.",
        "licence": _LICENCE,
        "licence_class": LICENCE_CLASS,
        "status": "waiting: its files are not listed yet; open: some files are still to be "
        "downloaded; done: no file is still to be downloaded; left_out: its files are not used.",
        "reason": "Why the item was left out or postponed, or why some of its files are not used.",
        "files": "Files to download, one per track.",
        "analysed": "Files whose track and features are stored.",
        "failed": "Files that cannot be used.",
        "listed_at": "When a search first listed it.",
        "updated_at": "When its status last changed.",
    },
)
def audio_items(_providers: Providers) -> Select[Any]:
    item, download = tables.audio_item, tables.audio_download
    of_item = (download.c.source == item.c.source, download.c.item_id == item.c.item_id)

    def number(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
        """Return the number of the item's files: a subquery, so that no row reads all files."""
        counted = select(func.count()).select_from(download).where(*of_item, *conditions)
        return counted.correlate(item).scalar_subquery()

    return select(
        *shared.columns(item, "source item_id title artist release_date licence"),
        licence_sql.licence_class(item.c.licence).label("licence_class"),
        *shared.columns(item, "status reason"),
        number().label("files"),
        cast(number(download.c.status == "done"), Integer).label("analysed"),
        cast(number(download.c.status == "failed"), Integer).label("failed"),
        *shared.columns(item, "listed_at updated_at"),
    )


@view(
    "One row per audio file of an item: its status and its track.",
    {
        "source": _SOURCE,
        "item_id": "The source's ID of the item.",
        "name": "The file's name.",
        "status": "waiting, done or failed.",
        "reason": "Why the file, or its last download, failed.",
        "track_id": "The track of the file, NULL before the file is analysed.",
        "size": "The size in bytes that the source states, NULL if it states none.",
        "received": "The bytes that all its downloads received.",
        "licence": _LICENCE,
        "licence_class": LICENCE_CLASS,
        "received_at": "When its last bytes were received, NULL before.",
    },
)
def audio_downloads(_providers: Providers) -> Select[Any]:
    download, item = tables.audio_download, tables.audio_item
    same = (download.c.source == item.c.source) & (download.c.item_id == item.c.item_id)
    return select(
        *shared.columns(download, "source item_id name status reason track_id size received"),
        item.c.licence,
        licence_sql.licence_class(item.c.licence).label("licence_class"),
        download.c.received_at,
    ).select_from(download.join(item, same))

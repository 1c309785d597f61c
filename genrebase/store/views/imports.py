"""The imported files, and whether each is undone."""

from typing import Any

from sqlalchemy import Integer, Select, cast, func, select

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view


@view(
    "One row per imported file, or table of a file.",
    {
        "import_id": "The ID that `collector imports undo` takes.",
        "name": "The file's name, with that of the table if the file has several.",
        "origin": "The origin of its tracks; the versions of a file share one.",
        "rows": "The rows that were imported; for an undone import, before the undo.",
        "tracks": "The tracks that it delivers now; 0 if it was undone.",
        "tracks_new": "The tracks that it was the first to deliver.",
        "undone": "Whether it was undone.",
        "started_at": "When it was started, NULL where it was not recorded.",
        "finished_at": "When it was completed, NULL if it was interrupted.",
        "undone_at": "When it was undone, NULL if it was not.",
    },
)
def imports(_providers: Providers) -> Select[Any]:
    file, delivery = tables.imported_file, tables.import_track
    delivered = select(delivery.c.import_id, func.count().label("tracks"))
    counted = delivered.group_by(delivery.c.import_id).subquery("delivered")
    return select(
        *shared.columns(file, "id:import_id name origin rows_done:rows"),
        cast(func.coalesce(counted.c.tracks, 0), Integer).label("tracks"),
        file.c.tracks_new,
        file.c.undone_at.is_not(None).label("undone"),
        *shared.columns(file, "started_at finished_at undone_at"),
    ).outerjoin_from(file, counted, counted.c.import_id == file.c.id)

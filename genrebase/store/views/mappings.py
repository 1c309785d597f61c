"""Mappings: which fine genre belongs to which broad one, and how much there is of each."""

from typing import Any

from sqlalchemy import Integer, Select, cast, func, select

from genrebase.store import tables
from genrebase.store.views.definition import Providers, view


def _genre_mappings(_providers: Providers) -> Select[Any]:
    mapping, genre, track = tables.genre_mapping, tables.genre, tables.track
    claimed = (
        select(track.c.genre_id, func.count().label("tracks"))
        .where(track.c.genre_id.is_not(None))
        .group_by(track.c.genre_id)
        .subquery("claimed")
    )
    return select(
        mapping.c.mapping,
        mapping.c.fine,
        mapping.c.broad,
        genre.c.id.label("genre_id"),
        cast(func.coalesce(claimed.c.tracks, 0), Integer).label("tracks"),
    ).select_from(
        mapping.outerjoin(genre, genre.c.name == mapping.c.fine).outerjoin(
            claimed, claimed.c.genre_id == genre.c.id
        )
    )


genre_mappings = view(
    "genre_mappings",
    "One row per mapping and fine genre: the broad genre it belongs to.",
    {
        "mapping": "The mapping's name; several stand side by side.",
        "fine": "The fine genre's name.",
        "broad": "The broad genre it belongs to.",
        "genre_id": "The number of the genre of exactly this name, NULL where there is none.",
        "tracks": "Unique tracks that count for it.",
    },
    _genre_mappings,
)

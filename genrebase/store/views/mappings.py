"""Mappings: which fine genre belongs to which broad one, and how much there is of each."""

from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    Text,
    cast,
    column,
    func,
    literal,
    select,
    union_all,
    values,
)

from genrebase.store import default_mapping, tables
from genrebase.store.views.definition import Providers, view


def _genre_mappings(_providers: Providers) -> Select[Any]:
    stored, genre, track = tables.genre_mapping, tables.genre, tables.track
    given = (
        values(column("fine", Text), column("broad", Text), name="given")
        .data(list(default_mapping.BROAD_BY_FINE.items()))
        .cte()
    )
    named = cast(literal(default_mapping.NAME), Text)
    replaced = select(stored.c.mapping).where(stored.c.mapping == default_mapping.NAME)
    mapping = union_all(
        select(stored.c.mapping, stored.c.fine, stored.c.broad),
        select(named.label("mapping"), given.c.fine, given.c.broad).where(~replaced.exists()),
    ).subquery("mapped")
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
    "One row per mapping and fine genre: the broad genre it belongs to. The mapping "
    f"`{default_mapping.NAME}` is there from the start.",
    {
        "mapping": "The mapping's name; several stand side by side.",
        "fine": "The fine genre's name.",
        "broad": "The broad genre it belongs to.",
        "genre_id": "The number of the genre of exactly this name, NULL where there is none.",
        "tracks": "Unique tracks that count for it.",
    },
    _genre_mappings,
)

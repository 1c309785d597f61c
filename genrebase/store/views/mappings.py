"""Genre mappings from fine to broad genres, with the number of tracks of each fine genre."""

from typing import Any

from sqlalchemy import (
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
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view


@view(
    f"One row per mapping and fine genre. The mapping `{default_mapping.NAME}` is built in.",
    {
        "mapping": "The mapping's name.",
        "fine": "The fine genre's name.",
        "broad": "The broad genre that it maps to.",
        "genre_id": "The ID of the genre with exactly this fine name, NULL without one.",
        "tracks": "Unique tracks with that genre as claim.",
    },
)
def genre_mappings(_providers: Providers) -> Select[Any]:
    stored, genre = tables.genre_mapping, tables.genre
    built_in = (
        values(column("fine", Text), column("broad", Text), name="built_in")
        .data(list(default_mapping.BROAD_BY_FINE.items()))
        .cte()
    )
    name = cast(literal(default_mapping.NAME), Text)
    replaced = select(stored.c.mapping).where(stored.c.mapping == default_mapping.NAME)
    mapping = union_all(
        select(*stored.c),
        select(name.label("mapping"), built_in.c.fine, built_in.c.broad).where(~replaced.exists()),
    ).subquery("mapped")
    return select(
        *shared.columns(mapping, "mapping fine broad"),
        genre.c.id.label("genre_id"),
        func.coalesce(genre.c.tracks, 0).label("tracks"),
    ).select_from(mapping.outerjoin(genre, genre.c.name == mapping.c.fine))

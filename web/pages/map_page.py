"""Which genres lie near each other: a map from the genres' profiles."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from genrebase.store.tables import SUBMISSION_NUMBERS
from web.genre_map import MAP_FEATURES, GenreMap, genre_map
from web.map_chart import map_chart
from web.page_sections import Page, Section, by_name, query, stored_by_key
from web.pages import PageRequest

_FEATURES: Final[Mapping[str, Sequence[str]]] = {
    "genre_profiles": MAP_FEATURES,
    "acousticbrainz_profiles": SUBMISSION_NUMBERS,
}
"""The features of a map by the view that has their profiles, the preferred view first."""
_COLUMNS = ("genre", "tracks", "x", "y", "spread_x", "spread_y", "nearest")
SHOWN_ROWS = 100


def page(request: PageRequest) -> Page:
    """Return the map; `?x=` and `?y=` name plain features, `?genre=` one that stands out."""
    known = dict.fromkeys(name for features in _FEATURES.values() for name in features)
    x, y = request.choice("x", known), request.choice("y", known)
    genres, view = None, ""
    for view, features in _FEATURES.items():
        genres = genre_map(_profiles(request.connection, view), x, y, features)
        if genres is not None:
            break
    highlighted = request.query.get("genre", "")
    is_plain = genres is not None and genres.x.share is None
    return Page(
        "Map",
        "map.html",
        by_name(_points(genres, view), _axes(genres)),
        {
            "map": genres,
            "chart": map_chart(genres, highlighted) if genres else None,
            "highlighted": highlighted,
            "features": genres.features if genres else (),
            "is_acousticbrainz": view == "acousticbrainz_profiles",
            "x": x if is_plain else "",
            "y": y if is_plain else "",
            "shown": SHOWN_ROWS,
        },
    )


def _profiles(connection: Connection, view: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    profiles = stored_by_key(connection, view)
    if profiles is None:
        profiles = {}
        for row in query(connection, "profiles", _sql(view)).records:
            profiles.setdefault(row["genre"], []).append(row)
    return profiles


def _sql(view: str) -> str:
    return f"SELECT * FROM {view} ORDER BY genre, feature"


def _points(genres: GenreMap | None, view: str) -> Section:
    points = genres.points if genres else ()
    rows = tuple(
        (one.genre, one.tracks, one.x, one.y, one.spread_x, one.spread_y, "; ".join(one.nearest))
        for one in points
    )
    return Section("genres", _COLUMNS, rows, _sql(view))


def _axes(genres: GenreMap | None) -> Section:
    axes = (("x", genres.x), ("y", genres.y)) if genres else ()
    rows = tuple((name, axis.name, axis.share) for name, axis in axes)
    return Section("axes", ("axis", "name", "share"), rows)

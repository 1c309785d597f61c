"""Which genres lie near each other: a map from the genres' profiles."""

from web.genre_map import MAP_FEATURES, GenreMap, genre_map
from web.map_chart import map_chart
from web.pages import PageRequest
from web.sections import Page, Section, by_name, query, stored_by_key

_PROFILES = "SELECT * FROM genre_profiles ORDER BY genre, feature"
_COLUMNS = ("genre", "tracks", "x", "y", "spread_x", "spread_y", "nearest")
SHOWN_ROWS = 100


def page(request: PageRequest) -> Page:
    """Return the map; `?x=` and `?y=` name plain features, `?genre=` one that stands out."""
    profiles = stored_by_key(request.connection, "genre_profiles")
    if profiles is None:
        profiles = {}
        for row in query(request.connection, "profiles", _PROFILES).records:
            profiles.setdefault(row["genre"], []).append(row)
    x, y = request.query.get("x", ""), request.query.get("y", "")
    genres = genre_map(profiles, x, y)
    highlighted = request.query.get("genre", "")
    is_plain = genres is not None and genres.x.share is None
    return Page(
        "Map",
        "map.html",
        by_name(_points(genres), _axes(genres)),
        {
            "map": genres,
            "chart": map_chart(genres, highlighted) if genres else None,
            "highlighted": highlighted,
            "features": MAP_FEATURES,
            "x": x if is_plain else "",
            "y": y if is_plain else "",
            "shown": SHOWN_ROWS,
        },
    )


def _points(genres: GenreMap | None) -> Section:
    points = genres.points if genres else ()
    rows = tuple(
        (one.genre, one.tracks, one.x, one.y, one.spread_x, one.spread_y, "; ".join(one.nearest))
        for one in points
    )
    return Section("genres", _COLUMNS, rows, _PROFILES)


def _axes(genres: GenreMap | None) -> Section:
    axes = (("x", genres.x), ("y", genres.y)) if genres else ()
    rows = tuple((name, axis.name, axis.share) for name, axis in axes)
    return Section("axes", ("axis", "name", "share"), rows)

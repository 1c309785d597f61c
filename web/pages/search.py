"""Search of tracks by words of their titles and artists."""

from sqlalchemy import select

from genrebase.store import tables
from genrebase.store.find import search_tracks
from web.pages import PageRequest
from web.sections import Page, Section, by_name

MAX_RESULTS = 50
_COLUMNS = ("track_id", "title", "artists", "claim", "release_year", "popularity")


def page(request: PageRequest) -> Page:
    """Return the tracks whose title and primary artist contain all words of `?q=`."""
    words = request.query.get("q", "")[:500]
    ids = search_tracks(request.connection, words, MAX_RESULTS + 1) if words else []
    track, genre = tables.track.c, tables.genre.c
    statement = select(
        track.id, track.title, track.artists, genre.name, track.release_year, track.popularity
    ).select_from(tables.track.outerjoin(tables.genre, genre.id == track.genre_id))
    rows = {
        row.id: tuple(row)
        for row in request.connection.execute(statement.where(track.id.in_(ids)))
    }
    results = tuple(rows[one] for one in ids[:MAX_RESULTS] if one in rows)
    return Page(
        "Search",
        "search.html",
        by_name(Section("tracks", _COLUMNS, results)),
        {"words": words, "has_more": len(ids) > MAX_RESULTS},
    )

"""Search of tracks by words of their titles and artists."""

from sqlalchemy import Connection, select

from genrebase.store import tables
from genrebase.store.search import MAX_COMPARED, Hit, InvalidPosition, SearchResult, search
from web.pages import PageRequest
from web.problems import NotFound
from web.sections import Page, Section, by_name

MAX_RESULTS = 50
MAX_CHARACTERS = 500
"""Of the words that are searched for."""
_COLUMNS = ("track_id", "title", "artists", "claim", "release_year", "popularity")


def page(request: PageRequest) -> Page:
    """Return the tracks with all words of `?q=`, the best matches first, after `?after=`."""
    words = request.query.get("q", "")[:MAX_CHARACTERS]
    after = request.query.get("after", "")
    try:
        position = Hit.from_text(after) if after else None
    except InvalidPosition as error:
        raise NotFound(str(error)) from error
    section, result = matches(request.connection, words, MAX_RESULTS, position)
    following = str(result.hits[-1]) if result.has_more else None
    facts = {
        "words": words,
        "result": result,
        "after": after,
        "following": following,
        "max_compared": MAX_COMPARED,
    }
    return Page("Search", "search.html", by_name(section), facts)


def matches(
    connection: Connection, words: str, limit: int, after: Hit | None
) -> tuple[Section, SearchResult]:
    """Return a page of the tracks that match, and how complete it is."""
    result = search(connection, words, limit, after)
    track, genre = tables.track.c, tables.genre.c
    statement = select(
        track.id, track.title, track.artists, genre.name, track.release_year, track.popularity
    ).select_from(tables.track.outerjoin(tables.genre, genre.id == track.genre_id))
    rows = {
        row.id: tuple(row)
        for row in connection.execute(statement.where(track.id.in_(result.track_ids)))
    }
    ordered = tuple(rows[one] for one in result.track_ids)
    return Section("tracks", _COLUMNS, ordered), result

"""Search of tracks by words of their titles and artists."""

from web.pages import PageRequest
from web.sections import Page, Section, by_name, query

MAX_RESULTS = 50


def page(request: PageRequest) -> Page:
    """Return the tracks whose title and artists contain all words of `?q=`."""
    words = request.query.get("q", "").split()[:8]
    if words:
        conditions = " AND ".join(
            f"lower(title || ' ' || artists) LIKE :word_{'abcdefgh'[number]} ESCAPE '\\'"
            for number in range(len(words))
        )
        values = {
            f"word_{'abcdefgh'[number]}": f"%{_escaped(word.lower())}%"
            for number, word in enumerate(words)
        }
        sql = (
            "SELECT track_id, title, artists, label, release_year, popularity FROM tracks\n"
            f"WHERE {conditions}\nORDER BY popularity IS NULL, popularity DESC, track_id\n"
            f"LIMIT {MAX_RESULTS + 1}"
        )
        found = query(request.connection, "tracks", sql, **values)
    else:
        columns = ("track_id", "title", "artists", "label", "release_year", "popularity")
        found = Section("tracks", columns, ())
    tracks = Section("tracks", found.columns, found.rows[:MAX_RESULTS], found.sql)
    return Page(
        "Search",
        "search.html",
        by_name(tracks),
        {"words": request.query.get("q", ""), "has_more": len(found.rows) > MAX_RESULTS},
    )


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

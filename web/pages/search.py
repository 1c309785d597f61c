"""Search of tracks by words of their titles and artists."""

from sqlalchemy import ColumnElement, Connection, and_, select

from genrebase.store import tables
from genrebase.store.search import MAX_COMPARED, Hit, InvalidPosition, SearchResult, search
from web.page_sections import Page, Section, by_name
from web.pages import PageRequest
from web.problems import NotFound

MAX_RESULTS = 50
MAX_CHARACTERS = 500
"""Of the words that are searched for."""
_COLUMNS = (
    *("track_id", "title", "artists", "claim", "release_year", "popularity"),
    *("prediction", "probability", "regime"),
)
_best = tables.prediction.c
_predicted = tables.genre.alias("predicted")


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
        "has_popularity": any(row["popularity"] is not None for row in section.records),
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
    track, claim = tables.track.c, tables.genre.alias("claim")
    statement = (
        select(
            *(track.id, track.title, track.artists, claim.c.name, track.release_year),
            *(track.popularity, _predicted.c.name, _best.probability, _best.regime),
        )
        .select_from(tables.track.outerjoin(claim, claim.c.id == track.genre_id))
        .outerjoin(tables.prediction, _is_best(track.id))
        .outerjoin(_predicted, _predicted.c.id == _best.genre_id)
        .where(track.id.in_(result.track_ids))
    )
    rows = {row[0]: tuple(row) for row in connection.execute(statement)}
    ordered = tuple(rows[one] for one in result.track_ids)
    return Section("tracks", _COLUMNS, ordered), result


def _is_best(track_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a prediction is the champion's most probable genre of a track."""
    model = tables.model.c
    champion = select(model.id).where(model.task == "main", model.status == "champion")
    return and_(
        _best.track_id == track_id,
        _best.rank == 1,
        _best.model_id == champion.limit(1).scalar_subquery(),
    )

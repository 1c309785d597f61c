"""Operations that read: tracks, search, views, genres, disputes, models and jobs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import quote, urlencode

from pydantic import Field
from sqlalchemy import ColumnElement, Connection, select

from genrebase.counts import counted
from genrebase.digests import store as digests
from genrebase.digests.definitions import DIGESTS
from genrebase.store import views
from genrebase.store.engine import read_transaction
from genrebase.store.search import MAX_COMPARED, POSITION_PATTERN, Hit
from web.api.operations import PREFIX, ApiCall, ApiResult, Operation, Problem, Schema
from web.api.rows import (
    Following,
    Limit,
    PageOfRows,
    Row,
    page_of,
    page_schema,
    plain_row,
    readable_columns,
    records,
    records_as,
    row_schema,
    sections,
)
from web.api.verdicts import etag_of
from web.pages import PageRequest, disputes, genres, models, search, track

Track: Final = row_schema("Track", "tracks")
Dispute: Final = row_schema("Dispute", "label_disputes")
_BY_TRACK: Final = "track_id"


class SearchParameters(Limit):
    """Words of a title and its artists."""

    q: str = Field(
        min_length=1,
        max_length=search.MAX_CHARACTERS,
        description="Words; each may be a part of one.",
    )
    limit: int = Field(
        20, ge=1, le=search.MAX_RESULTS, description="The maximum number of tracks."
    )
    after: str = Field(
        "", pattern=POSITION_PATTERN, description="A position, from `next` of the page before."
    )


class SearchHit(Schema):
    """A track that has all words."""

    track_id: int
    title: str
    artists: str
    claim: str | None
    release_year: int | None
    popularity: int | None
    prediction: str | None = Field(description="The champion's most probable genre.")
    probability: float | None
    regime: str | None


class SearchHits(PageOfRows):
    """The tracks that have all words, the best matches first."""

    rows: list[SearchHit]  # type: ignore[assignment]
    is_complete: bool = Field(
        description=f"False: of more than {counted(MAX_COMPARED, 'track')} that match in one way, "
        "only the first are listed, or tracks are missing that are not indexed yet."
    )


class TrackDocument(Schema):
    """A track with what the database has about it."""

    track: Track  # type: ignore[valid-type]
    credits: list[Row] = Field(description="Its artists: view `track_credits`.")
    ids: list[Row] = Field(description="Its ids at the sources.")
    sightings: list[Row] = Field(description="The genres that sources give it.")
    predictions: list[Row] = Field(description="The champion's stored prediction.")
    verdicts: list[Row] = Field(description="The labels that people gave it.")
    siblings: list[Row] = Field(description="Other tracks of its first artist.")
    numbers: list[Row] = Field(description="AcousticBrainz' numbers of it.")
    match: list[Row] = Field(description="Its distance from the tracks of its genre.")


class ViewDescription(Schema):
    """A view, and its columns with their descriptions."""

    name: str
    description: str
    columns: dict[str, str]
    filters: list[str] = Field(description="The parameters that its rows can be chosen by.")


class ViewList(Schema):
    """All views."""

    views: list[ViewDescription]


class ViewParameters(Following):
    """Which rows of a view; a filter must be a column of the view."""

    track_id: int | None = Field(None, ge=0, lt=2**63, description="Rows of this track.")
    genre: str | None = Field(None, max_length=500, description="Rows of this genre.")
    model_id: int | None = Field(None, ge=0, lt=2**63, description="Rows of this model.")


class DisputeParameters(Schema):
    """Which disputes, and in which order."""

    order: str = Field("surest", pattern="^(surest|also_seen|closest)$")
    genre: str = Field("", max_length=500, description="The claim; empty: all.")
    regime: str = Field("", pattern="^(new_artist|seen_artist)?$")


class GenreRow(Schema):
    """Progress and recall of a genre."""

    genre: str
    target: int | None
    tracks: int
    missing: int | None
    tracks_per_request: float | None
    elsewhere: float | None = Field(description="Share of its sightings that count elsewhere.")
    with_features: int
    recall_new: float | None
    recall_new_low: float | None
    recall_new_high: float | None
    recall_seen: float | None
    recall_seen_low: float | None
    recall_seen_high: float | None
    confused_with: str | None
    confused_share: float | None
    disputes: int
    paused: bool
    open_shards: int
    requests: int


class Sections(Schema):
    """The rows of each section of a page."""

    sections: dict[str, list[Row]]


class ModelRow(Schema):
    """A model with its accuracy on tracks of unseen (new) and seen artists."""

    model_id: int
    task: str
    estimator: str
    status: str
    trained_rows: int | None
    created_at: str
    n_new: int | None
    accuracy_new: float | None
    low_new: float | None
    high_new: float | None
    n_seen: int | None
    accuracy_seen: float | None
    low_seen: float | None
    high_seen: float | None
    log_loss: float | None
    ece: float | None
    reason: str | None
    licence_class: str | None = Field(
        description="The most restrictive licence class among its labels and features."
    )


GenreRows: Final = page_schema("GenreRows", GenreRow, "All genres.")
ModelRows: Final = page_schema("ModelRows", ModelRow, "The 50 newest models.")


def list_tracks(call: ApiCall) -> Row:
    """Return tracks in the order of their ids."""
    with read_transaction(call.context.reader) as connection:
        rows = _rows_by_track(connection, "tracks", call.query, {})
    return _page_by_track("/tracks", rows, call.query.limit, {})


def read_track(call: ApiCall) -> ApiResult:
    """Return a track with all that belongs to it; its ETag is that of its labels."""
    with read_transaction(call.context.reader) as connection:
        by_name = track.sections_of(connection, call.path["track"])
    (one,) = records(by_name["track"])
    names = (name for name in TrackDocument.model_fields if name != "track")
    document = {name: records(by_name[name]) for name in names}
    return ApiResult({"track": one, **document}, {"ETag": etag_of(document["verdicts"])})


def search_tracks(call: ApiCall) -> Row:
    """Return the tracks whose title and artists have all words, the best matches first."""
    query = call.query
    after = Hit.from_text(query.after) if query.after else None
    with read_transaction(call.context.reader) as connection:
        section, result = search.matches(connection, query.q, query.limit, after)
    following = None
    if result.has_more:
        parameters = {"q": query.q, "limit": query.limit, "after": str(result.hits[-1])}
        following = f"{PREFIX}/search?{urlencode(parameters)}"
    is_complete = not result.is_cut and not result.has_due
    return page_of(records_as(SearchHit, section), following=following) | {
        "is_complete": is_complete
    }


def list_views(_call: ApiCall) -> Row:
    """Return all views with their columns."""
    return {
        "views": [
            {
                "name": name,
                "description": one.description,
                "columns": {column: one.columns[column] for column in readable_columns(name)},
                "filters": [*(column for column in _FILTERS if column in one.columns)],
            }
            for name, one in views.ALL.items()
        ]
    }


_FILTERS: Final = ("track_id", "genre", "model_id")


def read_view(call: ApiCall) -> Row:
    """Return rows of a view: in the order of tracks if it has some, else the first ones."""
    name, query = call.path["view"], call.query
    if name not in views.ALL:
        raise Problem(404, f"There is no view {name!r}: {PREFIX}/views lists them.")
    chosen = {one: getattr(query, one) for one in _FILTERS if getattr(query, one) is not None}
    unknown = [one for one in chosen if one not in views.ALL[name].columns]
    if unknown:
        raise Problem(422, f"The view {name} has no column {unknown[0]}.")
    with read_transaction(call.context.reader) as connection:
        is_stored = not chosen and not query.after and _has_digest(name, query.limit)
        stored = digests.read(connection, name) if is_stored else None
        if stored is not None:
            rows = [plain_row(row) for row in stored.as_dicts()[: query.limit]]
            return page_of(rows, stored.as_of)
        if _BY_TRACK in views.ALL[name].columns:
            rows = _rows_by_track(connection, name, query, chosen)
            return _page_by_track(f"/views/{quote(name)}", rows, query.limit, chosen)
        return page_of(_select_rows(connection, name, chosen, query.limit))


def _has_digest(view: str, limit: int) -> bool:
    """Return whether the first rows of a view are stored."""
    return any(
        one.view == view
        and not one.keys
        and one.condition is None
        and (one.limit is None or limit <= one.limit)
        for one in DIGESTS
    )


def list_disputes(call: ApiCall) -> Row:
    """Return up to 100 disputed labels that nobody settled."""
    with _page_request(call, call.query.model_dump()) as request:
        section = disputes.page(request).sections["disputes"]
    return page_of(records(section), section.as_of)


def list_genres(call: ApiCall) -> Row:
    """Return all genres."""
    with _page_request(call) as request:
        section = genres.list_page(request).sections["genres"]
    return page_of(records_as(GenreRow, section), section.as_of)


def read_genre(call: ApiCall) -> Row:
    """Return the sections of a genre's page."""
    with _page_request(call) as request:
        return {"sections": sections(genres.genre_page(request))}


def list_models(call: ApiCall) -> Row:
    """Return the 50 newest models."""
    with _page_request(call) as request:
        return page_of(records_as(ModelRow, models.list_page(request).sections["models"]))


def read_model(call: ApiCall) -> Row:
    """Return the sections of a model's page."""
    with _page_request(call) as request:
        return {"sections": sections(models.model_page(request))}


@contextmanager
def _page_request(call: ApiCall, query: Mapping[str, str] | None = None) -> Iterator[PageRequest]:
    """Yield a page's request, on a snapshot of the database."""
    with read_transaction(call.context.reader) as connection:
        yield PageRequest(connection, call.context.clock.now(), call.path, query or {})


def _rows_by_track(
    connection: Connection, view: str, query: Any, chosen: Mapping[str, Any]
) -> list[Row]:
    """Return `limit` rows and one more, in the order of tracks, after the track `after`."""
    key = views.ALL[view].table.c[_BY_TRACK]
    return _select_rows(connection, view, chosen, query.limit + 1, key > query.after)


def _page_by_track(path: str, rows: list[Row], limit: int, chosen: Mapping[str, Any]) -> Row:
    """Return a page that ends with the last row of a track.

    A track with more rows than the limit is cut: choose it by `track_id`.
    """
    if len(rows) <= limit:
        return page_of(rows)
    last = rows[-1][_BY_TRACK]
    whole = [row for row in rows if row[_BY_TRACK] != last] or rows[:limit]
    parameters = urlencode({**chosen, "limit": limit, "after": whole[-1][_BY_TRACK]})
    return page_of(whole, following=f"{PREFIX}{path}?{parameters}")


def _select_rows(
    connection: Connection,
    view: str,
    chosen: Mapping[str, Any],
    limit: int,
    *conditions: ColumnElement[bool],
) -> list[Row]:
    table = views.ALL[view].table
    columns = [table.c[name] for name in readable_columns(view)]
    equal = (table.c[name] == value for name, value in chosen.items())
    query = select(*columns).where(*equal, *conditions).limit(limit)
    if _BY_TRACK in table.c:
        query = query.order_by(table.c[_BY_TRACK])
    return [plain_row(dict(row)) for row in connection.execute(query).mappings()]


OPERATIONS: Final = (
    Operation(
        "GET", "/tracks", "listTracks", list_tracks, page_schema("Tracks", Track), query=Following
    ),
    Operation(
        "GET", "/tracks/{track}", "readTrack", read_track, TrackDocument,
        problems=(301, 404), response_headers={"ETag": "Of the track's labels."},
    ),
    Operation(
        "GET", "/search", "searchTracks", search_tracks, SearchHits, query=SearchParameters
    ),
    Operation("GET", "/views", "listViews", list_views, ViewList),
    Operation(
        "GET", "/views/{view}", "readView", read_view, PageOfRows,
        query=ViewParameters, problems=(404,),
    ),
    Operation(
        "GET", "/disputes", "listDisputes", list_disputes, page_schema("Disputes", Dispute),
        query=DisputeParameters,
    ),
    Operation("GET", "/genres", "listGenres", list_genres, GenreRows),
    Operation("GET", "/genres/{genre}", "readGenre", read_genre, Sections, problems=(404,)),
    Operation("GET", "/models", "listModels", list_models, ModelRows),
    Operation("GET", "/models/{model}", "readModel", read_model, Sections, problems=(404,)),
)  # fmt: skip

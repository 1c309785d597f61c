"""A review queue: tracks that may belong to a genre other than their label."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    Join,
    Select,
    and_,
    column,
    false,
    func,
    select,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

CANDIDATES_PER_GENRE: Final = 100
MAX_CANDIDATE_RANK: Final = 2
"""The genre is the first or second prediction; the index `ix_prediction_best` covers these."""

_NO_GENRE: Final = 0
"""An id that no genre has."""


class CrossJoin(Join):
    """A join in which SQLite reads the left side first, whatever is filtered."""

    inherit_cache = True


@compiles(CrossJoin)
def _cross_join(element: CrossJoin, compiler: SQLCompiler, **options: Any) -> str:
    options["asfrom"] = True
    left, right = (compiler.process(side, **options) for side in (element.left, element.right))
    condition = compiler.process(element.onclause, **options)  # type: ignore[arg-type]  # never None
    return f"{left} CROSS JOIN {right} ON {condition}"


def _may_be(prediction: Any, genre_id: ColumnElement[Any]) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a track, labelled otherwise, has the genre as a prediction."""
    label_id = func.coalesce(shared.label_id(), _NO_GENRE)
    return prediction.c.rank <= MAX_CANDIDATE_RANK, label_id != genre_id


def _rows(
    place: ColumnElement[Any],
    track: Sequence[ColumnElement[Any]],
    label: FromClause,
    prediction: FromClause,
    also_seen: ColumnElement[Any],
) -> Select[Any]:
    """Return the columns of the view; `track`: id, title and artists."""
    return select(
        tables.genre.c.name.label("genre"),
        place,
        *track,
        label.c.name.label("label"),
        *shared.columns(prediction, "probability rank"),
        also_seen.label("also_seen"),
        *shared.columns(prediction, "regime model_id"),
    )


def _genre_candidates_lateral(_providers: Providers) -> Select[Any]:
    """Return `genre_candidates` by a lateral join that reads `ix_prediction_best` per genre.

    Otherwise PostgreSQL sorts all predictions of all genres before it returns the first row.
    """
    track, prediction, genre = tables.track, tables.prediction.alias("prediction"), tables.genre
    model = tables.model.c
    champions = select(model.id).where(model.task == "main", model.status == "champion")
    champion = champions.subquery("champion")
    order = (prediction.c.probability.desc(), prediction.c.track_id)
    best = (
        select(
            func.row_number(type_=Integer()).over(order_by=order).label("place"),
            *(prediction.c.track_id, track.c.title, track.c.artists),
            shared.label_id().label("label_id"),
            *shared.columns(prediction, "probability rank regime model_id"),
        )
        .select_from(prediction.join(track, track.c.id == prediction.c.track_id))
        .where(
            prediction.c.model_id == champion.c.id,
            prediction.c.genre_id == genre.c.id,
            *_may_be(prediction, genre.c.id),
        )
        .order_by(*order)
        .limit(CANDIDATES_PER_GENRE)
        .lateral("best")
    )
    label, sighting = tables.genre.alias("label_genre"), tables.sighting
    # not EXISTS: PostgreSQL would first hash the table of all sightings
    seen = (
        select(true())
        .where(sighting.c.track_id == best.c.track_id, sighting.c.genre_id == genre.c.id)
        .limit(1)
    )
    also_seen = func.coalesce(seen.correlate_except(sighting).scalar_subquery(), false())
    named = shared.columns(best, "track_id title artists")
    source = champion.join(genre, true()).join(best, true())
    return _rows(best.c.place, named, label, best, also_seen).select_from(
        source.outerjoin(label, label.c.id == best.c.label_id)
    )


def _genre_candidates_json(_providers: Providers) -> Select[Any]:
    """Return `genre_candidates` by `json_each`, SQLite's only lateral join, genre by genre."""
    track, prediction, genre = tables.track, tables.prediction.alias("prediction"), tables.genre
    best = (
        select(prediction.c.track_id)
        .select_from(prediction.join(track, track.c.id == prediction.c.track_id))
        .where(
            prediction.c.model_id == shared.champion_id(),
            prediction.c.genre_id == genre.c.id,
            *_may_be(prediction, genre.c.id),
        )
        .order_by(prediction.c.probability.desc(), prediction.c.track_id)
        .limit(CANDIDATES_PER_GENRE)
        .correlate(genre)
        .subquery("best")
    )
    ids = select(func.json_group_array(best.c.track_id)).correlate(genre).scalar_subquery()
    place = func.json_each(ids).table_valued(
        column("key", Integer), column("value", Integer), name="place"
    )
    own, label = tables.prediction.alias("own"), tables.genre.alias("label_genre")
    is_own = (
        own.c.model_id == shared.champion_id(),
        own.c.track_id == place.c.value,
        own.c.genre_id + 0 == genre.c.id,  # a sum, so that the primary key is searched
        own.c.rank <= MAX_CANDIDATE_RANK,
    )
    of_genre = CrossJoin(CrossJoin(genre, place, true()), own, and_(*is_own))
    source = CrossJoin(of_genre, track, track.c.id == place.c.value).outerjoin(
        label, label.c.id == shared.label_id()
    )
    rank = (place.c.key + 1).label("place")
    named = [place.c.value.label("track_id"), track.c.title, track.c.artists]
    rows = _rows(rank, named, label, own, shared.also_seen(genre.c.id))
    return rows.select_from(source)


@view(
    "One row per genre and candidate, at most 100 per genre: of the tracks with another label, or "
    "without a label, those with the highest probability of the genre by the champion of `main`.",
    {
        "genre": "The genre that the track may belong to.",
        "place": "1 for the track with the highest probability.",
        **shared.TRACK_REFERENCE,
        "label": shared.LABEL_DESCRIPTIONS["label"],
        "probability": "The champion's probability of the genre for this track, 0 to 1.",
        "rank": "1: the genre is the first prediction; 2: the second.",
        "also_seen": "Whether the track has a sighting for the genre.",
        **shared.REGIME,
        "model_id": shared.PREDICTION_DESCRIPTIONS["model_id"],
    },
    postgresql=_genre_candidates_lateral,
    sqlite=_genre_candidates_json,
)
def genre_candidates(_providers: Providers) -> Select[Any]:
    track, prediction = tables.track, tables.prediction.alias("prediction")
    place = func.row_number(type_=Integer()).over(
        partition_by=prediction.c.genre_id,
        order_by=(prediction.c.probability.desc(), prediction.c.track_id),
    )
    ranked = (
        select(
            prediction.c.genre_id,
            place.label("place"),
            *shared.columns(prediction, "track_id probability rank regime model_id"),
        )
        .select_from(prediction.join(track, track.c.id == prediction.c.track_id))
        .where(
            prediction.c.model_id == shared.champion_id(),
            *_may_be(prediction, prediction.c.genre_id),
        )
        .subquery("ranked")
    )
    genre, label = tables.genre, tables.genre.alias("label_genre")
    # outer joins force SQLite to read `ranked` first, row by row
    source = (
        ranked.outerjoin(genre, genre.c.id == ranked.c.genre_id)
        .outerjoin(track, track.c.id == ranked.c.track_id)
        .outerjoin(label, label.c.id == shared.label_id())
    )
    named = [ranked.c.track_id, track.c.title, track.c.artists]
    rows = _rows(ranked.c.place, named, label, ranked, shared.also_seen(ranked.c.genre_id))
    return rows.select_from(source).where(ranked.c.place <= CANDIDATES_PER_GENRE)

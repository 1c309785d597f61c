"""Tracks that might belong to a genre that they do not carry."""

from typing import Any, Final

from sqlalchemy import Integer, Select, false, func, select, true

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view

CANDIDATES_PER_GENRE: Final = 100
"""How many tracks are shown for a genre."""
MAX_CANDIDATE_RANK: Final = 2
"""A genre may be a track's first or second answer; the index `ix_prediction_best` holds these."""

NO_GENRE: Final = 0
"""No genre has this number."""


def _genre_candidates(_providers: Providers) -> Select[Any]:
    track, answer = tables.track, shared.predictions_as("answer")
    place = func.row_number(type_=Integer()).over(
        partition_by=answer.c.genre_id,
        order_by=(answer.c.probability.desc(), answer.c.track_id),
    )
    ranked = (
        select(
            answer.c.genre_id,
            place.label("place"),
            answer.c.track_id,
            answer.c.probability,
            answer.c.rank,
            answer.c.regime,
            answer.c.model_id,
        )
        .select_from(answer.join(track, track.c.id == answer.c.track_id))
        .where(
            answer.c.model_id == shared.champion_id(),
            answer.c.rank <= MAX_CANDIDATE_RANK,
            func.coalesce(shared.label_id(), NO_GENRE) != answer.c.genre_id,
        )
        .subquery("ranked")
    )
    genre, label = tables.genre, tables.genre.alias("label_genre")
    # outer joins leave SQLite no choice but to take `ranked` first, row by row
    source = (
        ranked.outerjoin(genre, genre.c.id == ranked.c.genre_id)
        .outerjoin(track, track.c.id == ranked.c.track_id)
        .outerjoin(label, label.c.id == shared.label_id())
    )
    return (
        select(
            genre.c.name.label("genre"),
            ranked.c.place,
            ranked.c.track_id,
            track.c.title,
            track.c.artists,
            label.c.name.label("label"),
            ranked.c.probability,
            ranked.c.rank,
            shared.also_seen(ranked.c.genre_id).label("also_seen"),
            ranked.c.regime,
            ranked.c.model_id,
        )
        .select_from(source)
        .where(ranked.c.place <= CANDIDATES_PER_GENRE)
    )


def _genre_candidates_laterally(_providers: Providers) -> Select[Any]:
    """Return the same rows genre by genre: each reads `ix_prediction_best` until it has 100.

    PostgreSQL sorts all answers of all genres before it shows the first one otherwise.
    """
    track, answer, genre = tables.track, shared.predictions_as("answer"), tables.genre
    champion = (
        select(tables.model.c.id)
        .where(tables.model.c.task == "main", tables.model.c.status == "champion")
        .subquery("champion")
    )
    order = (answer.c.probability.desc(), answer.c.track_id)
    best = (
        select(
            func.row_number(type_=Integer()).over(order_by=order).label("place"),
            answer.c.track_id,
            track.c.title,
            track.c.artists,
            shared.label_id().label("label_id"),
            answer.c.probability,
            answer.c.rank,
            answer.c.regime,
            answer.c.model_id,
        )
        .select_from(answer.join(track, track.c.id == answer.c.track_id))
        .where(
            answer.c.model_id == champion.c.id,
            answer.c.genre_id == genre.c.id,
            answer.c.rank <= MAX_CANDIDATE_RANK,
            func.coalesce(shared.label_id(), NO_GENRE) != genre.c.id,
        )
        .order_by(*order)
        .limit(CANDIDATES_PER_GENRE)
        .lateral("best")
    )
    label, sighting = tables.genre.alias("label_genre"), tables.sighting
    # not EXISTS: that would be looked up in a table of all sightings, made first
    seen = select(true()).where(
        sighting.c.track_id == best.c.track_id, sighting.c.genre_id == genre.c.id
    )
    return select(
        genre.c.name.label("genre"),
        best.c.place,
        best.c.track_id,
        best.c.title,
        best.c.artists,
        label.c.name.label("label"),
        best.c.probability,
        best.c.rank,
        func.coalesce(seen.correlate_except(sighting).scalar_subquery(), false()).label(
            "also_seen"
        ),
        best.c.regime,
        best.c.model_id,
    ).select_from(
        champion.join(genre, true())
        .join(best, true())
        .outerjoin(label, label.c.id == best.c.label_id)
    )


genre_candidates = view(
    "genre_candidates",
    "Per genre up to 100 tracks that match it best, as the champion of the task main has it, and "
    "do not carry its label.",
    {
        "genre": "The genre that the track might be.",
        "place": "1 for the track that matches the genre best.",
        "track_id": shared.TRACK_DESCRIPTIONS["track_id"],
        "title": shared.TRACK_DESCRIPTIONS["title"],
        "artists": shared.TRACK_DESCRIPTIONS["artists"],
        "label": "The genre it carries: the verdict, else the claim; NULL where there is neither.",
        "probability": "What the champion gives the genre for this track, 0 to 1.",
        "rank": "1: the genre is its first answer; 2: its second.",
        "also_seen": "Whether the track was seen under the genre, too.",
        "regime": "seen_artist: it learned from a track by a credited artist; else new_artist.",
        "model_id": "The champion's number.",
    },
    _genre_candidates,
    _genre_candidates_laterally,
)

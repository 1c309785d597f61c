"""Counts over the whole catalogue, and of the disputed labels per pair of genres."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, Integer, Select, and_, cast, func, select

from genrebase.store import tables
from genrebase.store.views import shared
from genrebase.store.views.definition import Providers, view
from genrebase.store.views.review import label_disputes


@view(
    "One row: how much the catalogue holds.",
    {
        "tracks": "Unique tracks.",
        "without_claim": "Tracks without a claim.",
        "unlabelled": "Tracks without a label, that is, with neither claim nor verdict.",
        "annotated": "Tracks with a verdict.",
        "verdicts": "Verdicts; a track can have several, by different people.",
        "with_features": "Tracks with features from any provider.",
        "sightings": "Pairs of a track and a genre that it was sighted in, whatever the sources.",
        "artists": "Artists.",
        "genres": "Genres.",
    },
)
def catalogue_counts(_providers: Providers) -> Select[Any]:
    track, verdict = tables.track, tables.verdict

    def count(source: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
        return _whole(select(func.count()).select_from(source).where(*conditions))

    has_verdict = select(verdict.c.track_id).where(verdict.c.track_id == track.c.id).exists()
    no_claim = track.c.genre_id.is_(None)
    sightings = select(func.coalesce(func.sum(tables.genre.c.sightings), 0))
    annotated = select(func.count(verdict.c.track_id.distinct()))
    counts: list[ColumnElement[Any]] = [
        count(track).label("tracks"),
        count(track, no_claim).label("without_claim"),
        count(track, and_(no_claim, ~has_verdict)).label("unlabelled"),
        _whole(annotated).label("annotated"),
        count(verdict).label("verdicts"),
        count(track, track.c.features_provider.is_not(None)).label("with_features"),
        _whole(sightings).label("sightings"),
        count(tables.artist).label("artists"),
        count(tables.genre).label("genres"),
    ]
    return select(*counts)


def _whole(query: Select[Any]) -> ColumnElement[int]:
    return cast(query.scalar_subquery(), Integer)


@view(
    "One row per claim and predicted genre: the number of rows of `label_disputes`.",
    {
        "claim": shared.LABEL_DESCRIPTIONS["claim"],
        "genre": "The predicted genre.",
        "tracks": "Disputed tracks with this claim and this prediction.",
    },
)
def dispute_counts(providers: Providers) -> Select[Any]:
    dispute = label_disputes.build(providers).subquery("dispute")
    return select(
        *shared.columns(dispute, "claim genre"),
        cast(func.count(), Integer).label("tracks"),
    ).group_by(dispute.c.claim, dispute.c.genre)

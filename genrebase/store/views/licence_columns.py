"""Columns of views about sources and licences of labels, features and analyses."""

from typing import Any, Final

from sqlalchemy import ColumnElement, FromClause, Label, case, func, select

from genrebase import licences
from genrebase.store import licence_sql, tables
from genrebase.store.views.shared import LabelledTracks

FEATURES_LICENCE: Final = {
    "features_licence": "The licence of the features: their own, or else the provider's; NULL "
    "without features.",
}
LABEL_SOURCE: Final = {
    "label_source": "The source of the label: verdict, or else the source with the best rank for "
    "the claim (of several, the first by name); NULL without a label.",
    "label_licence": "The licence of that source's label; own for a verdict.",
}
ANALYSIS_LICENCE: Final = {
    "licence": "The licence of the analysis: the licence of the track's features from the same "
    "provider; without one, the licence of the provider.",
}
DESCRIPTORS_LICENCE: Final = {
    "licence": "The licence of the descriptors: the strictest licence of the imports that "
    "delivered them; for audio files, the licence of their features.",
}
_DESCRIPTORS_BIT: Final = 1 << tables.DELIVERABLE.index("descriptors")
VERDICT: Final = "verdict"
"""The source of labels that people of this database gave."""


def of_source(name: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the licence of a source or provider, `unknown` where none is noted."""
    source = tables.data_source.alias("licensed_source")
    licence = select(source.c.licence).where(source.c.name == name)
    return func.coalesce(licence.correlate_except(source).scalar_subquery(), licences.UNKNOWN)


def of_features(features: FromClause, name: str = "features_licence") -> Label[Any]:
    """Return the licence of rows of `audio_features`; NULL without a provider."""
    licence = func.coalesce(features.c.licence, of_source(features.c.provider))
    return case((features.c.provider.is_not(None), licence)).label(name)


def of_analysis(analysis: FromClause) -> Label[Any]:
    """Return the column of `ANALYSIS_LICENCE`."""
    features = tables.audio_features.alias("licensed_features")
    of_same = (
        features.c.track_id == analysis.c.track_id,
        features.c.provider == analysis.c.provider,
    )
    own = select(features.c.licence).where(*of_same).correlate_except(features).scalar_subquery()
    return func.coalesce(own, of_source(analysis.c.provider)).label("licence")


def of_descriptors(descriptor: FromClause) -> Label[Any]:
    """Return the licence of descriptors: the strictest one of the imports that delivered them.

    Those of audio files have the licence of the features that come from the same files.
    """
    delivery, file = tables.import_track, tables.imported_file
    source = tables.data_source.alias("delivering_source")
    licence = func.coalesce(delivery.c.licence, source.c.licence, licences.UNKNOWN)
    provider = descriptor.c.provider + ":"
    delivered = (
        select(licence_sql.strictest(licence))
        .select_from(
            delivery.join(file, file.c.id == delivery.c.import_id).outerjoin(
                source, source.c.name == file.c.origin
            )
        )
        .where(
            delivery.c.track_id == descriptor.c.track_id,
            delivery.c.delivered.bitwise_and(_DESCRIPTORS_BIT) != 0,
            file.c.schema == descriptor.c.schema,
            func.substr(file.c.origin + ":", 1, func.length(provider)) == provider,
        )
        .correlate(descriptor)
        .scalar_subquery()
    )
    is_of_file = descriptor.c.provider == tables.AUDIO_PROVIDER
    other = func.coalesce(delivered, of_source(descriptor.c.provider))
    return case((is_of_file, of_analysis(descriptor).element), else_=other).label("licence")


def of_label(labelled: LabelledTracks) -> list[Label[Any]]:
    """Return the columns of `LABEL_SOURCE`."""
    sighting = tables.sighting.alias("label_sighting")
    licence = func.coalesce(sighting.c.licence, of_source(sighting.c.source))
    has_verdict = labelled.labelled_at.is_not(None)
    return [
        case((has_verdict, VERDICT), else_=_of_best(sighting, sighting.c.source)).label(
            "label_source"
        ),
        case((has_verdict, licences.OWN), else_=_of_best(sighting, licence)).label(
            "label_licence"
        ),
    ]


def _of_best(sighting: FromClause, value: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a value of the sighting that gives a track its claim."""
    track = tables.track
    return (
        select(value)
        .where(sighting.c.track_id == track.c.id, sighting.c.genre_id == track.c.genre_id)
        .order_by(sighting.c.best_rank, sighting.c.source)
        .limit(1)
        .correlate(track)
        .scalar_subquery()
    )

"""SQL about licences: which ones a training may use, and which tracks have a label under them."""

from typing import Any

from sqlalchemy import Select, or_, select, union

from classifier import data_sources
from classifier.data.dataframes import FrameSource
from classifier.data.licence_restriction import MAX_LEVELS
from classifier.data.raw_dataset import UNRESTRICTED
from classifier.training_config import TrainingConfig
from genrebase.store import tables, views


def allowed_licences(source: FrameSource, config: TrainingConfig) -> list[str] | None:
    """Return the licences in the database that `--licence` allows; None: every licence."""
    if config.licence == UNRESTRICTED[0]:
        return None
    origin, features, sighting = tables.data_source, tables.audio_features, tables.sighting
    names = union(
        select(origin.c.licence),
        select(features.c.licence).where(features.c.licence.is_not(None)),
        select(sighting.c.licence).where(sighting.c.licence.is_not(None)),
    )
    licences = source.frame(select(names.subquery().c.licence))["licence"]
    return sorted(name for name in licences if data_sources.is_allowed(name, config.licence))


def labelled_ids(config: TrainingConfig, licences: list[str] | None) -> Select[Any]:
    """Return a SELECT of the tracks that have a label under `licences`, at the level of `config`.

    `licences` are what `allowed_licences` returned for `config`.
    """
    training = views.training_tracks.c
    ids = select(training.track_id)
    if (config.licence, config.min_level) == UNRESTRICTED:
        return ids
    row = views.track_genre_sources.c
    sighted = select(row.track_id)
    if licences is not None:
        sighted = sighted.where(row.licence.in_(licences))
    if config.min_level != UNRESTRICTED[1]:
        reaches = row.level <= MAX_LEVELS[config.min_level]
        sighted = sighted.where(or_(row.level.is_(None), reaches))
    return ids.where(or_(training.verdict.is_not(None), training.track_id.in_(sighted)))

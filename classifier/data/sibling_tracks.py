"""Find the siblings of tracks: the other tracks of the artist that is credited first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import func, select

from classifier.arrays import Ids, Mask
from classifier.data import dataframes, dataset, regimes
from classifier.data.dataset import Database
from classifier.evaluation.sibling_sums import NO_ARTIST
from classifier.model_records import StoredModel
from genrebase.store import tables, views
from genrebase.store.engine import read_transaction


@dataclass(frozen=True, slots=True)
class SiblingState:
    """All tracks, with their siblings and the stored predictions of a model; a row per track."""

    tracks: Ids
    """Sorted."""
    artists: Ids
    """The artist credited first; `NO_ARTIST` without credits."""
    siblings: Ids
    """Number of siblings to pool with: 0 for tracks of seen artists."""
    is_outdated: Mask
    """The prediction used other siblings, or is older than one of them; or there is none."""

    def artist_of(self, tracks: Ids) -> Ids:
        """Return the artist of tracks that are among these."""
        return self.artists[np.searchsorted(self.tracks, tracks)]

    def tracks_of_artists(self, tracks: Ids) -> list[Ids]:
        """Return, for each artist of `tracks`, all of its tracks, sorted by artist."""
        of_artists = np.isin(self.artists, np.setdiff1d(self.artist_of(tracks), [NO_ARTIST]))
        rows = np.flatnonzero(of_artists)
        order = rows[np.argsort(self.artists[rows], kind="stable")]
        changes = np.flatnonzero(np.diff(self.artists[order])) + 1
        return np.split(self.tracks[order], changes) if len(order) else []


def read_state(database: Database, model: StoredModel, trained_artists: Ids) -> SiblingState:
    """Return the siblings of all tracks, and which predictions of `model` they outdate.

    `trained_artists` are those of the training tracks. It holds some 100 bytes per track.
    """
    track, prediction = views.scoring_tracks.c, tables.prediction.c
    first = (prediction.model_id == model.id) & (prediction.rank == 1)
    columns = (prediction.track_id, prediction.siblings, prediction.predicted_at)
    with dataframes.many_rows(database) as source:
        rows = source.frame(select(track.track_id, track.changed_at).order_by(track.track_id))
        credit = source.frame(dataset.credits_query())
        stored = source.frame(select(*columns).where(first).order_by(prediction.track_id))
    tracks = regimes.ids_of(rows)
    artists = regimes.primary_artists(tracks, credit)
    of_seen = np.isin(regimes.ids_of(credit, "artist_id"), trained_artists)
    is_seen = np.isin(tracks, regimes.ids_of(credit)[of_seen])
    _, codes, sizes = np.unique(artists, return_inverse=True, return_counts=True)
    siblings = np.where(is_seen | (artists == NO_ARTIST), 0, sizes[codes] - 1)
    rows = rows.merge(stored, on="track_id", how="left")
    latest = rows["changed_at"].groupby(codes).transform("max")
    changed = (rows["predicted_at"] < latest).to_numpy(dtype=bool)
    other = rows["siblings"].fillna(0).to_numpy(dtype=np.int64) != siblings
    missing = rows["predicted_at"].isna().to_numpy(dtype=bool)
    outdated = missing | other | (changed & (siblings > 0))
    return SiblingState(tracks, artists, siblings.astype(np.int64), outdated)


def siblings_of(database: Database, track: int) -> Ids:
    """Return the siblings of a track, sorted."""
    artist, credit = tables.artist.c, tables.track_artist.c
    own = (
        select(artist.name_key)
        .join_from(tables.track_artist, tables.artist)
        .where(credit.track_id == track)
        .order_by(credit.position)
        .limit(1)
    )
    with read_transaction(database) as connection:
        name = connection.scalar(own)
    found = np.array([], dtype=np.int64) if name is None else tracks_of_artist(database, name)
    return np.setdiff1d(found, [track])


def latest_change(database: Database, tracks: Ids) -> pd.Timestamp | None:
    """Return the latest time at which one of the tracks changed; None without any."""
    track = views.scoring_tracks.c
    latest = []
    with dataframes.few_rows(database) as source:
        for ids in dataframes.parts(tracks):
            rows = source.frame(
                select(track.track_id, track.changed_at).where(
                    dataframes.has_key(track.track_id, ids)
                )
            )
            latest.append(rows.loc[rows["track_id"].isin(ids), "changed_at"].max())
    return max(latest, default=None)


def tracks_of_artist(database: Database, name_key: str) -> Ids:
    """Return the tracks that credit an artist of this normalised name first, sorted."""
    artist, credit = tables.artist.c, tables.track_artist.alias("credit")
    other = tables.track_artist.alias("other")
    first = (
        select(func.min(other.c.position))
        .where(other.c.track_id == credit.c.track_id)
        .scalar_subquery()
    )
    query = (
        select(credit.c.track_id)
        .join(tables.artist, artist.id == credit.c.artist_id)
        .where(artist.name_key == name_key, credit.c.position == first)
        .order_by(credit.c.track_id)
    )
    with read_transaction(database) as connection:
        return np.unique(np.array(list(connection.scalars(query)), dtype=np.int64))

"""Match tracks with genre profiles: one track with every genre, or every track with its own."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from classifier.arrays import Floats
from classifier.config_options import check_value, did_you_mean
from classifier.data import dataset, rows_to_predict
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.features import audio
from classifier.findings import profiles, store
from classifier.findings.effect_sizes import CONTINUOUS_FEATURES
from classifier.findings.profiles import Distance
from genrebase.runtime.clock import Clock
from genrebase.store.find import UnknownTrack


@dataclass(frozen=True, slots=True)
class GenreDistance:
    """The distance of a track from a genre."""

    genre: str
    distance: float
    """About 1 is an ordinary track of the genre."""
    percentile: float
    """Percentage of the genre's own tracks that are nearer to its profile."""


@dataclass(frozen=True, slots=True)
class TrackMatch:
    """One track and every genre; the fields are the keys of `match TRACK --json`."""

    track: int
    title: str
    artists: str
    label: str | None
    distance: Distance
    genres: tuple[GenreDistance, ...]
    """The best first, by log-density."""


@dataclass(frozen=True, slots=True)
class TrackTypicality:
    """One track and its own genre."""

    track: int
    title: str
    artists: str
    distance: float
    percentile: float
    nearest: str
    """The genre with the highest log-density."""
    nearest_distance: float


@dataclass(frozen=True, slots=True)
class GenreTypicality:
    """The tracks of one genre by typicality; the fields are the keys of `match --genre --json`."""

    genre: str
    tracks: int
    distance: Distance
    fit_another_better: float
    """Share of the tracks that another genre's profile fits better."""
    most_typical: tuple[TrackTypicality, ...]
    least_typical: tuple[TrackTypicality, ...]


class _Profiles:
    """All labelled tracks with audio features, and the profiles of their genres."""

    def __init__(self, database: Database, method: Distance) -> None:
        check_value("distance", method, profiles.DISTANCES)
        columns = ["track_id", "title", "artists", "label", "provider", *CONTINUOUS_FEATURES]
        frame = dataset.read_view("training_tracks", database, columns=columns)
        frame = frame.sort_values("track_id", ignore_index=True)
        self.from_files = audio.mostly_from_files(frame)
        points = profiles.audio_matrix(audio.mask_other_scale(frame, from_files=self.from_files))
        rows = np.isfinite(points).any(axis=1)
        self.frame, self._points = frame[rows].reset_index(drop=True), points[rows]
        self._labels = self.frame["label"].to_numpy(dtype=str)
        self.by_genre = profiles.fit_profiles(self._points, self._labels, method)
        if not self.by_genre:
            raise TooFewTracks(
                f"No genre has {profiles.MIN_PROFILE_TRACKS} labelled tracks with features: run "
                "`collector enrich`, or import a dataset."
            )

    def genre_distance(self, genre: str, point: Floats) -> GenreDistance:
        """Return the distance and the percentile of one track in a genre."""
        profile = self.by_genre[genre]
        distance = profile.distances(point)
        own = profile.distances(self._points[self._labels == genre])
        share = profiles.percentile(own, distance)
        return GenreDistance(genre, float(distance[0]), float(share[0]))

    def tracks(self, genre: str) -> pd.DataFrame:
        """Return the tracks of a genre with their distance, percentile and nearest genre."""
        rows = self._labels == genre
        points, names = self._points[rows], list(self.by_genre)
        distances = self.by_genre[genre].distances(points)
        density = np.array([one.negative_log_density(points) for one in self.by_genre.values()])
        nearest = np.nan_to_num(density, nan=np.inf).argmin(axis=0)
        nearest_distances = np.empty(len(points))
        for code in np.unique(nearest):
            chosen = nearest == code
            nearest_distances[chosen] = self.by_genre[names[code]].distances(points[chosen])
        frame: pd.DataFrame = self.frame[rows]
        return frame.assign(
            distance=distances,
            percentile=profiles.percentile(distances, distances),
            nearest=[names[code] for code in nearest],
            nearest_distance=nearest_distances,
        )


def match_track(database: Database, text: str, method: Distance = "standardised") -> TrackMatch:
    """Compare one track (an id, an address, or a number) with every genre's profile."""
    number = dataset.find_track(database, text)
    if number is None:
        raise UnknownTrack(text)
    fitted = _Profiles(database, method)
    row = rows_to_predict.scoring_rows(database, np.array([number]))
    point = profiles.audio_matrix(audio.mask_other_scale(row, from_files=fitted.from_files))
    if not np.isfinite(point).any():
        raise TooFewTracks(f"Track {number} has no audio features: run `collector enrich`.")
    density = {
        genre: float(profile.negative_log_density(point)[0])
        for genre, profile in fitted.by_genre.items()
    }
    label = fitted.frame.loc[fitted.frame["track_id"] == number, "label"]
    return TrackMatch(
        track=number,
        title=str(row["title"].iloc[0]),
        artists=str(row["artists"].iloc[0]),
        label=str(label.iloc[0]) if len(label) else None,
        distance=method,
        genres=tuple(
            fitted.genre_distance(genre, point)
            for genre in sorted(density, key=lambda one: (density[one], one))
        ),
    )


def match_genre(
    database: Database, name: str, method: Distance = "standardised", *, limit: int = 10
) -> GenreTypicality:
    """Return the most and the least typical tracks of a genre."""
    fitted = _Profiles(database, method)
    if name not in fitted.by_genre:
        names = ", ".join(fitted.by_genre)
        hint = did_you_mean(name, fitted.by_genre)
        raise BadTrainingConfig(f"The genre {name!r} has no profile.{hint} There are: {names}.")
    frame = fitted.tracks(name).sort_values("distance", kind="stable")
    tracks = [
        TrackTypicality(
            int(row["track_id"]),
            str(row["title"]),
            str(row["artists"]),
            float(row["distance"]),
            float(row["percentile"]),
            str(row["nearest"]),
            float(row["nearest_distance"]),
        )
        for row in frame.to_dict("records")
    ]
    return GenreTypicality(
        genre=name,
        tracks=len(tracks),
        distance=method,
        most_typical=tuple(tracks[:limit]),
        least_typical=tuple(tracks[::-1][:limit]),
        fit_another_better=float((frame["nearest"] != name).mean()),
    )


def store_all_matches(database: Database, clock: Clock, method: Distance = "standardised") -> int:
    """Store how typical every labelled track with features is of its genre; return the count."""
    fitted = _Profiles(database, method)
    at = clock.now()
    genres = dataset.read_view("genre_progress", database, columns=["genre", "genre_id"])
    ids = {
        str(genre): int(number)
        for genre, number in zip(genres["genre"], genres["genre_id"], strict=True)
    }
    rows = [
        (
            int(row["track_id"]),
            ids[name],
            float(row["distance"]),
            float(row["percentile"]),
            ids[row["nearest"]],
            float(row["nearest_distance"]),
        )
        for name in fitted.by_genre
        for row in fitted.tracks(name).to_dict("records")
    ]
    return store.store_matches(database, rows, method, at)

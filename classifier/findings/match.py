"""How near tracks are to genres: one track to every genre, or every track to its own."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifier.data import dataset
from classifier.data.dataset import Database
from classifier.errors import BadTrainingConfig, TooFewTracks, TrackNotFound
from classifier.features import audio
from classifier.findings import profiles
from classifier.findings import store as findings
from classifier.findings.effect_sizes import CONTINUOUS_FEATURES
from classifier.findings.profiles import Distance
from genrebase.runtime.clock import Clock

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GenreDistance:
    """How near a track is to a genre."""

    genre: str
    distance: float
    """About 1 is an ordinary track of the genre."""
    percentile: float
    """Per cent of the genre's own tracks that are nearer to its profile."""


@dataclass(frozen=True, slots=True)
class TrackMatch:
    """One track before every genre."""

    track: int
    title: str
    artists: str
    label: str | None
    method: Distance
    genres: tuple[GenreDistance, ...]
    """The best fit first."""

    def as_json(self) -> dict[str, Any]:
        """Return what `match TRACK --json` shows."""
        return {
            "track": self.track,
            "title": self.title,
            "artists": self.artists,
            "label": self.label,
            "distance": self.method,
            "genres": [asdict(near) for near in self.genres],
        }


@dataclass(frozen=True, slots=True)
class TrackTypicality:
    """One track before its own genre."""

    track: int
    title: str
    artists: str
    distance: float
    percentile: float
    nearest: str
    """The genre whose profile fits it best."""
    nearest_distance: float


@dataclass(frozen=True, slots=True)
class GenreTypicality:
    """The tracks of one genre, by how typical they are."""

    genre: str
    tracks: int
    method: Distance
    most_typical: tuple[TrackTypicality, ...]
    least_typical: tuple[TrackTypicality, ...]
    """The least typical first."""
    fit_another_better: float
    """Share of the tracks that another genre's profile fits better."""

    def as_json(self) -> dict[str, Any]:
        """Return what `match --genre --json` shows."""
        return {
            "genre": self.genre,
            "tracks": self.tracks,
            "distance": self.method,
            "fit_another_better": self.fit_another_better,
            "most_typical": [asdict(one) for one in self.most_typical],
            "least_typical": [asdict(one) for one in self.least_typical],
        }


class _Heard:
    """All labelled tracks with features, and the profiles of their genres."""

    def __init__(self, database: Database, method: Distance) -> None:
        if method not in profiles.DISTANCES:
            known = ", ".join(profiles.DISTANCES)
            raise BadTrainingConfig(f"There is no distance {method!r}. Known: {known}.")
        columns = ["track_id", "title", "artists", "label", "provider", *CONTINUOUS_FEATURES]
        frame = dataset.read_view("training_tracks", database, columns=columns)
        frame = frame.sort_values("track_id", ignore_index=True)
        self.own_scale = audio.mostly_from_files(frame)
        sound = profiles.audio_matrix(audio.mask_other_scale(frame, from_files=self.own_scale))
        heard = np.isfinite(sound).any(axis=1)
        self.frame, self.sound = frame[heard].reset_index(drop=True), sound[heard]
        self.labels = self.frame["label"].to_numpy(dtype=str)
        self.profiles = profiles.fit_profiles(self.sound, self.labels, method)
        if not self.profiles:
            raise TooFewTracks(
                f"No genre has {profiles.MIN_PROFILE_TRACKS} labelled tracks with features: run "
                "`collector enrich`, or import a dataset."
            )
        self.method = method

    def own(self, genre: str) -> Floats:
        """Return how far the tracks of a genre are from its profile."""
        return self.profiles[genre].distances(self.sound[self.labels == genre])

    def nearest(self, rows: NDArray[np.bool_]) -> tuple[NDArray[np.str_], Floats]:
        """Return the genre that fits each of the chosen tracks best, and how far it is."""
        sound, genres = self.sound[rows], np.array(list(self.profiles))
        best, least = np.zeros(len(sound), dtype=np.intp), np.full(len(sound), np.inf)
        for place, profile in enumerate(self.profiles.values()):
            surprises = profile.negative_log_density(sound)
            better = surprises < least
            best[better], least[better] = place, surprises[better]
        distances = np.empty(len(sound))
        for place in np.unique(best):
            chosen = best == place
            distances[chosen] = self.profiles[str(genres[place])].distances(sound[chosen])
        return genres[best], distances

    def typical(self, genre: str) -> Iterator[TrackTypicality]:
        """Yield the tracks of a genre, the most typical first."""
        rows = self.labels == genre
        distances = self.own(genre)
        shares = profiles.percentile(distances, distances)
        nearest, least = self.nearest(rows)
        frame = self.frame[rows]
        for place in np.argsort(distances, kind="stable"):
            row = frame.iloc[int(place)]
            yield TrackTypicality(
                int(row["track_id"]),
                str(row["title"]),
                str(row["artists"]),
                float(distances[place]),
                float(shares[place]),
                str(nearest[place]),
                float(least[place]),
            )


def match_track(database: Database, text: str, method: Distance = "standardised") -> TrackMatch:
    """Hold one track (an id, an address, or a number) against every genre's profile."""
    number = dataset.find_track(database, text)
    if number is None:
        raise TrackNotFound(
            f"There is no track {text!r}: give a source's id, a Spotify address or a track's "
            "number (the column `track_id` of the view `tracks`)."
        )
    heard = _Heard(database, method)
    row = dataset.scoring_rows(database, np.array([number]))
    sound = profiles.audio_matrix(audio.mask_other_scale(row, from_files=heard.own_scale))
    if not np.isfinite(sound).any():
        raise TooFewTracks(f"Nobody knows how track {number} sounds: run `collector enrich`.")
    surprise = {
        genre: float(one.negative_log_density(sound)[0]) for genre, one in heard.profiles.items()
    }
    found = [
        _near(heard, genre, sound)
        for genre in sorted(surprise, key=lambda one: (surprise[one], one))
    ]
    label = heard.frame.loc[heard.frame["track_id"] == number, "label"]
    return TrackMatch(
        track=number,
        title=str(row["title"].iloc[0]),
        artists=str(row["artists"].iloc[0]),
        label=str(label.iloc[0]) if len(label) else None,
        method=method,
        genres=tuple(found),
    )


def match_genre(
    database: Database, name: str, method: Distance = "standardised", *, limit: int = 10
) -> GenreTypicality:
    """Return the most and the least typical tracks of a genre."""
    heard = _Heard(database, method)
    if name not in heard.profiles:
        known = ", ".join(heard.profiles)
        folded = {one.casefold(): one for one in heard.profiles}
        near = get_close_matches(name.casefold(), folded, n=1)
        hint = f" Did you mean {folded[near[0]]!r}?" if near else ""
        raise BadTrainingConfig(f"The genre {name!r} has no profile.{hint} There are: {known}.")
    found = list(heard.typical(name))
    return GenreTypicality(
        genre=name,
        tracks=len(found),
        method=method,
        most_typical=tuple(found[:limit]),
        least_typical=tuple(found[::-1][:limit]),
        fit_another_better=float(np.mean([one.nearest != name for one in found])),
    )


def store_all_matches(database: Database, clock: Clock, method: Distance = "standardised") -> int:
    """Store how typical every labelled track with features is of its genre; return how many."""
    heard = _Heard(database, method)
    at = clock.now()
    genres = dataset.read_view("genre_progress", database, columns=["genre", "genre_id"])
    numbers = dict(zip(genres["genre"], genres["genre_id"], strict=True))
    rows = []
    for name in heard.profiles:
        chosen = heard.labels == name
        distances = heard.own(name)
        nearest, least = heard.nearest(chosen)
        columns = (
            heard.frame.loc[chosen, "track_id"],
            distances,
            profiles.percentile(distances, distances),
            nearest,
            least,
        )
        rows += [
            (
                int(track),
                int(numbers[name]),
                float(far),
                float(share),
                int(numbers[near]),
                float(to),
            )
            for track, far, share, near, to in zip(*columns, strict=True)
        ]
    return findings.store_matches(database, rows, method, at)


def _near(heard: _Heard, genre: str, sound: Floats) -> GenreDistance:
    distance = heard.profiles[genre].distances(sound)
    share = profiles.percentile(heard.own(genre), distance)
    return GenreDistance(genre, float(distance[0]), float(share[0]))

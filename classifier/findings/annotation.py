"""Which tracks to annotate next, and what the annotations so far say.

The expected gain of annotating a track is the expected number of its artist's tracks whose label
is wrong, by the champion: an annotation also teaches the model about the artist. So one track of
each artist is listed.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Floats, Mask
from classifier.data import reviewed_tracks
from classifier.data.dataset import Database
from classifier.evaluation.bootstrap import ArtistBootstrap
from classifier.features import hashed_ngrams
from classifier.model_records import Interval
from classifier.registry import stored_models
from genrebase.errors import NothingToDo

MIN_VERDICTS: Final = 50
"""With fewer the intervals are too wide to be of use."""
REGIMES: Final = ("all", "new_artist", "seen_artist")


@dataclass(frozen=True, slots=True)
class AnnotationCandidate:
    """A track to annotate."""

    track: int
    title: str
    artists: str
    claim: str | None
    predicted: str
    probability: float
    """Of the predicted genre."""
    error: float
    """Probability that the claim, or without one the prediction, is wrong, by the champion."""
    artist_tracks: int
    """Tracks of the artist without a verdict."""
    expected_gain: float
    """Sum of `error` over these tracks."""


@dataclass(frozen=True, slots=True)
class AnnotationQueue:
    """The tracks to annotate next."""

    candidates: tuple[AnnotationCandidate, ...]
    artists: int
    """Artists that have a track without a verdict."""
    outside: int
    """Tracks that are not listed: the champion does not have their claim."""


@dataclass(frozen=True, slots=True)
class VerdictMetrics:
    """How claims and predictions agree with verdicts in one test condition."""

    regime: str
    n: int
    artists: int
    claim_accuracy: float | None
    """Share of the claims that the verdicts confirm; None without tracks that have both."""
    claim_interval: Interval | None
    predicted_accuracy: float | None
    """Share of the champion's predictions, out of sample, that are the verdict."""
    predicted_interval: Interval | None
    gain: float | None
    """Difference of the two on tracks that have both."""
    gain_interval: Interval | None


def queue(
    database: Database, *, task: str, limit: int, random: bool = False, seed: int = 0
) -> AnnotationQueue:
    """Return the tracks to annotate next, the most useful first; raise `NoChampion`.

    With `random` artists and tracks are drawn by `seed` instead: only these verdicts measure
    labels and models without bias.
    """
    model = stored_models.champion(database, task)
    frame = reviewed_tracks.predicted_tracks(database, model)
    inside = (frame["claim"].isna() | frame["claim"].isin(model.classes)).to_numpy(dtype=bool)
    outside = int((~inside).sum())
    frame = frame[inside].reset_index(drop=True)
    if len(frame) == 0:
        raise NothingToDo("Every predicted track has a verdict, or a claim outside the champion.")
    artists = np.unique(hashed_ngrams.first_artists(frame), return_inverse=True)[1]
    error = label_error(frame)
    if random:
        priority = np.random.default_rng(seed).permutation(len(frame)).astype(np.float64)
        order = one_per_artist(priority, priority, artists)
    else:
        gains = np.bincount(artists, weights=error)[artists]
        order = one_per_artist(gains, error, artists)
    rows = order[:limit]
    return AnnotationQueue(
        tuple(_candidates(frame, rows, error, artists)), int(artists.max()) + 1, outside
    )


def label_error(frame: pd.DataFrame) -> Floats:
    """Return the probability that each claim is wrong, without a claim that the prediction is."""
    correct = frame["claim_probability"].fillna(frame["probability"])
    return 1 - correct.to_numpy(dtype=np.float64)


def one_per_artist(
    artist_priority: NDArray[Any],
    track_priority: NDArray[Any],
    artists: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Return one row of each artist: its first by `track_priority`, artists by theirs.

    Equal ones stay in their order.
    """
    rows = np.lexsort((np.arange(len(artists)), -track_priority, artists))
    first = rows[np.unique(artists[rows], return_index=True)[1]]
    return first[np.argsort(-artist_priority[first], kind="stable")]


def measure(database: Database, *, seed: int = 0) -> list[VerdictMetrics]:
    """Compare claims and predictions with all verdicts; raise `NothingToDo` without any."""
    frame = reviewed_tracks.reviewed_tracks(database)
    if len(frame) == 0:
        raise NothingToDo("There is no verdict yet: collector label TRACK GENRE --by NAME")
    return [
        _metrics(regime, frame if regime == "all" else frame[frame["regime"] == regime], seed)
        for regime in REGIMES
    ]


def _candidates(
    frame: pd.DataFrame,
    rows: NDArray[np.intp],
    error: Floats,
    artists: NDArray[np.intp],
) -> list[AnnotationCandidate]:
    gains, sizes = np.bincount(artists, weights=error), np.bincount(artists)
    candidates = []
    for row in rows.tolist():
        track = frame.iloc[row]
        candidates.append(
            AnnotationCandidate(
                int(track["track_id"]),
                str(track["title"]),
                str(track["artists"]),
                None if pd.isna(track["claim"]) else str(track["claim"]),
                str(track["predicted"]),
                float(track["probability"]),
                float(error[row]),
                int(sizes[artists[row]]),
                float(gains[artists[row]]),
            )
        )
    return candidates


def _metrics(regime: str, frame: pd.DataFrame, seed: int) -> VerdictMetrics:
    artists = np.unique(hashed_ngrams.first_artists(frame), return_inverse=True)[1]
    right = {
        name: (frame[name] == frame["verdict"]).fillna(value=False).to_numpy(dtype=np.float64)
        for name in ("claim", "predicted")
    }
    has = {name: frame[name].notna().to_numpy(dtype=bool) for name in right}
    both = has["claim"] & has["predicted"]
    claim = _share(right["claim"], has["claim"], artists, seed)
    predicted = _share(right["predicted"], has["predicted"], artists, seed)
    gain = _share(right["predicted"] - right["claim"], both, artists, seed)
    return VerdictMetrics(regime, len(frame), len(np.unique(artists)), *claim, *predicted, *gain)


def _share(
    values: NDArray[Any], chosen: Mask, artists: NDArray[np.intp], seed: int
) -> tuple[float | None, Interval | None]:
    if not chosen.any():
        return None, None
    bootstrap = ArtistBootstrap(artists[chosen], seed=seed)
    interval = bootstrap.interval(bootstrap.means(values[chosen]))
    return float(values[chosen].mean()), interval

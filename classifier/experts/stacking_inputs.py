"""What the readers of text and history say of tracks, also of those they learned from."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.experts import Scores
from classifier.experts.artist_sightings import BESIDE, PER_GENRE, Company
from classifier.experts.artist_target_encoding import HistoryExpert, key
from classifier.experts.naive_bayes_text import Read, TextExpert, read
from classifier.features import hashed_ngrams
from classifier.features.audio import Matrix
from classifier.ports import Labels

PARTS: Final = 5
"""Readers that never saw a fifth of the tracks tell what they would say about it."""
ALBUM: Final = HistoryExpert.voices.index("album_name")
"""The one voice of history that also speaks of artists nobody knows."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What is said of some tracks."""

    text: Scores
    """The voices of `TextExpert`."""
    history: Scores
    """The voices of `HistoryExpert`; 0 where nothing is known."""
    evidence: NDArray[np.float32]
    """How many tracks of the credited artists are known."""
    company: Matrix
    """What `Company` says; no column where no sightings were told of."""

    def only(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Readings":
        """Return the chosen rows."""
        return Readings(
            self.text[:, rows], self.history[:, rows], self.evidence[rows], self.company[rows]
        )


@dataclass(frozen=True, slots=True)
class Readers:
    """Readers that have learned from tracks."""

    text: TextExpert
    history: HistoryExpert
    company: Company | None
    """None where no sightings were told of."""

    def say(self, frame: pd.DataFrame, seen: Read | None = None) -> Readings:
        """Return what they say of tracks they did not learn from.

        `seen` is what `read` made of these, where that is known.
        """
        company = np.zeros((len(frame), 0), dtype=np.float32)
        return Readings(
            self.text.speak_read(read(frame) if seen is None else seen),
            self.history.speak(frame),
            self.history.evidence(frame),
            company if self.company is None else self.company.transform(frame),
        )


def taught(
    frame: pd.DataFrame, seen: Read, labels: Labels, sightings: pd.DataFrame | None
) -> Readers:
    """Return readers that learned from these tracks; `seen` is what `read` made of them."""
    return Readers(
        TextExpert().fit_read(seen, labels),
        HistoryExpert().fit(frame, labels),
        None if sightings is None else Company().fit(frame, labels, sightings),
    )


def as_strangers(frame: pd.DataFrame, seen: Read, labels: Labels) -> Readings:
    """Return what readers say of each track who never saw its artist; nothing of its history."""
    parts = _parts(list(seen.artists))
    return _crossed(frame, seen, labels, parts, None, strangers=True)


def as_acquaintances(
    frame: pd.DataFrame, seen: Read, labels: Labels, sightings: pd.DataFrame | None
) -> Readings:
    """Return what readers say who saw the artist's other tracks, but none of the same name."""
    titles = hashed_ngrams.texts(frame, "title")
    names = [f"{title}|{artist}" for title, artist in zip(titles, seen.artists, strict=True)]
    return _crossed(frame, seen, labels, _parts(names), sightings, strangers=False)


def _crossed(
    frame: pd.DataFrame,
    seen: Read,
    labels: Labels,
    parts: NDArray[np.int64],
    sightings: pd.DataFrame | None,
    *,
    strangers: bool,
) -> Readings:
    genres = len(np.unique(labels))
    width = 0 if sightings is None else PER_GENRE * genres + BESIDE
    found = Readings(
        np.zeros((len(TextExpert.voices), len(labels), genres), dtype=np.float32),
        np.zeros((len(HistoryExpert.voices), len(labels), genres), dtype=np.float32),
        np.zeros(len(labels), dtype=np.float32),
        np.full((len(labels), width), np.nan, dtype=np.float32),
    )
    for part in range(PARTS):
        held = parts == part
        if not held.any() or len(np.unique(labels[~held])) < genres:
            continue  # nobody to ask who knows all genres: as if nothing was read
        readers = taught(frame[~held], seen.only(~held), labels[~held], sightings)
        said = readers.say(frame[held], seen.only(held))
        found.text[:, held] = said.text
        if strangers:
            found.history[ALBUM, held] = said.history[ALBUM]
        else:
            found.history[:, held] = said.history
            found.evidence[held] = said.evidence
            found.company[held] = said.company
    return found


def _parts(names: list[str]) -> NDArray[np.int64]:
    """Return a part for each name, the same for the same."""
    return np.array([key(name) % PARTS for name in names], dtype=np.int64)

"""What text, history and numbers say together: what a title means depends on the sound."""

from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from classifier.experts import Scores, logarithm
from classifier.experts.history import HistoryExpert, key
from classifier.experts.net import Matrix, Net
from classifier.experts.text import Read, TextExpert, read
from classifier.features import text
from classifier.features.pieces import PieceFeatures
from classifier.ports import Labels

NETS: Final = 2
"""Networks that differ by their seed; three or four brought nothing more."""
PARTS: Final = 5
"""Readers that never saw a fifth of the tracks tell what they would say about it."""
MOST_GENRES: Final = 40
"""With more, what the readers say is too wide a matrix for a training of minutes."""

_ARTISTS: Final = slice(0, 3)
"""The voices of history that only speak of known artists."""
_TEXT_SCALE, _HISTORY_SCALE, _FAR = 0.2, 0.3, 3.0
"""Log-ratios of some units become numbers of about unit scale."""


class JointExpert(BaseEstimator):  # type: ignore[misc]  # untyped there
    """The voices of text and history, and one of networks that hear these beside the numbers.

    The networks must learn how far to trust readers who have *not* seen a track. So each track is
    shown to them twice: as a stranger's, its text read by readers that never saw its artist and
    without history; and as an acquaintance's, by readers that saw the artist's other tracks but
    none of this name. Fed with history any other way they would lean on it and fail on new
    artists.
    """

    voices = (*TextExpert.voices, *HistoryExpert.voices, "joint")

    def __init__(
        self, groups: tuple[str, ...], *, nets: int = NETS, random_state: int = 0
    ) -> None:
        self.groups = groups
        self.nets = nets
        self.random_state = random_state

    def fit(self, X: pd.DataFrame, y: Labels) -> Self:  # noqa: N803 - scikit-learn's names
        """Learn from every row twice; the readers once from all."""
        self.features_ = PieceFeatures(self.groups)
        numbers = self.features_.fit_transform(X)
        seen = read(X)
        self.text_ = TextExpert().fit_read(seen, y)
        self.history_ = HistoryExpert().fit(X, y)
        shown = np.vstack([np.hstack([numbers, heard]) for heard in _twice(X, seen, y)])
        first = self.random_state * self.nets
        self.members_ = [
            Net(random_state=first + place).fit(shown, np.concatenate([y, y]))
            for place in range(self.nets)
        ]
        return self

    def speak(self, X: pd.DataFrame) -> Scores:  # noqa: N803 - scikit-learn's name
        """Return the readers' log-ratios and the networks' mean log-probabilities."""
        by_text, by_history = self.text_.speak(X), self.history_.speak(X)
        known = self.history_.evidence(X)
        numbers = self.features_.transform(X)
        shown = np.hstack([numbers, _heard(by_text, by_history, known)])
        said = [logarithm(member.predict_proba(shown)) for member in self.members_]
        return np.concatenate([by_text, by_history, np.mean(said, axis=0)[np.newaxis]])


def _twice(frame: pd.DataFrame, seen: Read, labels: Labels) -> tuple[Matrix, Matrix]:
    """Return what readers say who never saw the artists, and who never saw the tracks."""
    titles = text.texts(frame, "title")
    names = [f"{title}|{artist}" for title, artist in zip(titles, seen.artists, strict=True)]
    return (
        _crossed(frame, seen, labels, _parts(list(seen.artists)), strangers=True),
        _crossed(frame, seen, labels, _parts(names), strangers=False),
    )


def _crossed(
    frame: pd.DataFrame, seen: Read, labels: Labels, parts: NDArray[np.int64], *, strangers: bool
) -> Matrix:
    genres = len(np.unique(labels))
    by_text = np.zeros((len(TextExpert.voices), len(labels), genres), dtype=np.float32)
    by_history = np.zeros((len(HistoryExpert.voices), len(labels), genres), dtype=np.float32)
    known = np.zeros(len(labels), dtype=np.float32)
    for part in range(PARTS):
        held = parts == part
        if not held.any() or len(np.unique(labels[~held])) < genres:
            continue  # nobody to ask who knows all genres: as if nothing was read
        by_text[:, held] = (
            TextExpert().fit_read(seen.only(~held), labels[~held]).speak_read(seen.only(held))
        )
        if not strangers:
            history = HistoryExpert().fit(frame[~held], labels[~held])
            by_history[:, held] = history.speak(frame[held])
            known[held] = history.evidence(frame[held])
    return _heard(by_text, by_history, known)


def _heard(by_text: Scores, by_history: Scores, known: NDArray[np.float32]) -> Matrix:
    """Return what was said as columns of about unit scale."""
    return np.hstack(
        [
            *(by_text * _TEXT_SCALE).clip(-_FAR, _FAR),
            *(by_history[_ARTISTS] * _HISTORY_SCALE).clip(-_FAR, _FAR),
            (np.log1p(known) * _HISTORY_SCALE)[:, np.newaxis],
            (known > 0)[:, np.newaxis],
        ]
    ).astype(np.float32)


def _parts(names: list[str]) -> NDArray[np.int64]:
    """Return a part for each name, the same for the same."""
    return np.array([key(name) % PARTS for name in names], dtype=np.int64)

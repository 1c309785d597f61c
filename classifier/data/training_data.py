"""Which tracks a model learns from, and which it is judged on. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.data import genre_mapping as labelling
from classifier.data import published_split, regimes, soft_labels
from classifier.data.dataset import INPUT_COLUMNS, RawDataset
from classifier.data.soft_labels import TrainingSet
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.evaluation.metrics import LabelledPredictions
from classifier.features import groups, sequences
from classifier.features.audio import AUDIO
from classifier.ports import Estimator, Validation
from classifier.training_config import SOFT_LABELS, TrainingConfig

Mask = NDArray[np.bool_]
Ids = NDArray[np.int64]

MIN_CLASSES: Final = 2
_TO_LEARN: Final = 3
"""A genre needs a third of its minimum on the side that is learned from."""
_HOW: Final = {
    "harmony": "`collector analyse` or `collector import-audio FOLDER` brings it",
    "timbre": "`collector analyse` brings it",
    "descriptors": "`collector import-audio FOLDER` brings them",
    "matrices": "`collector analyse` or `collector import-audio FOLDER` brings them",
}
MAX_MISSING_AUDIO: Final = 0.5
"""Where more of the tracks learned from than this lack audio features, that is told."""
_SHOWN_LEFT_OUT: Final = 10
"""Genres named in a sentence."""


@dataclass(frozen=True, slots=True)
class SplitDataset:
    """Labelled tracks of the genres in play, row by row, and what is known about each."""

    tracks: pd.DataFrame
    labels: NDArray[np.str_]
    sides: NDArray[np.str_]
    train_mask: Mask
    """The rows a model learns from."""
    classes: tuple[str, ...]
    """The genres it tells apart, sorted."""
    left_out: Mapping[str, int]
    """Genres with too few tracks, and how many these have."""
    artists: Ids
    """The artist credited first: what the bootstrap draws."""
    seen_artist: Mask
    """A credited artist has another track that is learned from."""
    tracks_by_genre: Mapping[str, Ids]
    """Genre to the tracks seen under it."""
    sightings: pd.DataFrame
    """(track_id, genre, best_rank) of these tracks, under genres in play."""
    in_task: Mask
    """Rows whose genre is in play here; the others only the champion knows."""
    broad_of: Mapping[str, str]
    """Genre to broad genre, where the genres are fine and a mapping knows them."""
    unmapped: Mapping[str, int]
    """Genres that the mapping does not know, and their tracks."""
    soft_labels: bool = False
    """A track is learned under every genre it was seen under."""

    def training_set(self) -> TrainingSet:
        """Return what a model is given to learn from."""
        tracks, labels = self.tracks[self.train_mask], self.labels[self.train_mask]
        if not self.soft_labels:
            return TrainingSet(
                tracks, labels, None, soft_labels.sightings_of(tracks, self.sightings)
            )
        known = {
            genre: self.tracks_by_genre[genre]
            for genre in self.classes
            if genre in self.tracks_by_genre
        }
        return soft_labels.expand_soft_labels(tracks, labels, known)

    @property
    def ids(self) -> Ids:
        """Return the tracks' numbers."""
        return self.tracks["track_id"].to_numpy(dtype=np.int64)

    @property
    def train_ids(self) -> Ids:
        """Return the numbers of the tracks that are learned from."""
        return self.ids[self.train_mask]

    @property
    def regimes(self) -> NDArray[np.str_]:
        """Return the regime of each row, as far as it is held out."""
        return regimes.regime_of_side(self.sides, self.seen_artist)

    def held_out(self, side: str) -> Mask:
        """Return the rows of a held-out side (`test` or `validation`), of genres in play."""
        return self.on_side(side) & self.in_task

    def on_side(self, side: str) -> Mask:
        """Return the rows of a held-out side, those of genres only the champion knows included."""
        return np.isin(self.sides, [f"{side}_new", f"{side}_seen"])

    def validation(self) -> Validation | None:
        """Return what early stopping may look at."""
        chosen = self.held_out("validation")
        return (self.tracks[chosen], self.labels[chosen]) if chosen.any() else None

    def predict(self, estimator: Estimator, chosen: Mask) -> LabelledPredictions:
        """Return what a fitted estimator answers about the `chosen` rows, beside the truth."""
        shares = np.zeros((int(chosen.sum()), len(self.classes)))
        if len(shares):
            columns = np.searchsorted(np.asarray(self.classes), estimator.classes_)
            shares[:, columns] = estimator.predict_proba(self.tracks[chosen])
        return self.predictions(chosen, shares, self.classes)

    def predictions(
        self, chosen: Mask, shares: NDArray[np.float64], classes: tuple[str, ...]
    ) -> LabelledPredictions:
        """Return `shares` over `classes` beside what is true of the `chosen` rows."""
        code = {genre: place for place, genre in enumerate(classes)}
        labels = self.labels[chosen]
        truth = np.array([code.get(label, len(classes)) for label in labels], dtype=np.intp)
        first = shares.argmax(axis=1)
        ids = self.ids[chosen]
        also = first == truth
        for place in np.unique(first):
            rows = first == place
            also[rows] |= np.isin(ids[rows], self.tracks_by_genre.get(classes[place], ()))
        verdict = self.tracks["verdict"].notna().to_numpy(dtype=bool)[chosen]
        near = None
        if labelling.is_nontrivial(classes, self.broad_of):
            near = labelling.same_broad_genre(labels, np.asarray(classes)[first], self.broad_of)
        return LabelledPredictions(shares, truth, self.artists[chosen], also, verdict, near)


def split_dataset(
    found: RawDataset, choice: TrainingConfig, *, champion_genres: tuple[str, ...] = ()
) -> SplitDataset:
    """Return the tracks that `choice` asks for.

    `also` are genres the champion knows: their held-out tracks stay in, outside `in_task`, so that
    a candidate that knows fewer genres cannot win by being asked less.
    Raise `BadTrainingConfig` for a genre that is not there, `TooFewTracks` where nothing can be learned.
    """
    if choice.split == "official":
        found = published_split.apply_published_split(found)
    asked = labelling.apply_label_policy(found.tracks, found.sightings, found.mappings, choice)
    tracks = asked.tracks
    _check_heard(tracks, choice)
    classes, left_out = _classes(tracks, choice)
    labels = tracks["label"].to_numpy(dtype=str)
    in_play = np.isin(labels, classes)
    train = tracks["side"].to_numpy(dtype=str) == "train"
    kept = in_play | (np.isin(labels, champion_genres) & ~train)
    tracks, labels = tracks[kept].reset_index(drop=True), labels[kept]
    sides = tracks["side"].to_numpy(dtype=str)
    learned = subsample(tracks, labels, sides == "train", choice)
    ids = tracks["track_id"].to_numpy(dtype=np.int64)
    owners = found.credits["track_id"].to_numpy(dtype=np.int64)
    credited = found.credits["artist_id"].to_numpy(dtype=np.int64)
    positions = found.credits["position"].to_numpy(dtype=np.int64)
    known = regimes.has_seen_artist(ids, owners, credited, ids[learned])
    sighted = asked.sightings.groupby("genre")["track_id"]
    told = asked.sightings["genre"].isin(classes) & asked.sightings["track_id"].isin(ids)
    return SplitDataset(
        tracks=tracks,
        labels=labels,
        sides=sides,
        train_mask=learned,
        classes=classes,
        left_out=left_out,
        seen_artist=known,
        artists=regimes.primary_artists(ids, owners, credited, positions),
        tracks_by_genre={str(genre): group.to_numpy(dtype=np.int64) for genre, group in sighted},
        sightings=asked.sightings[told.to_numpy(dtype=bool)].reset_index(drop=True),
        in_task=in_play[kept],
        broad_of={genre: asked.broad_of[genre] for genre in classes if genre in asked.broad_of},
        unmapped=asked.unmapped,
        soft_labels=choice.labels == SOFT_LABELS,
    )


def missing_audio_warning(selection: SplitDataset, choice: TrainingConfig) -> str | None:
    """Return a warning where most tracks learned from have no audio features yet, or None."""
    if "audio" not in choice.features:
        return None
    known = selection.tracks.loc[selection.train_mask, list(AUDIO)].notna().any(axis=1)
    share = 1 - float(known.mean())
    if share <= MAX_MISSING_AUDIO:
        return None
    return (
        f"{share:.0%} of the tracks to learn from have no audio features yet: the model hardly "
        "hears them. `collector enrich` asks for them; new features are new data, and the next "
        "`classifier train` learns again."
    )


def fingerprint(selection: SplitDataset) -> str:
    """Return the SHA-256 of everything a training would see of the tracks."""
    columns = [
        *INPUT_COLUMNS,
        *groups.analysis_columns(selection.tracks),
        "label",
        "verdict",
        "genres_sighted",
        "track_fold",
        "side",
    ]
    seen = selection.tracks.loc[selection.in_task, columns]
    hashes = pd.util.hash_pandas_object(seen, index=False).to_numpy()
    digest = hashlib.sha256(hashes.tobytes())
    digest.update(selection.train_mask[selection.in_task].tobytes())
    digest.update(selection.artists[selection.in_task].tobytes())
    learning = selection.training_set()
    if learning.sightings is not None:
        told = pd.util.hash_pandas_object(learning.sightings, index=False).to_numpy()
        digest.update(np.sort(told).tobytes())
    if selection.soft_labels:
        digest.update(pd.util.hash_array(learning.labels.astype(object)).tobytes())
        digest.update(learning.frame["track_id"].to_numpy(dtype=np.int64).tobytes())
    return digest.hexdigest()


def format_counts(left_out: Mapping[str, int]) -> str:
    """Return genres that were left out, as a sentence names them."""
    shown = [f"{genre} ({count})" for genre, count in list(left_out.items())[:_SHOWN_LEFT_OUT]]
    more = len(left_out) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _classes(
    tracks: pd.DataFrame, choice: TrainingConfig
) -> tuple[tuple[str, ...], Mapping[str, int]]:
    counts = _counted(tracks["label"])
    wanted = _wanted(set(counts), choice)
    learnable = _counted(tracks.loc[tracks["side"] == "train", "label"])
    enough = {
        genre
        for genre in wanted
        if counts[genre] >= choice.min_tracks
        and learnable.get(genre, 0) >= max(2, choice.min_tracks // _TO_LEARN)
    }
    left_out = {genre: counts[genre] for genre in sorted(wanted - enough)}
    if len(enough) < MIN_CLASSES:
        raise TooFewTracks(_too_few(enough, left_out, choice))
    return tuple(sorted(enough)), left_out


def _check_heard(tracks: pd.DataFrame, choice: TrainingConfig) -> None:
    """Raise `BadTrainingConfig` where something is to be looked at that is known of no track."""
    for group in groups.AUDIO_ANALYSIS_GROUPS:
        if group in choice.features:
            names = groups.group_columns(group, tracks)
            if not any(name in tracks.columns and tracks[name].notna().any() for name in names):
                raise BadTrainingConfig(f"No labelled track has {group}: {_HOW[group]}.")
    if groups.MATRICES in choice.features:
        kinds = [kind for kind in sequences.CHANNELS if kind in tracks.columns]
        if not any(tracks[kind].notna().any() for kind in kinds):
            raise BadTrainingConfig(f"No labelled track has matrices: {_HOW['matrices']}.")


def _counted(labels: "pd.Series[str]") -> dict[str, int]:
    return {str(genre): int(count) for genre, count in labels.value_counts().items()}


def _wanted(there: set[str], choice: TrainingConfig) -> set[str]:
    asked = (*(choice.genres or ()), *choice.exclude)
    unknown = [genre for genre in asked if genre not in there]
    if unknown:
        known = ", ".join(sorted(there)) or "none"
        raise BadTrainingConfig(
            f"No labelled track has the genre {unknown[0]!r}. There are: {known}."
        )
    return set(choice.genres or there) - set(choice.exclude)


def _too_few(enough: set[str], left_out: Mapping[str, int], choice: TrainingConfig) -> str:
    there = sorted({*enough, *left_out})
    if choice.within is not None and len(there) < MIN_CLASSES:
        holds = f"only tracks of {there[0]}" if there else "no labelled track"
        return (
            f"The broad genre {choice.within!r} holds {holds} here: nothing to tell apart. "
            "Leave out --within, name another one, or map more genres into it."
        )
    found = f"only {', '.join(sorted(enough))} has" if enough else "none has"
    too_small = f" Too small: {format_counts(left_out)}." if left_out else ""
    return (
        f"Too few tracks to train: two genres with at least {choice.min_tracks} labelled tracks "
        f"each are needed, {found} them.{too_small} Harvest or import more, "
        "or lower --min-tracks."
    )


def subsample(
    tracks: pd.DataFrame, labels: NDArray[np.str_], train: Mask, choice: TrainingConfig
) -> Mask:
    """Return the rows to learn from: of each genre at most `per_genre`, drawn by name and seed.

    Drawn by name, not by number, so that two databases with the same tracks draw the same.
    """
    if choice.per_genre is None:
        return train
    names: pd.Series[Any] = tracks["title"] + "\x1f" + tracks["artists"]
    drawn = pd.util.hash_array(
        (names + f"\x1f{choice.seed}").to_numpy(dtype=object), categorize=False
    )
    order = np.lexsort((drawn, labels))
    place = np.zeros(len(labels), dtype=np.int64)
    chosen = order[train[order]]
    _, starts, sizes = np.unique(labels[chosen], return_index=True, return_counts=True)
    place[chosen] = np.arange(len(chosen)) - np.repeat(starts, sizes)
    return np.asarray(train & (place < choice.per_genre))

"""Select the labelled tracks of a training and split them (train/test split). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Floats, Ids, Mask
from classifier.data import (
    artist_sample,
    genre_mapping,
    licence_restriction,
    published_split,
    regimes,
    soft_labels,
    vote_shares,
)
from classifier.data.genre_mapping import LabelledRows
from classifier.data.left_out_tracks import SelectedTracks
from classifier.data.raw_dataset import RawDataset, rows_where
from classifier.data.soft_labels import TrainingSet
from classifier.data_sources import TrainingSources
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.evaluation.metrics import LabelledPredictions
from classifier.features import groups, sequences
from classifier.features.audio import AUDIO
from classifier.ports import Estimator, Validation
from classifier.training_config import SOFT_LABELS, TrainingConfig

MIN_CLASSES: Final = 2
_TRAIN_DIVISOR: Final = 3
"""A genre needs a third of its minimum on the training side."""
_HOW_TO_GET: Final = {
    "harmony": "`collector analyse` or `collector import-audio FOLDER` stores it",
    "timbre": "`collector analyse` stores it",
    "acousticbrainz": "`collector enrich` fetches it of tracks with a MusicBrainz id",
    "descriptors": "`collector import-audio FOLDER` stores them",
    "matrices": "`collector analyse` or `collector import-audio FOLDER` stores them",
}
MAX_MISSING_AUDIO: Final = 0.5
"""Warn if a larger share of the training tracks lacks audio features."""
_MAX_NAMED: Final = 10
"""Genres named in a sentence."""


@dataclass(frozen=True, slots=True)
class SplitDataset:
    """Labelled tracks, split into training and held-out rows; each array has an entry per row."""

    tracks: pd.DataFrame
    labels: NDArray[np.str_]
    sides: NDArray[np.str_]
    train_mask: Mask
    """The training rows."""
    classes: tuple[str, ...]
    """The genres of the task, sorted."""
    left_out: Mapping[str, int]
    """Genres with too few tracks, and their numbers of tracks."""
    artists: Ids
    """The artist credited first: the unit that the bootstrap resamples."""
    seen_artist: Mask
    """A credited artist has another track among the training rows."""
    tracks_by_genre: Mapping[str, Ids]
    """Genre to the ids of the tracks that were seen under it."""
    sightings: pd.DataFrame
    """(track_id, genre, best_rank) of these tracks, under genres of the task."""
    in_task: Mask
    """Rows of genres in this task; the others are kept to compare with the champion only."""
    broad_of: Mapping[str, str]
    """Genre to broad genre, for fine genres that the mapping has."""
    unmapped: Mapping[str, int]
    """Genres that the mapping lacks, and their numbers of tracks."""
    sources: TrainingSources
    """Sources and licences of the labels and features of the task's rows."""
    soft_labels: bool
    """A track is trained on every genre it was seen under."""
    label_shares: pd.DataFrame | None
    """(track_id, genre, share) of tracks with votes, for soft labels."""
    selected: SelectedTracks
    """How many tracks each step of the selection left."""

    def training_set(self) -> TrainingSet:
        """Return what a model is fitted on."""
        tracks, labels = self.tracks[self.train_mask], self.labels[self.train_mask]
        if not self.soft_labels:
            return TrainingSet(
                tracks, labels, None, soft_labels.sightings_of(tracks, self.sightings)
            )
        by_genre = {one: ids for one, ids in self.tracks_by_genre.items() if one in self.classes}
        return soft_labels.expand_soft_labels(tracks, labels, by_genre, self.label_shares)

    @property
    def ids(self) -> Ids:
        return regimes.ids_of(self.tracks)

    @property
    def train_ids(self) -> Ids:
        """Return the ids of the training tracks."""
        return self.ids[self.train_mask]

    @property
    def regimes(self) -> NDArray[np.str_]:
        """Return the regime of each row; it has a meaning for held-out rows only."""
        return regimes.regime_of_side(self.sides, self.seen_artist)

    def left_out_by_reason(self) -> dict[str, int]:
        """Return how many of the tracks that were read are not trained on, by reason."""
        return self.selected.left_out(self.sides[self.in_task], self.train_mask[self.in_task])

    def held_out(self, side: str) -> Mask:
        """Return the rows of a held-out side (`test` or `validation`), of genres in the task."""
        return self.on_side(side) & self.in_task

    def on_side(self, side: str) -> Mask:
        """Return all rows of a held-out side, with genres that only the champion classifies."""
        return np.isin(self.sides, [f"{side}_new", f"{side}_seen"])

    def validation(self) -> Validation | None:
        """Return the validation tracks and labels, for early stopping and calibration."""
        chosen = self.held_out("validation")
        return (self.tracks[chosen], self.labels[chosen]) if chosen.any() else None

    def predict(self, estimator: Estimator, chosen: Mask) -> LabelledPredictions:
        """Return the predictions of a fitted estimator for the `chosen` rows, with the truth."""
        probabilities = np.zeros((int(chosen.sum()), len(self.classes)))
        if len(probabilities):
            columns = np.searchsorted(np.asarray(self.classes), estimator.classes_)
            probabilities[:, columns] = estimator.predict_proba(self.tracks[chosen])
        return self.predictions(chosen, probabilities, self.classes)

    def predictions(
        self, chosen: Mask, probabilities: Floats, classes: tuple[str, ...]
    ) -> LabelledPredictions:
        """Return `probabilities` (rows, classes) with the truth of the `chosen` rows."""
        code = {genre: place for place, genre in enumerate(classes)}
        labels = self.labels[chosen]
        truth = np.array([code.get(label, len(classes)) for label in labels], dtype=np.intp)
        first = probabilities.argmax(axis=1)
        sighted = self._genres_sighted(self.ids[chosen], classes)
        also = (first == truth) | sighted[np.arange(len(first)), first]
        verdict = self.tracks["verdict"].notna().to_numpy(dtype=bool)[chosen]
        near = None
        if genre_mapping.is_nontrivial(classes, self.broad_of):
            near = genre_mapping.same_broad_genre(
                labels, np.asarray(classes)[first], self.broad_of
            )
        return LabelledPredictions(
            probabilities, truth, self.artists[chosen], also, verdict, near, sighted
        )

    def _genres_sighted(self, ids: Ids, classes: tuple[str, ...]) -> Mask:
        """Return (tracks, classes): the genres that each track was sighted in."""
        sighted = np.zeros((len(ids), len(classes)), dtype=bool)
        for place, genre in enumerate(classes):
            sighted[:, place] = np.isin(ids, self.tracks_by_genre.get(genre, ()))
        return sighted


def split_dataset(
    data: RawDataset, config: TrainingConfig, *, champion_genres: tuple[str, ...] = ()
) -> SplitDataset:
    """Return the tracks that `config` selects, split into training and held-out rows.

    What the licence and level of `config` do not allow is left out first (`licence_restriction`).
    Held-out tracks of `champion_genres` are kept outside `in_task`, so that a candidate with fewer
    genres than the champion cannot win because it is tested on fewer.
    Raise `BadTrainingConfig` for an unknown genre, `TooFewTracks` if nothing can be trained.
    """
    data = licence_restriction.restrict(data, config)
    try:
        return _split(data, config, champion_genres)
    except (BadTrainingConfig, TooFewTracks) as error:
        reasons = [*data.left_out.sentences(*data.restricted_to)]
        if not reasons:
            raise
        raise type(error)(" ".join([str(error), *reasons])) from None


def _split(
    data: RawDataset, config: TrainingConfig, champion_genres: tuple[str, ...]
) -> SplitDataset:
    labelled = labelled_rows(data, config)
    tracks = _limited(labelled.tracks, config)
    if len(tracks):
        _check_audio_analysis(tracks, config)
    classes, left_out = _classes(tracks, config)
    within_limit = len(tracks)
    labels = tracks["label"].to_numpy(dtype=str)
    in_task = np.isin(labels, classes)
    train = tracks["side"].to_numpy(dtype=str) == "train"
    kept = in_task | (np.isin(labels, champion_genres) & ~train)
    tracks, labels = rows_where(tracks, kept).reset_index(drop=True), labels[kept]
    sides = tracks["side"].to_numpy(dtype=str)
    train_mask = subsample(tracks, labels, sides == "train", config)
    ids = regimes.ids_of(tracks)
    sightings = labelled.sightings
    of_task = sightings["genre"].isin(classes) & sightings["track_id"].isin(ids)
    used = train_mask | (in_task[kept] & (sides != "train"))
    shares = None
    if config.labels == SOFT_LABELS:
        shares = vote_shares.of_tracks(data, tracks, labelled.renamed, classes)
    return SplitDataset(
        tracks=tracks,
        labels=labels,
        sides=sides,
        train_mask=train_mask,
        classes=classes,
        left_out=left_out,
        seen_artist=regimes.has_seen_artist(ids, data.credits, ids[train_mask]),
        artists=regimes.primary_artists(ids, data.credits),
        tracks_by_genre=labelled.tracks_by_genre(),
        sightings=rows_where(sightings, of_task.to_numpy(dtype=bool)).reset_index(drop=True),
        in_task=in_task[kept],
        broad_of={one: labelled.broad_of[one] for one in classes if one in labelled.broad_of},
        unmapped=labelled.unmapped,
        soft_labels=config.labels == SOFT_LABELS,
        label_shares=shares,
        sources=licence_restriction.sources_of(data, tracks[used], config),
        selected=SelectedTracks(
            len(data.tracks), len(labelled.tracks), within_limit, sum(left_out.values())
        ),
    )


def labelled_rows(data: RawDataset, config: TrainingConfig) -> LabelledRows:
    """Return the usable tracks with the labels and the sides that `config` selects."""
    if config.split == "official":
        data = published_split.apply_published_split(data)
    return genre_mapping.apply_label_policy(
        data.tracks, data.track_genres(), data.mappings, config
    )


def _limited(tracks: pd.DataFrame, config: TrainingConfig) -> pd.DataFrame:
    """Return the tracks that `--tracks-per-genre` takes (see `artist_sample`)."""
    if config.tracks_per_genre is None:
        return tracks
    keys = artist_sample.TrackKeys.of(tracks, {})
    return rows_where(tracks, artist_sample.choose(keys, config.tracks_per_genre))


def missing_audio_warning(split: SplitDataset, config: TrainingConfig) -> str | None:
    """Return a warning if most training tracks have no audio features yet, else None."""
    if "audio" not in config.features:
        return None
    has_audio = split.tracks.loc[split.train_mask, list(AUDIO)].notna().any(axis=1)
    share = 1 - float(has_audio.mean())
    if share <= MAX_MISSING_AUDIO:
        return None
    return (
        f"{share:.0%} of the training tracks have no audio features yet: the model hardly uses "
        "audio. Run `collector enrich` to fetch them; the next `classifier train` uses them."
    )


def format_counts(left_out: Mapping[str, int]) -> str:
    """Return genres with their numbers of tracks, for a sentence."""
    named = [f"{genre} ({count})" for genre, count in list(left_out.items())[:_MAX_NAMED]]
    more = len(left_out) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def _classes(
    tracks: pd.DataFrame, config: TrainingConfig
) -> tuple[tuple[str, ...], Mapping[str, int]]:
    counts = _count(tracks["label"])
    selected = _selected_genres(set(counts), config)
    in_training = _count(tracks.loc[tracks["side"] == "train", "label"])
    enough = {
        genre
        for genre in selected
        if counts[genre] >= config.min_tracks
        and in_training.get(genre, 0) >= max(2, config.min_tracks // _TRAIN_DIVISOR)
    }
    left_out = {genre: counts[genre] for genre in sorted(selected - enough)}
    if len(enough) < MIN_CLASSES:
        raise TooFewTracks(_too_few(enough, left_out, config))
    return tuple(sorted(enough)), left_out


def _check_audio_analysis(tracks: pd.DataFrame, config: TrainingConfig) -> None:
    """Raise `BadTrainingConfig` for a feature group that no labelled track has."""
    for group, how_to_get in _HOW_TO_GET.items():
        if group in config.features:
            is_matrix = group == groups.MATRICES
            names = sequences.CHANNELS if is_matrix else groups.group_columns(group, tracks)
            if not any(name in tracks.columns and tracks[name].notna().any() for name in names):
                raise BadTrainingConfig(f"No labelled track has {group}: {how_to_get}.")


def _count(labels: "pd.Series[str]") -> dict[str, int]:
    return {str(genre): int(count) for genre, count in labels.value_counts().items()}


def _selected_genres(genres: set[str], config: TrainingConfig) -> set[str]:
    named = (*(config.genres or ()), *config.exclude)
    unknown = [genre for genre in named if genre not in genres]
    if unknown:
        labelled = ", ".join(sorted(genres)) or "none"
        raise BadTrainingConfig(
            f"No labelled track has the genre {unknown[0]!r}. There are: {labelled}."
        )
    return set(config.genres or genres) - set(config.exclude)


def _too_few(enough: set[str], left_out: Mapping[str, int], config: TrainingConfig) -> str:
    there = sorted({*enough, *left_out})
    if config.within is not None and len(there) < MIN_CLASSES:
        holds = f"only tracks of {there[0]}" if there else "no labelled track"
        return (
            f"The broad genre {config.within!r} has {holds} here: nothing to classify. "
            "Leave out --within, name another one, or map more genres into it."
        )
    qualified = f"only {', '.join(sorted(enough))} has" if enough else "no genre has"
    too_small = f" Too small: {format_counts(left_out)}." if left_out else ""
    return (
        f"Too few tracks to train: two genres with at least {config.min_tracks} labelled tracks "
        f"each are needed, and {qualified} so many.{too_small} Harvest or import more, "
        "or lower --min-tracks."
    )


def subsample(
    tracks: pd.DataFrame, labels: NDArray[np.str_], train: Mask, config: TrainingConfig
) -> Mask:
    """Return the training rows, at most `per_genre` of each genre, drawn by name and seed.

    They are drawn by name, not by id, so that two databases with the same tracks draw the same.
    """
    if config.per_genre is None:
        return train
    names: pd.Series[Any] = tracks["title"] + "\x1f" + tracks["artists"]
    drawn = pd.util.hash_array(
        (names + f"\x1f{config.seed}").to_numpy(dtype=object), categorize=False
    )
    order = np.lexsort((drawn, labels))
    place = np.zeros(len(labels), dtype=np.int64)
    chosen = order[train[order]]
    _, starts, sizes = np.unique(labels[chosen], return_index=True, return_counts=True)
    place[chosen] = np.arange(len(chosen)) - np.repeat(starts, sizes)
    return np.asarray(train & (place < config.per_genre))


def random_rows(rows: Mask, size: int, *, seed: int) -> Mask:
    """Return at most `size` of the rows, drawn by `seed`."""
    places = np.flatnonzero(rows)
    if len(places) <= size:
        return rows
    drawn = np.zeros(len(rows), dtype=bool)
    drawn[np.random.default_rng(seed).choice(places, size, replace=False)] = True
    return drawn

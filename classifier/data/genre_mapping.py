"""Apply the label policy and map fine genres to broad ones. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from classifier.arrays import Ids, Mask
from classifier.data.raw_dataset import rows_where
from classifier.errors import BadTrainingConfig
from classifier.training_config import EXCLUSIVE_LABELS, TrainingConfig
from genrebase.store import default_mapping

DEFAULT_MAPPING: Final = default_mapping.NAME
OTHER_GENRE: Final = "other"
"""The broad genre for all genres that the mapping lacks, with `--unmapped other`."""

_NOT_A_GENRE: Final = frozenset({"", "nan"})
"""What a careless import leaves for a missing genre: never a class."""
_BETWEEN: Final = re.compile(r"[\W_]+")
_AND: Final = frozenset({"and", "n"})

Mappings = Mapping[str, Mapping[str, str]]
"""Name of a mapping to (fine genre to broad genre)."""


def genre_key(genre: str) -> str:
    """Return the same key for all spellings: `hip hop` and `Hip-Hop`, `R&B` and `r-n-b`."""
    words = _BETWEEN.split(genre.casefold())
    return " ".join(word for word in words if word and word not in _AND)


@dataclass(frozen=True, slots=True)
class GenreMapping:
    """One mapping of fine genres to broad ones, looked up in any spelling."""

    name: str
    broad_of: Mapping[str, str]
    """By `genre_key` of the fine genre."""

    @classmethod
    def by_name(cls, mappings: Mappings, name: str | None) -> "GenreMapping":
        """Return the mapping of this name (None: the default); raise `BadTrainingConfig`."""
        wanted = DEFAULT_MAPPING if name is None else name
        if wanted not in mappings:
            names = ", ".join(sorted(mappings)) or "none"
            raise BadTrainingConfig(
                f"There is no mapping {wanted!r}. Known: {names}. "
                "`collector genres map FILE --mapping NAME` makes one."
            )
        return cls(wanted, {genre_key(fine): broad for fine, broad in mappings[wanted].items()})

    @property
    def broad_genres(self) -> list[str]:
        """Return its broad genres, sorted."""
        return sorted(set(self.broad_of.values()))

    def broad_genre(self, genre: str) -> str | None:
        """Return the broad genre of a genre (of a broad one itself); None: not in the mapping."""
        broad = self.broad_of.get(genre_key(genre))
        if broad is None and genre in set(self.broad_of.values()):
            return genre
        return broad


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Tracks with the labels they are trained on."""

    tracks: pd.DataFrame
    """Rows with a usable label, in the column `label`."""
    sightings: pd.DataFrame
    """(track_id, genre, best_rank), with genres mapped like the labels."""
    broad_of: Mapping[str, str] = field(default_factory=dict)
    """Label to broad genre, for fine labels that the mapping has."""
    unmapped: Mapping[str, int] = field(default_factory=dict)
    """Genres that the mapping lacks, and their numbers of tracks."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Genre of the database to label, where labels are broad."""

    def tracks_by_genre(self) -> dict[str, Ids]:
        """Return genre to the ids of the tracks that were seen under it."""
        by_genre = self.sightings.groupby("genre")["track_id"]
        return {str(genre): ids.to_numpy(dtype=np.int64) for genre, ids in by_genre}


def apply_label_policy(
    tracks: pd.DataFrame, sightings: pd.DataFrame, mappings: Mappings, config: TrainingConfig
) -> LabelledRows:
    """Return the usable tracks with the labels that `config` selects.

    Raise `BadTrainingConfig` for an unknown mapping or broad genre.
    """
    label = tracks["label"]
    usable = ~label.str.strip().str.casefold().isin(_NOT_A_GENRE)
    if config.labels == EXCLUSIVE_LABELS:
        usable &= tracks["verdict"].notna() | (tracks["genres_sighted"] <= 1)
    tracks = rows_where(tracks, usable.to_numpy(dtype=bool, na_value=False))
    if config.level == "broad":
        return _broad(tracks, sightings, GenreMapping.by_name(mappings, config.mapping), config)
    if config.mapping is None and config.within is None and DEFAULT_MAPPING not in mappings:
        return LabelledRows(tracks, sightings)
    return _fine(tracks, sightings, GenreMapping.by_name(mappings, config.mapping), config)


def _fine(
    tracks: pd.DataFrame, sightings: pd.DataFrame, mapping: GenreMapping, config: TrainingConfig
) -> LabelledRows:
    broad_of = _mapped(tracks["label"].unique(), mapping)
    if config.within is not None:
        if config.within not in mapping.broad_genres:
            raise BadTrainingConfig(
                f"The mapping {mapping.name} has no broad genre {config.within!r}. "
                f"Known: {', '.join(mapping.broad_genres)}."
            )
        inside = [fine for fine, broad in broad_of.items() if broad == config.within]
        tracks = tracks[tracks["label"].isin(inside).to_numpy(dtype=bool)]
    return LabelledRows(tracks, sightings, broad_of)


def _broad(
    tracks: pd.DataFrame, sightings: pd.DataFrame, mapping: GenreMapping, config: TrainingConfig
) -> LabelledRows:
    counts = {str(name): int(n) for name, n in tracks["label"].value_counts().items()}
    broad_of = _mapped(counts, mapping)
    unmapped = {name: counts[name] for name in sorted(set(counts) - set(broad_of))}
    if config.unmapped == "other":
        broad_of |= dict.fromkeys(unmapped, OTHER_GENRE)
    elif config.unmapped == "own":
        broad_of |= {name: name for name in unmapped}
    label = tracks["label"].map(broad_of)
    kept = label.notna().to_numpy(dtype=bool)
    tracks = tracks.assign(label=label.astype("string"))[kept]
    broad_of_any = _mapped(sightings["genre"].unique(), mapping) | broad_of
    seen = sightings.assign(genre=sightings["genre"].map(broad_of_any)).dropna(subset=["genre"])
    seen = seen.sort_values("best_rank", kind="stable")
    seen = seen.drop_duplicates(["track_id", "genre"]).sort_index()
    return LabelledRows(tracks, seen, unmapped=unmapped, renamed=broad_of_any)


def _mapped(genres: Iterable[str], mapping: GenreMapping) -> dict[str, str]:
    pairs = ((str(genre), mapping.broad_genre(str(genre))) for genre in genres)
    return {genre: broad for genre, broad in pairs if broad is not None}


def is_nontrivial(genres: Sequence[str], broad_of: Mapping[str, str]) -> bool:
    """Return whether some genres share a broad genre, but not all of them share one."""
    broad = {broad_of.get(genre, f"\x1f{genre}") for genre in genres}
    return 1 < len(broad) < len(genres)


def same_broad_genre(
    truth: NDArray[np.str_], predictions: NDArray[np.str_], broad_of: Mapping[str, str]
) -> Mask:
    """Return where prediction and truth have the same broad genre (unmapped: the same genre)."""
    names, codes = np.unique(np.concatenate([truth, predictions]), return_inverse=True)
    broad = np.array([broad_of.get(str(name), f"\x1f{name}") for name in names], dtype=object)
    mapped = broad[codes]
    return np.asarray(mapped[: len(truth)] == mapped[len(truth) :], dtype=bool)

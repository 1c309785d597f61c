"""Which label a track is learned under: fine, broad, or only those inside a broad genre. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from classifier.errors import BadTrainingConfig
from classifier.training_config import TrainingConfig
from genrebase.store import default_mapping

DEFAULT_MAPPING: Final = default_mapping.NAME
OTHER_GENRE: Final = "other"
"""The broad genre of what no mapping knows, where that is wanted."""

_NOT_A_GENRE: Final = frozenset({"", "nan"})
"""What a careless import leaves where a genre was missing: never a class."""
_BETWEEN: Final = re.compile(r"[\W_]+")
_AND: Final = frozenset({"and", "n"})

Mappings = Mapping[str, Mapping[str, str]]
"""Name of a mapping to (fine genre to broad genre)."""


def genre_key(genre: str) -> str:
    """Return what two spellings of a genre share: `hip hop` and `Hip-Hop`, `R&B` and `r-n-b`."""
    words = _BETWEEN.split(genre.casefold())
    return " ".join(word for word in words if word and word not in _AND)


@dataclass(frozen=True, slots=True)
class GenreMapping:
    """One mapping, asked by the names that tracks really carry."""

    name: str
    broad_of: Mapping[str, str]
    """By `genre_key` of the fine genre."""

    @classmethod
    def batch(cls, mappings: Mappings, name: str | None) -> "GenreMapping":
        """Return the mapping of this name (None: the default); raise `BadTrainingConfig`."""
        wanted = DEFAULT_MAPPING if name is None else name
        if wanted not in mappings:
            known = ", ".join(sorted(mappings)) or "none"
            raise BadTrainingConfig(
                f"There is no mapping {wanted!r}. Known: {known}. "
                "`collector genres map FILE --mapping NAME` makes one."
            )
        return cls(wanted, {genre_key(fine): broad for fine, broad in mappings[wanted].items()})

    @property
    def broad_genres(self) -> list[str]:
        """Return its broad genres, by name."""
        return sorted(set(self.broad_of.values()))

    def broad_genre(self, genre: str) -> str | None:
        """Return the broad genre of a genre; a broad genre is its own; None: it is not known."""
        found = self.broad_of.get(genre_key(genre))
        if found is None and genre in set(self.broad_of.values()):
            return genre
        return found


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Tracks with the labels they are learned under."""

    tracks: pd.DataFrame
    """Rows with a usable label, which stands in the column `label`."""
    sightings: pd.DataFrame
    """(track_id, genre, best_rank), in the same words."""
    broad_of: Mapping[str, str] = field(default_factory=dict)
    """Label to broad genre, where labels are fine and a mapping knows them."""
    unmapped: Mapping[str, int] = field(default_factory=dict)
    """Genres that the mapping does not know, and their tracks."""


def apply_label_policy(
    tracks: pd.DataFrame, sighted: pd.DataFrame, mappings: Mappings, choice: TrainingConfig
) -> LabelledRows:
    """Return the tracks that may be learned from, under the labels that `choice` asks for.

    Raise `BadTrainingConfig` for a mapping or a broad genre that is not there.
    """
    label = tracks["label"]
    usable = ~label.str.strip().str.casefold().isin(_NOT_A_GENRE)
    if choice.labels == "exclusive":
        usable &= tracks["verdict"].notna() | (tracks["genres_sighted"] <= 1)
    tracks = tracks[usable.to_numpy(dtype=bool, na_value=False)]
    if choice.level == "broad":
        return _broad(tracks, sighted, GenreMapping.batch(mappings, choice.mapping), choice)
    if choice.mapping is None and choice.within is None and DEFAULT_MAPPING not in mappings:
        return LabelledRows(tracks, sighted)
    return _fine(tracks, sighted, GenreMapping.batch(mappings, choice.mapping), choice)


def _fine(
    tracks: pd.DataFrame, sighted: pd.DataFrame, grouping: GenreMapping, choice: TrainingConfig
) -> LabelledRows:
    broad_of = _known(tracks["label"].unique(), grouping)
    if choice.within is not None:
        if choice.within not in grouping.broad_genres:
            raise BadTrainingConfig(
                f"The mapping {grouping.name} has no broad genre {choice.within!r}. "
                f"Known: {', '.join(grouping.broad_genres)}."
            )
        inside = [fine for fine, broad in broad_of.items() if broad == choice.within]
        tracks = tracks[tracks["label"].isin(inside).to_numpy(dtype=bool)]
    return LabelledRows(tracks, sighted, broad_of)


def _broad(
    tracks: pd.DataFrame, sighted: pd.DataFrame, grouping: GenreMapping, choice: TrainingConfig
) -> LabelledRows:
    counts = {str(name): int(n) for name, n in tracks["label"].value_counts().items()}
    broad_of = _known(counts, grouping)
    unmapped = {name: counts[name] for name in sorted(set(counts) - set(broad_of))}
    if choice.unmapped == "other":
        broad_of |= dict.fromkeys(unmapped, OTHER_GENRE)
    elif choice.unmapped == "own":
        broad_of |= {name: name for name in unmapped}
    label = tracks["label"].map(broad_of)
    kept = label.notna().to_numpy(dtype=bool)
    tracks = tracks.assign(label=label.astype("string"))[kept]
    also = _known(sighted["genre"].unique(), grouping) | broad_of
    seen = sighted.assign(genre=sighted["genre"].map(also)).dropna(subset=["genre"])
    if "best_rank" in seen.columns:  # rows that were frozen by an earlier version have none
        seen = seen.sort_values("best_rank", kind="stable")
    seen = seen.drop_duplicates(["track_id", "genre"]).sort_index()
    return LabelledRows(tracks, seen, unmapped=unmapped)


def _known(genres: Iterable[str], grouping: GenreMapping) -> dict[str, str]:
    found = ((str(genre), grouping.broad_genre(str(genre))) for genre in genres)
    return {genre: broad for genre, broad in found if broad is not None}


def is_nontrivial(genres: Sequence[str], broad_of: Mapping[str, str]) -> bool:
    """Tell whether a broad genre says something else than a genre: two share one, not all do."""
    broad = {broad_of.get(genre, f"\x1f{genre}") for genre in genres}
    return 1 < len(broad) < len(genres)


def same_broad_genre(
    truth: "np.ndarray[tuple[int], np.dtype[np.str_]]",
    answers: "np.ndarray[tuple[int], np.dtype[np.str_]]",
    broad_of: Mapping[str, str],
) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Tell where an answer lies in the broad genre of the truth; each is also its own."""
    names, codes = np.unique(np.concatenate([truth, answers]), return_inverse=True)
    broad = np.array([broad_of.get(str(name), f"\x1f{name}") for name in names], dtype=object)
    mapped = broad[codes]
    return np.asarray(mapped[: len(truth)] == mapped[len(truth) :], dtype=bool)

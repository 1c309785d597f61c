"""Training labels by mapping and level."""

import numpy as np
import pandas as pd
import pytest

from classifier.data import genre_mapping
from classifier.errors import BadTrainingConfig
from classifier.training_config import TrainingConfig

MAPPINGS = {
    "genrebase-13": {"techno": "electronic", "hip-hop": "urban", "r-n-b": "urban", "rock": "rock"},
    "two": {"techno": "fast", "rock": "fast", "hip-hop": "slow"},
}
TRACKS = pd.DataFrame(
    {
        "track_id": [1, 2, 3, 4, 5, 6],
        "label": pd.array(["techno", "hip hop", "R&B", "rock", "polka", "nan"], dtype="string"),
        "verdict": pd.array([pd.NA] * 6, dtype="string"),
        "genres_sighted": [1, 1, 1, 2, 1, 1],
    }
)
SIGHTED = pd.DataFrame(
    {
        "track_id": [1, 2, 3, 4, 4, 5],
        "genre": pd.array(["techno", "hip hop", "R&B", "rock", "hip-hop", "polka"], "string"),
        "best_rank": 1,
    }
)


def groups_of(**choice: str) -> genre_mapping.LabelledRows:
    return genre_mapping.apply_label_policy(TRACKS, SIGHTED, MAPPINGS, TrainingConfig(**choice))


def as_dict(done: genre_mapping.LabelledRows) -> dict[int, str]:
    return dict(zip(done.tracks["track_id"], done.tracks["label"], strict=True))


def test_fine_labels_keep_their_broad_genre() -> None:
    """Spelling does not matter to the mapping; a word that is no genre is no label."""
    done = groups_of()
    assert as_dict(done) == {1: "techno", 2: "hip hop", 3: "R&B", 4: "rock", 5: "polka"}
    assert done.broad_of == {
        "techno": "electronic",
        "hip hop": "urban",
        "R&B": "urban",
        "rock": "rock",
    }


def test_broad_labels_replace_fine_ones() -> None:
    """Genres without a broad genre are left out and reported with their track counts."""
    done = groups_of(level="broad")
    assert as_dict(done) == {1: "electronic", 2: "urban", 3: "urban", 4: "rock"}
    assert done.unmapped == {"polka": 1}
    seen = sorted(map(tuple, done.sightings[["track_id", "genre"]].itertuples(index=False)))
    assert seen == [(1, "electronic"), (2, "urban"), (3, "urban"), (4, "rock"), (4, "urban")]


@pytest.mark.parametrize(("unmapped", "label"), [("other", "other"), ("own", "polka")])
def test_the_unmapped_go_where_they_are_sent(unmapped: str, label: str) -> None:
    """Into one group, or each into its own; the sightings follow."""
    done = groups_of(level="broad", unmapped=unmapped)
    assert as_dict(done)[5] == label
    assert done.sightings.loc[done.sightings["track_id"] == 5, "genre"].tolist() == [label]


def test_mappings_stand_side_by_side() -> None:
    """Each by its name."""
    assert as_dict(groups_of(level="broad", mapping="two")) == {1: "fast", 2: "slow", 4: "fast"}


def test_a_broad_genre_belongs_to_itself() -> None:
    """A dataset may carry broad names already."""
    tracks = TRACKS.assign(label=pd.array(["electronic"] * 6, dtype="string"))
    done = genre_mapping.apply_label_policy(
        tracks, SIGHTED, MAPPINGS, TrainingConfig(level="broad")
    )
    assert set(as_dict(done).values()) == {"electronic"}


def test_only_the_genres_inside_a_broad_one() -> None:
    """Their labels stay fine."""
    assert as_dict(groups_of(within="urban")) == {2: "hip hop", 3: "R&B"}


def test_an_unknown_mapping_or_broad_genre_is_refused() -> None:
    """The message lists the valid ones."""
    with pytest.raises(BadTrainingConfig, match="genrebase-13, two"):
        groups_of(mapping="three", level="broad")
    with pytest.raises(BadTrainingConfig, match="electronic, rock, urban"):
        groups_of(within="classical")


def test_spellings_of_one_genre_share_a_key() -> None:
    """And different genres do not."""
    assert (
        genre_mapping.genre_key("Drum & Bass")
        == genre_mapping.genre_key("drum-and-bass")
        == genre_mapping.genre_key("drum_n_bass")
    )
    assert genre_mapping.genre_key("r&b") == genre_mapping.genre_key("R-n-B")
    assert genre_mapping.genre_key("pop") != genre_mapping.genre_key("k-pop")


def test_near_misses_share_the_broad_genre() -> None:
    """A genre without a broad genre is near itself only."""
    near = genre_mapping.same_broad_genre(
        np.array(["techno", "techno", "polka", "polka"]),
        np.array(["house", "rock", "polka", "rock"]),
        {"techno": "electronic", "house": "electronic", "rock": "rock"},
    )
    assert near.tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("genres", "says"),
    [
        (("techno", "house", "rock"), True),
        (("techno", "rock", "polka"), False),
        (("techno", "house"), False),
    ],
)
def test_a_trivial_mapping_has_no_broad_metrics(genres: tuple[str, ...], says: bool) -> None:
    """With one genre per broad genre it repeats the fine metric; with one for all it is 1."""
    broad_of = {"techno": "electronic", "house": "electronic", "rock": "rock"}
    assert genre_mapping.is_nontrivial(genres, broad_of) is says

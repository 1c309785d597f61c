"""Which tracks are learned from, and which are held out."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from classifier.data.dataset import RawDataset
from classifier.data.training_data import split_dataset
from classifier.errors import BadTrainingConfig, TooFewTracks
from classifier.training.fingerprint import data_fingerprint
from classifier.training_config import TrainingConfig
from tests.synthetic_music import Music


@pytest.fixture(scope="module")
def music() -> RawDataset:
    return Music(artists=90, guests=0.3).snapshot()


def relabelled(result: RawDataset, rows: slice, **values: object) -> RawDataset:
    tracks = result.tracks.copy()
    for name, value in values.items():
        tracks.loc[tracks.index[rows], name] = value
    return dataclasses.replace(result, tracks=tracks)


def test_no_credited_artist_of_the_new_artist_test_is_learned_from(music: RawDataset) -> None:
    """Guests included: the artists of both sides have nobody in common."""
    selection = split_dataset(music, TrainingConfig())
    new = selection.ids[np.isin(selection.sides, ["test_new", "validation_new"])]
    owners, credited = music.credits["track_id"], music.credits["artist_id"]
    of_new = set(credited[owners.isin(new)])
    of_learned = set(credited[owners.isin(selection.train_ids)])
    assert len(new) > 20
    assert not of_new & of_learned


def test_learned_and_held_out_have_no_track_in_common(music: RawDataset) -> None:
    """A row is learned from or judged on, never both."""
    selection = split_dataset(music, TrainingConfig())
    held = selection.held_out("test") | selection.held_out("validation")
    assert not (held & selection.train_mask).any()
    assert not (selection.held_out("test") & selection.held_out("validation")).any()


@pytest.mark.parametrize("text", ["nan", "", "  ", "NaN"])
def test_what_is_no_genre_never_becomes_a_class(music: RawDataset, text: str) -> None:
    """Not even with a hundred tracks."""
    spoilt = relabelled(music, slice(0, 100), label=text)
    assert split_dataset(spoilt, TrainingConfig()).classes == ("blues", "metal", "techno")


def test_genres_with_too_few_tracks_are_left_out_and_named(music: RawDataset) -> None:
    """With the number they have."""
    few = relabelled(music, slice(0, 20), label="polka")
    selection = split_dataset(few, TrainingConfig(min_tracks=30))
    assert selection.left_out == {"polka": 20}
    assert "polka" not in selection.classes


def test_too_few_tracks_to_train_is_a_sentence(music: RawDataset) -> None:
    """It says how many are needed, which genres are too small and what to do."""
    with pytest.raises(TooFewTracks, match=r"at least 500 .* blues \(240\).*--min-tracks"):
        split_dataset(music, TrainingConfig(min_tracks=500))
    empty = dataclasses.replace(music, tracks=music.tracks.head(0))
    with pytest.raises(TooFewTracks, match="Harvest or import more"):
        split_dataset(empty, TrainingConfig())


@pytest.mark.parametrize(
    ("kept", "sentence"), [(("blues",), "only tracks of blues"), ((), "no labelled track")]
)
def test_a_broad_genre_of_less_than_two_says_what_it_has(
    music: RawDataset, kept: tuple[str, ...], sentence: str
) -> None:
    """To harvest more would bring no second genre into it."""
    mappings = {"genrebase-13": {"blues": "blue", "metal": "hard", "techno": "hard"}}
    held = music.tracks[music.tracks["label"].isin([*kept, "metal"]).to_numpy(dtype=bool)]
    result = dataclasses.replace(music, tracks=held, mappings=mappings)
    with pytest.raises(TooFewTracks, match=f"'blue' has {sentence}") as refused:
        split_dataset(result, TrainingConfig(within="blue"))
    assert "Harvest" not in str(refused.value)


def test_an_unknown_genre_is_refused_with_the_known_ones(music: RawDataset) -> None:
    """Asked for or excluded."""
    with pytest.raises(BadTrainingConfig, match=r"'polka'.*blues, metal, techno"):
        split_dataset(music, TrainingConfig(genres=("polka", "blues")))
    with pytest.raises(BadTrainingConfig, match="polka"):
        split_dataset(music, TrainingConfig(exclude=("polka",)))


def test_genres_can_be_chosen_and_excluded(music: RawDataset) -> None:
    """Both ways lead to the same pair."""
    chosen = split_dataset(music, TrainingConfig(genres=("metal", "blues")))
    rest = split_dataset(music, TrainingConfig(exclude=("techno",)))
    assert chosen.classes == rest.classes == ("blues", "metal")
    assert set(chosen.labels) == {"blues", "metal"}


def test_the_champions_genres_stay_on_the_validation_side(music: RawDataset) -> None:
    """A candidate of two genres is compared on the tracks of all three, and learns two."""
    selection = split_dataset(
        music, TrainingConfig(genres=("metal", "blues")), champion_genres=("blues", "techno")
    )
    assert set(selection.labels[selection.on_side("validation")]) == {"blues", "metal", "techno"}
    assert set(selection.labels[selection.held_out("validation")]) == {"blues", "metal"}
    assert set(selection.labels[selection.train_mask]) == {"blues", "metal"}


def test_exclusive_labels_leave_out_tracks_of_two_genres(music: RawDataset) -> None:
    """But not those a person has judged."""
    two = relabelled(music, slice(0, 60), genres_sighted=2)
    judged = relabelled(two, slice(0, 10), verdict="blues")
    assert len(split_dataset(two, TrainingConfig()).labels) == 720
    assert len(split_dataset(judged, TrainingConfig(labels="exclusive")).labels) == 670


def test_a_limit_per_genre_thins_what_is_learned_and_nothing_else(music: RawDataset) -> None:
    """The same tracks are drawn whatever their numbers; another seed draws others."""
    full = split_dataset(music, TrainingConfig())
    thin = split_dataset(music, TrainingConfig(per_genre=40))
    labels, counts = np.unique(thin.labels[thin.train_mask], return_counts=True)
    assert dict(zip(labels, counts, strict=True)) == {"blues": 40, "metal": 40, "techno": 40}
    assert (thin.held_out("test") == full.held_out("test")).all()
    backwards = dataclasses.replace(music, tracks=music.tracks.iloc[::-1])
    again = split_dataset(backwards, TrainingConfig(per_genre=40))
    assert set(again.train_ids) == set(thin.train_ids)
    other = split_dataset(music, TrainingConfig(per_genre=40, seed=1))
    assert set(other.train_ids) != set(thin.train_ids)


def test_the_fingerprint_changes_with_any_feature_and_any_label(music: RawDataset) -> None:
    """And with nothing else."""
    same = data_fingerprint(split_dataset(music, TrainingConfig()))
    assert data_fingerprint(split_dataset(music, TrainingConfig())) == same
    louder = relabelled(music, slice(5, 6), loudness=-1.0)
    other = relabelled(music, slice(5, 6), label="techno")
    assert (
        len(
            {
                same,
                *(
                    data_fingerprint(split_dataset(one, TrainingConfig()))
                    for one in (louder, other)
                ),
            }
        )
        == 3
    )


def test_a_hit_on_any_genre_the_track_was_seen_under_counts_apart(music: RawDataset) -> None:
    """The first answer is not the label, but the track was sighted there."""
    more = pd.DataFrame({"track_id": music.tracks["track_id"], "genre": "techno"})
    result = dataclasses.replace(music, sightings=pd.concat([music.sightings, more]))
    selection = split_dataset(result, TrainingConfig())
    chosen = selection.held_out("test")
    shares = np.tile([0.1, 0.2, 0.7], (int(chosen.sum()), 1))
    predictions = selection.predictions(chosen, shares, selection.classes)
    assert predictions.any_genre_correct.all()
    assert 0 < predictions.correct.mean() < 1

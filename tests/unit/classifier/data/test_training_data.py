"""Training rows and held-out rows."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from classifier.data.raw_dataset import RawDataset
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


def test_no_artist_of_the_unseen_artist_test_is_trained_on(music: RawDataset) -> None:
    """Guests count as well: the artists of both splits are disjoint."""
    selection = split_dataset(music, TrainingConfig())
    new = selection.ids[np.isin(selection.sides, ["test_new", "validation_new"])]
    owners, credited = music.credits["track_id"], music.credits["artist_id"]
    of_new = set(credited[owners.isin(new)])
    of_learned = set(credited[owners.isin(selection.train_ids)])
    assert len(new) > 20
    assert not of_new & of_learned


def test_training_and_held_out_rows_are_disjoint(music: RawDataset) -> None:
    """No row is both trained on and evaluated."""
    selection = split_dataset(music, TrainingConfig())
    held = selection.held_out("test") | selection.held_out("validation")
    assert not (held & selection.train_mask).any()
    assert not (selection.held_out("test") & selection.held_out("validation")).any()


@pytest.mark.parametrize("text", ["nan", "", "  ", "NaN"])
def test_placeholder_genres_never_become_classes(music: RawDataset, text: str) -> None:
    """Not even a hundred tracks make them one."""
    spoilt = relabelled(music, slice(0, 100), label=text)
    assert split_dataset(spoilt, TrainingConfig()).classes == ("blues", "metal", "techno")


def test_genres_with_too_few_tracks_are_left_out_and_named(music: RawDataset) -> None:
    """With the number they have."""
    few = relabelled(music, slice(0, 20), label="polka")
    selection = split_dataset(few, TrainingConfig(min_tracks=30))
    assert selection.left_out == {"polka": 20}
    assert "polka" not in selection.classes


def test_too_few_tracks_to_train_are_refused(music: RawDataset) -> None:
    """The message has the number needed, the genres that are too small and what to do."""
    with pytest.raises(TooFewTracks, match=r"at least 500 .* blues \(240\).*--min-tracks"):
        split_dataset(music, TrainingConfig(min_tracks=500))
    empty = dataclasses.replace(music, tracks=music.tracks.head(0))
    with pytest.raises(TooFewTracks, match="Harvest or import more"):
        split_dataset(empty, TrainingConfig())


@pytest.mark.parametrize(
    ("kept", "sentence"), [(("blues",), "only tracks of blues"), ((), "no labelled track")]
)
def test_a_broad_genre_with_one_genre_is_refused(
    music: RawDataset, kept: tuple[str, ...], sentence: str
) -> None:
    """The message lists its genres, since more tracks would add no second genre."""
    mappings = {"genrebase-13": {"blues": "blue", "metal": "hard", "techno": "hard"}}
    held = music.tracks[music.tracks["label"].isin([*kept, "metal"]).to_numpy(dtype=bool)]
    result = dataclasses.replace(music, tracks=held, mappings=mappings)
    with pytest.raises(TooFewTracks, match=f"'blue' has {sentence}") as refused:
        split_dataset(result, TrainingConfig(within="blue"))
    assert "Harvest" not in str(refused.value)


def test_an_unknown_genre_is_refused(music: RawDataset) -> None:
    """The message lists the genres, for chosen and for excluded ones."""
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


def test_the_champions_genres_stay_in_the_validation_split(music: RawDataset) -> None:
    """A candidate of two genres is trained on two and compared on the tracks of all three."""
    selection = split_dataset(
        music, TrainingConfig(genres=("metal", "blues")), champion_genres=("blues", "techno")
    )
    assert set(selection.labels[selection.on_side("validation")]) == {"blues", "metal", "techno"}
    assert set(selection.labels[selection.held_out("validation")]) == {"blues", "metal"}
    assert set(selection.labels[selection.train_mask]) == {"blues", "metal"}


def test_exclusive_labels_leave_out_tracks_of_two_genres(music: RawDataset) -> None:
    """Tracks with a verdict are kept."""
    two = relabelled(music, slice(0, 60), genres_sighted=2)
    judged = relabelled(two, slice(0, 10), verdict="blues")
    assert len(split_dataset(two, TrainingConfig()).labels) == 720
    assert len(split_dataset(judged, TrainingConfig(labels="exclusive")).labels) == 670


def test_a_limit_per_genre_subsamples_training_rows_only(music: RawDataset) -> None:
    """The sample does not depend on track numbers; another seed draws another sample."""
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


def test_a_hit_on_any_sighted_genre_is_counted_separately(music: RawDataset) -> None:
    """The first prediction is not the label, but the track was sighted under it."""
    more = pd.DataFrame({"track_id": music.tracks["track_id"], "genre": "techno"})
    result = dataclasses.replace(music, sightings=pd.concat([music.sightings, more]))
    selection = split_dataset(result, TrainingConfig())
    chosen = selection.held_out("test")
    shares = np.tile([0.1, 0.2, 0.7], (int(chosen.sum()), 1))
    predictions = selection.predictions(chosen, shares, selection.classes)
    assert predictions.any_genre_correct.all()
    assert 0 < predictions.correct.mean() < 1

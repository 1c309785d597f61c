"""Which tracks are learned from, and which are held out."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from classifier.data.dataset import Snapshot
from classifier.data.training_data import fingerprint, select
from classifier.errors import BadChoice, TooFewTracks
from classifier.records import Choice
from tests.music import Music


@pytest.fixture(scope="module")
def music() -> Snapshot:
    return Music(artists=90, guests=0.3).snapshot()


def relabelled(found: Snapshot, rows: slice, **values: object) -> Snapshot:
    tracks = found.tracks.copy()
    for name, value in values.items():
        tracks.loc[tracks.index[rows], name] = value
    return dataclasses.replace(found, tracks=tracks)


def test_no_credited_artist_of_the_new_artist_test_is_learned_from(music: Snapshot) -> None:
    """Guests included: the artists of both sides have nobody in common."""
    selection = select(music, Choice())
    new = selection.ids[np.isin(selection.sides, ["test_new", "validation_new"])]
    owners, credited = music.credits["track_id"], music.credits["artist_id"]
    of_new = set(credited[owners.isin(new)])
    of_learned = set(credited[owners.isin(selection.learned_ids)])
    assert len(new) > 20
    assert not of_new & of_learned


def test_learned_and_held_out_have_no_track_in_common(music: Snapshot) -> None:
    """A row is learned from or judged on, never both."""
    selection = select(music, Choice())
    held = selection.on("test") | selection.on("validation")
    assert not (held & selection.learned).any()
    assert not (selection.on("test") & selection.on("validation")).any()


@pytest.mark.parametrize("text", ["nan", "", "  ", "NaN"])
def test_what_is_no_genre_never_becomes_a_class(music: Snapshot, text: str) -> None:
    """Not even with a hundred tracks."""
    spoilt = relabelled(music, slice(0, 100), label=text)
    assert select(spoilt, Choice()).classes == ("blues", "metal", "techno")


def test_genres_with_too_few_tracks_are_left_out_and_named(music: Snapshot) -> None:
    """With the number they have."""
    few = relabelled(music, slice(0, 20), label="polka")
    selection = select(few, Choice(min_tracks=30))
    assert selection.left_out == {"polka": 20}
    assert "polka" not in selection.classes


def test_too_few_tracks_to_train_is_a_sentence(music: Snapshot) -> None:
    """It says how many are needed, which genres are too small and what to do."""
    with pytest.raises(TooFewTracks, match=r"at least 500 .* blues \(240\).*--min-tracks"):
        select(music, Choice(min_tracks=500))
    empty = dataclasses.replace(music, tracks=music.tracks.head(0))
    with pytest.raises(TooFewTracks, match="Harvest or import more"):
        select(empty, Choice())


@pytest.mark.parametrize(
    ("kept", "sentence"), [(("blues",), "only tracks of blues"), ((), "no labelled track")]
)
def test_a_broad_genre_of_less_than_two_says_what_it_holds(
    music: Snapshot, kept: tuple[str, ...], sentence: str
) -> None:
    """To harvest more would bring no second genre into it."""
    mappings = {"genrebase-13": {"blues": "blue", "metal": "hard", "techno": "hard"}}
    held = music.tracks[music.tracks["label"].isin([*kept, "metal"]).to_numpy(dtype=bool)]
    found = dataclasses.replace(music, tracks=held, mappings=mappings)
    with pytest.raises(TooFewTracks, match=f"'blue' holds {sentence}") as refused:
        select(found, Choice(within="blue"))
    assert "Harvest" not in str(refused.value)


def test_an_unknown_genre_is_refused_with_the_known_ones(music: Snapshot) -> None:
    """Asked for or excluded."""
    with pytest.raises(BadChoice, match=r"'polka'.*blues, metal, techno"):
        select(music, Choice(genres=("polka", "blues")))
    with pytest.raises(BadChoice, match="polka"):
        select(music, Choice(exclude=("polka",)))


def test_genres_can_be_chosen_and_excluded(music: Snapshot) -> None:
    """Both ways lead to the same pair."""
    chosen = select(music, Choice(genres=("metal", "blues")))
    rest = select(music, Choice(exclude=("techno",)))
    assert chosen.classes == rest.classes == ("blues", "metal")
    assert set(chosen.labels) == {"blues", "metal"}


def test_the_champions_genres_stay_on_the_validation_side(music: Snapshot) -> None:
    """A candidate of two genres is compared on the tracks of all three, and learns two."""
    selection = select(music, Choice(genres=("metal", "blues")), also=("blues", "techno"))
    assert set(selection.labels[selection.contested("validation")]) == {"blues", "metal", "techno"}
    assert set(selection.labels[selection.on("validation")]) == {"blues", "metal"}
    assert set(selection.labels[selection.learned]) == {"blues", "metal"}


def test_exclusive_labels_leave_out_tracks_of_two_genres(music: Snapshot) -> None:
    """But not those a person has judged."""
    two = relabelled(music, slice(0, 60), genres_sighted=2)
    judged = relabelled(two, slice(0, 10), verdict="blues")
    assert len(select(two, Choice()).labels) == 720
    assert len(select(judged, Choice(labels="exclusive")).labels) == 670


def test_a_limit_per_genre_thins_what_is_learned_and_nothing_else(music: Snapshot) -> None:
    """The same tracks are drawn whatever their numbers; another seed draws others."""
    full = select(music, Choice())
    thin = select(music, Choice(per_genre=40))
    labels, counts = np.unique(thin.labels[thin.learned], return_counts=True)
    assert dict(zip(labels, counts, strict=True)) == {"blues": 40, "metal": 40, "techno": 40}
    assert (thin.on("test") == full.on("test")).all()
    backwards = dataclasses.replace(music, tracks=music.tracks.iloc[::-1])
    again = select(backwards, Choice(per_genre=40))
    assert set(again.learned_ids) == set(thin.learned_ids)
    other = select(music, Choice(per_genre=40, seed=1))
    assert set(other.learned_ids) != set(thin.learned_ids)


def test_the_fingerprint_changes_with_any_feature_and_any_label(music: Snapshot) -> None:
    """And with nothing else."""
    same = fingerprint(select(music, Choice()))
    assert fingerprint(select(music, Choice())) == same
    louder = relabelled(music, slice(5, 6), loudness=-1.0)
    other = relabelled(music, slice(5, 6), label="techno")
    assert len({same, *(fingerprint(select(one, Choice())) for one in (louder, other))}) == 3


def test_a_hit_on_any_genre_the_track_was_seen_under_counts_apart(music: Snapshot) -> None:
    """The first answer is not the label, but the track was sighted there."""
    more = pd.DataFrame({"track_id": music.tracks["track_id"], "genre": "techno"})
    found = dataclasses.replace(music, sighted=pd.concat([music.sighted, more]))
    selection = select(found, Choice())
    chosen = selection.on("test")
    shares = np.tile([0.1, 0.2, 0.7], (int(chosen.sum()), 1))
    answers = selection.answers(chosen, shares, selection.classes)
    assert answers.also_right.all()
    assert 0 < answers.hits.mean() < 1

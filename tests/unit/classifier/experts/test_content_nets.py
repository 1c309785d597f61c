"""The networks over text scores and numbers."""

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier

from classifier.estimators.blend import Blend
from classifier.experts import content_nets, stacking_inputs, stacking_net
from classifier.experts.content_nets import ContentNetworksExpert
from classifier.experts.naive_bayes_text import count_ngrams

GROUPS = ("audio", "metadata")
SIZE, PER_ARTIST = 800, 8
WORDS = ("stone", "cloud")


def world(*, shuffled: bool = False) -> tuple[pd.DataFrame, np.ndarray]:
    """A title's word and the popularity give the genre together (exclusive or), neither alone."""
    random = np.random.default_rng(2)
    popular, word = random.integers(0, 2, (2, SIZE))
    frame = pd.DataFrame(
        {
            "track_id": range(SIZE),
            "title": [f"{WORDS[one]} {random.integers(1 << 40):x}" for one in word],
            "artists": np.repeat([f"a{place}" for place in range(SIZE // PER_ARTIST)], PER_ARTIST),
            "album": None,
            "popularity": 60.0 * popular + random.integers(0, 40, SIZE),
        }
    )
    labels = np.where(popular != word, "rap", "rock")
    labels = np.where((word == 1) & (random.random(SIZE) < 0.5), "folk", labels)
    return frame, random.permutation(labels) if shuffled else labels


def held_out() -> np.ndarray:
    return np.arange(SIZE) // PER_ARTIST % 4 == 0


def test_the_networks_combine_a_title_with_numbers() -> None:
    """Neither the text scores alone nor popularity alone separates rap from rock."""
    frame, labels = world()
    held = held_out()
    expert = ContentNetworksExpert(GROUPS).fit(frame[~held], labels[~held])
    scores = dict(zip(expert.score_names, expert.predict_scores(frame[held]), strict=True))
    genres, of_two = np.array(["folk", "rap", "rock"]), labels[held] != "folk"
    accuracy = {
        name: (genres[1:][one[of_two, 1:].argmax(axis=1)] == labels[held][of_two]).mean()
        for name, one in scores.items()
    }
    assert accuracy["content"] > 0.9
    assert accuracy["title"] < 0.8


def test_text_scores_of_training_tracks_are_from_models_without_their_artist() -> None:
    """Other labels of an artist change the scores of other artists only."""
    frame, labels = world()
    mine = np.arange(SIZE) < PER_ARTIST
    changed = np.where(mine, "folk", labels)
    ngrams = count_ngrams(frame)
    one, two = (stacking_inputs.out_of_fold_text(ngrams, each) for each in (labels, changed))
    assert np.array_equal(one[:, mine], two[:, mine])
    assert not np.array_equal(one[:, ~mine], two[:, ~mine])


def test_random_labels_are_not_learned_from_text() -> None:
    """Every artist's name is its own n-gram: in-sample scores would memorise the labels."""
    frame, labels = world(shuffled=True)
    frame["artists"] = [f"{place * 7919 + 104729:x}" for place in range(SIZE)]
    held = held_out()
    expert = ContentNetworksExpert(GROUPS).fit(frame[~held], labels[~held])
    *_, content = expert.predict_scores(frame[held])
    probabilities = np.exp(content) / np.exp(content).sum(axis=1, keepdims=True)
    names, counts = np.unique(labels[held], return_counts=True)
    right = names[probabilities.argmax(axis=1)] == labels[held]
    assert right.mean() < counts.max() / held.sum() + 0.11  # 200 tracks: three standard errors
    # false confidence would show here: the log-loss is near that of the class shares
    truth = np.searchsorted(names, labels[held])
    loss = -np.log(probabilities[np.arange(len(truth)), truth]).mean()
    shares = counts / counts.sum()
    assert loss < -(shares * np.log(shares)).sum() + 0.5


def test_with_many_genres_they_have_the_text_scores() -> None:
    """Up to the limit the stacking model has these, and the networks have LSA."""
    limit = stacking_net.MAX_GENRES
    frame = world()[0].head(10 * limit)
    for genres, stacked in ((limit, True), (limit + 1, False)):
        labels = np.array([f"genre {place % genres:02}" for place in range(len(frame))])
        model = Blend((*GROUPS, "text", "history"), n_networks=1, n_rounds=1).fit(frame, labels)
        assert ("joint" in model.score_names_) is stacked
        assert len(set(model.score_names_)) == len(model.score_names_)
        assert {"content", "title", "first_artist"} <= set(model.score_names_)
        assert model.predict_scores(frame[:5]).shape == (len(model.score_names_), 5, genres)
        (expert,) = (one for one in model.experts_ if isinstance(one, ContentNetworksExpert))
        assert (expert.lsa_ is not None) is stacked


def test_with_lsa_other_labels_of_an_artist_change_none_of_its_inputs() -> None:
    """The directions of the text are fitted without labels."""
    frame, labels = world()
    changed = np.where(np.arange(SIZE) < PER_ARTIST, "folk", labels)
    one, two = (
        ContentNetworksExpert(GROUPS, lsa=True, with_text=False, n_networks=1).fit(frame, each)
        for each in (labels, changed)
    )
    columns = count_ngrams(frame).counts
    assert one.lsa_ is not None
    assert two.lsa_ is not None
    assert np.array_equal(one.lsa_.transform(columns), two.lsa_.transform(columns))
    assert one.score_names == ("content",)
    assert one.predict_scores(frame).shape == (1, SIZE, 3)


def test_the_forest_combines_a_title_with_numbers() -> None:
    """As the networks do, of artists that it was not trained on; a missing number is no error."""
    frame, labels = world()
    held = held_out()
    expert = ContentNetworksExpert(GROUPS, with_forest=True, n_networks=1)
    expert.fit(frame[~held], labels[~held])
    assert expert.score_names[-1] == content_nets.FOREST_SCORE
    forest = expert.predict_scores(frame[held])[-1]
    genres, of_two = np.array(["rap", "rock"]), labels[held] != "folk"
    assert (genres[forest[of_two, 1:].argmax(axis=1)] == labels[held][of_two]).mean() > 0.8
    assert np.isfinite(expert.predict_scores(frame[held].assign(popularity=None))).all()


def test_scores_of_the_forest_are_its_probabilities() -> None:
    """As scikit-learn computes them."""
    random = np.random.default_rng(5)
    matrix = random.standard_normal((90, 4)).astype(np.float32)
    labels = random.choice(["folk", "rap", "rock"], 90)
    forest = ExtraTreesClassifier(7, random_state=0).fit(matrix, labels)
    expected = forest.predict_proba(matrix)
    assert np.allclose(content_nets._forest_shares(forest, matrix), expected, atol=1e-12)


def test_the_same_seed_gives_the_same_scores() -> None:
    """And another seed gives others."""
    frame, labels = world()
    one, two, other = (
        ContentNetworksExpert(GROUPS, with_forest=True, n_networks=1, random_state=seed)
        .fit(frame, labels)
        .predict_scores(frame)
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)


def test_a_split_without_a_genre_in_the_others_stays_without_scores() -> None:
    """No model can score a genre that it has not."""
    frame, labels = world()
    ngrams = count_ngrams(frame[:PER_ARTIST])  # one artist
    scores = stacking_inputs.out_of_fold_text(ngrams, labels[:PER_ARTIST])
    assert not scores.any()

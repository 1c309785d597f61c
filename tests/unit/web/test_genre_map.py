"""The map of genres: pure arithmetic on profiles."""

from xml.etree import ElementTree as ET

import numpy as np
import pytest

from web.genre_map import MAP_FEATURES, genre_map
from web.map_chart import HEIGHT, map_chart


def profile(n: int = 100, spread: float = 0.1, **means: float) -> list[dict[str, object]]:
    """Return rows of `genre_profiles`; what is not given is 0.5."""
    return [
        {
            "feature": name,
            "n": n,
            "mean": means.get(name, 0.5),
            "standard_deviation": spread,
        }
        for name in (*MAP_FEATURES, "own_energy")
    ]


GENRES = {
    "loud": profile(energy=0.9),
    "quiet": profile(energy=0.1),
    "fast": profile(tempo=0.7),
    "slow": profile(tempo=0.3, n=300),
}


def test_the_axes_are_those_that_separate_the_genres():
    """Energy separates most, then tempo; nothing else does."""
    genres = genre_map(GENRES)
    assert genres.x.name.startswith("energy +1.00")
    assert genres.y.name.startswith("tempo +1.00")
    assert genres.x.share + genres.y.share == pytest.approx(1)
    at = {point.genre: (point.x, point.y) for point in genres.points}
    assert at["loud"][0] - at["quiet"][0] == pytest.approx(8)
    assert at["fast"][1] - at["slow"][1] == pytest.approx(4)
    assert [point.spread_x for point in genres.points] == pytest.approx([1, 1, 1, 1])
    assert genres.points[0].genre == "slow"


def test_a_feature_that_varies_within_genres_separates_less():
    """The same distance counts less where the genres themselves are wide."""
    wide = {
        genre: [
            {**row, "standard_deviation": 2.0} if row["feature"] == "energy" else row
            for row in rows
        ]
        for genre, rows in GENRES.items()
    }
    assert genre_map(wide).x.name.startswith("tempo")


def test_the_axes_agree_with_discriminant_analysis():
    """Where features do not correlate within a genre, they are Fisher's discriminants."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    random = np.random.default_rng(0)
    centers = random.normal(size=(5, len(MAP_FEATURES)))
    tracks = [random.normal(center, 0.5, size=(4_000, len(MAP_FEATURES))) for center in centers]
    profiles = {
        f"genre {number}": [
            {"feature": name, "n": 4_000, "mean": rows[:, at].mean(),
             "standard_deviation": rows[:, at].std(ddof=1)}
            for at, name in enumerate(MAP_FEATURES)
        ]
        for number, rows in enumerate(tracks)
    }  # fmt: skip
    genres = genre_map(profiles)
    analysis = LinearDiscriminantAnalysis(n_components=2)
    scores = analysis.fit_transform(np.vstack(tracks), np.repeat(np.arange(5), 4_000))
    expected = scores.reshape(5, 4_000, 2).mean(axis=1)
    points = {point.genre: (point.x, point.y) for point in genres.points}
    ours = np.array([points[f"genre {number}"] for number in range(5)])
    for axis in range(2):
        correlation = np.corrcoef(ours[:, axis], expected[:, axis])[0, 1]
        assert abs(correlation) > 0.999
    assert genres.x.share == pytest.approx(analysis.explained_variance_ratio_[0], abs=0.01)


def test_plain_features_keep_their_units():
    genres = genre_map(GENRES, "tempo", "energy")
    assert (genres.x.name, genres.x.share) == ("tempo", None)
    at = {point.genre: point for point in genres.points}
    assert (at["fast"].x, at["loud"].y) == (pytest.approx(0.7), pytest.approx(0.9))
    assert at["fast"].spread_x == pytest.approx(0.1)
    assert genre_map(GENRES, "nonsense", "energy").x.share is not None


def test_the_nearest_genres_are_near_in_all_features():
    nearest = {point.genre: point.nearest for point in genre_map(GENRES).points}
    assert nearest["loud"][-1] == "quiet"
    assert all(len(names) == 3 for names in nearest.values())


def test_genres_without_a_feature_are_named():
    missing = [row for row in profile() if row["feature"] != "tempo"]
    genres = genre_map({**GENRES, "silent": [], "half": missing})
    assert genres.left_out == ["half"]
    assert {point.genre for point in genres.points} == set(GENRES)
    assert genre_map({}) is None
    assert genre_map({"one": profile(), "two": profile()}) is None


def test_equal_genres_have_a_map():
    """Without any difference, and without any spread, nothing is divided by zero."""
    genres = genre_map({name: profile(1, 0.0) for name in "abc"})
    assert {(point.x, point.y) for point in genres.points} == {(0.0, 0.0)}


def test_words_are_escaped_and_cover_no_dot_and_no_other_word():
    """On a wide and on a narrow screen; the sizes of fonts are those of the style sheet."""
    crowd = {f"<b>{number}": profile(energy=0.5 + number / 1e6) for number in range(8)}
    chart = str(map_chart(genre_map({**crowd, **GENRES}), "loud"))
    assert "<b>" not in chart
    drawn = ET.fromstring(chart)
    for group, width in zip(drawn.iter("g"), (680, 330), strict=True):
        dots = [(float(one.get("cx")[:-1]), float(one.get("cy"))) for one in drawn.iter("circle")]
        boxes = [(width * x / 100, width * x / 100, y, y) for x, y in dots]
        words = [*group.iter("text")]
        assert len(words) == len(crowd) + len(GENRES)
        assert words[0].get("class") == "word-on"
        for one in words:
            length = 7 * len(one.text)
            x = width * float(one.get("x")[:-1]) / 100 + float(one.get("dx", 0))
            x -= {"start": 0, "middle": length / 2, "end": length}[one.get("text-anchor")]
            y = float(one.get("y"))
            boxes.append((x, x + length, y - 9, y + 1))
            assert 0 < y < HEIGHT
        for place, (left, right, top, bottom) in enumerate(boxes):
            for x0, x1, y0, y1 in boxes[max(place + 1, len(dots)) :]:
                assert min(right, x1) < max(left, x0) or min(bottom, y1) < max(top, y0)


def test_the_axes_are_named_in_words():
    names = (*MAP_FEATURES, "own_energy")
    chart = str(map_chart(genre_map(GENRES, "tempo", "own_energy", names)))
    assert "tempo →" in chart
    assert "↑ own energy" in chart

"""Feature importance by permutation and single groups."""

import numpy as np
import pandas as pd
import pytest

from classifier.findings.importance import HeldOutTracks, Importance, PermutationImportance

GROUPS = {"audio": ("energy", "tempo"), "metadata": ("release_year",)}


class ByEnergy:
    """Predict by energy alone; `a` if it is missing."""

    classes_ = np.array(["a", "b"])

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        energy = X["energy"].to_numpy() if "energy" in X.columns else np.zeros(len(X))
        return np.where(energy[:, np.newaxis] > 0.5, [0.1, 0.9], [0.9, 0.1])


def held_out_tracks(size: int = 400, new: float = 0.5) -> HeldOutTracks:
    random = np.random.default_rng(0)
    energy = random.random(size)
    values = {name: random.random(size) for name in ("tempo", "release_year")}
    regimes = np.where(np.arange(size) < size * new, "new_artist", "seen_artist")
    labels = np.where(energy > 0.5, "b", "a")
    return HeldOutTracks(
        pd.DataFrame({"energy": energy, **values}), labels, regimes, np.arange(size) // 2
    )


def importances(tracks: HeldOutTracks, repeats: int = 3) -> list[Importance]:
    steps: list[tuple[int, int]] = []
    made = PermutationImportance(ByEnergy(), tracks, GROUPS, repeats=repeats, seed=0)  # type: ignore[arg-type]
    rows = list(made.compute(lambda done, total: steps.append((done, total))))
    assert steps[-1][0] == steps[-1][1] == 2 + repeats * 5
    return rows


def over_all(rows: list[Importance], regime: str) -> dict[tuple[str, str], Importance]:
    return {
        (row.kind, row.feature): row for row in rows if (row.regime, row.genre) == (regime, None)
    }


@pytest.mark.parametrize("regime", ["new_artist", "seen_artist"])
def test_only_used_columns_matter(regime: str) -> None:
    """Permuting the used column costs half the accuracy, others nothing; its group as much."""
    rows = over_all(importances(held_out_tracks()), regime)
    assert rows["feature", "energy"].importance == pytest.approx(0.5, abs=0.07)
    assert rows["feature", "energy"].loss > 0.5
    assert rows["group", "audio"].importance == pytest.approx(0.5, abs=0.07)
    for nothing in (("feature", "tempo"), ("feature", "release_year"), ("group", "metadata")):
        assert rows[nothing].importance == rows[nothing].loss == 0
    interval = rows["feature", "energy"].interval
    assert interval is not None
    assert interval.low < rows["feature", "energy"].importance < interval.high


def test_accuracy_with_a_single_group() -> None:
    """Audio alone keeps the accuracy; without it the accuracy is a constant prediction's."""
    tracks = held_out_tracks()
    rows = over_all(importances(tracks), "new_artist")
    new = tracks.regimes == "new_artist"
    assert rows["alone", "audio"].importance == 1
    assert rows["alone", "metadata"].importance == np.mean(tracks.labels[new] == "a")


def test_values_are_shuffled_within_a_regime() -> None:
    """Values of one regime never reach the other."""
    tracks = held_out_tracks()
    tracks.frame["energy"] = np.where(tracks.regimes == "new_artist", 0.1, 0.9)
    labels = np.where(tracks.regimes == "new_artist", "a", "b")
    rows = importances(HeldOutTracks(tracks.frame, labels, tracks.regimes, tracks.artists))
    assert all(row.importance == 0 for row in rows if row.kind != "alone")


def test_genres_have_their_own_importance() -> None:
    """Each genre of the held-out tracks has a row, over both regimes."""
    rows = [row for row in importances(held_out_tracks()) if row.genre and row.feature == "energy"]
    assert [(row.genre, row.regime) for row in rows] == [("a", "all"), ("b", "all")]
    assert all(row.importance == pytest.approx(0.5, abs=0.08) for row in rows)


def test_a_genre_unknown_to_the_model_is_never_correct() -> None:
    """Such a track is a wrong prediction under every permutation."""
    tracks = held_out_tracks()
    strange = HeldOutTracks(tracks.frame, np.full(400, "polka"), tracks.regimes, tracks.artists)
    rows = over_all(importances(strange), "new_artist")
    assert rows["alone", "audio"].importance == rows["feature", "energy"].importance == 0


class NamedExpert:
    def __init__(self, name: str, *score_names: str) -> None:
        self.name, self.score_names = name, score_names


class TwoExperts(ByEnergy):
    """Follows its first expert according to its weight."""

    def __init__(self) -> None:
        self.experts_ = [NamedExpert("weighted", "energy"), NamedExpert("unweighted", "noise")]
        self.score_names_ = ["prior", "energy", "noise"]
        self.weights_ = np.array([[0.3, 1.0, 1.0], [0.3, 1.0, 1.0]])

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        predictions = super().predict_proba(X)
        weight = self.weights_[0, 1]
        return weight * predictions + (1 - weight) * np.array([0.6, 0.4])


def test_expert_ablation() -> None:
    """Each expert of an ensemble is ablated once; the model is unchanged."""
    model = TwoExperts()
    made = PermutationImportance(model, held_out_tracks(), GROUPS, repeats=1, seed=0)  # type: ignore[arg-type]
    rows = over_all(list(made.expert_ablation()), "seen_artist")
    assert rows["expert", "weighted"].importance == pytest.approx(0.5, abs=0.07)
    assert rows["expert", "unweighted"].importance == 0
    assert model.weights_[0].tolist() == [0.3, 1.0, 1.0]
    alone = PermutationImportance(ByEnergy(), held_out_tracks(), GROUPS, repeats=1, seed=0)  # type: ignore[arg-type]
    assert list(alone.expert_ablation()) == []


def test_a_sample_keeps_both_regimes() -> None:
    """At most `size` of each, reproducible by the seed."""
    tracks = held_out_tracks(new=0.9)
    sampled = tracks.sample(100, seed=1)
    assert [np.sum(sampled.regimes == one) for one in ("new_artist", "seen_artist")] == [100, 40]
    assert sampled.frame.equals(tracks.sample(100, seed=1).frame)

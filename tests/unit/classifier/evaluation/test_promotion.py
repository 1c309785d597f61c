"""Promotion to champion."""

from classifier.evaluation.promotion import (
    decide_against_champion,
    decide_first,
    keep_narrower_licence,
)
from classifier.model_records import Comparison, Interval


def interval(difference: float, low: float, high: float) -> Comparison:
    return Comparison(100, difference, Interval(low, high))


def challenged(seen: Comparison | None, new: Comparison | None, **facts: int) -> str:
    existing = {"rows": 1000, "champion_rows": 1000, "new_genres": 0, **facts}
    regimes = {"seen_artist": seen, "new_artist": new}
    return decide_against_champion(regimes, champion_id=7, **existing).status


EQUAL = interval(0.0, -0.004, 0.004)
BETTER = interval(0.02, 0.01, 0.03)
WORSE = interval(-0.02, -0.03, -0.01)


def test_the_first_must_beat_the_baseline_in_one_regime() -> None:
    """Unseen artists alone are enough."""
    assert (
        decide_first({"seen_artist": interval(0, -0.1, 0.1), "new_artist": BETTER}, {}).status
        == "champion"
    )
    assert (
        decide_first({"seen_artist": WORSE, "new_artist": interval(0, -0.1, 0.1)}, {}).status
        == "rejected"
    )


def test_the_first_must_beat_guessing_where_the_commonest_genre_is_rarer() -> None:
    """Better than the baseline, worse than chance: no champion."""
    decision = decide_first({"new_artist": BETTER}, {"new_artist": WORSE})
    assert decision.status == "rejected"
    assert "against a random guess" in decision.reason
    assert decide_first({"new_artist": WORSE}, {"new_artist": BETTER}).status == "rejected"
    assert decide_first({"new_artist": BETTER}, {"new_artist": BETTER}).status == "champion"


def test_both_regimes_are_named_with_their_differences() -> None:
    """The reason gives the difference in both, better or not."""
    reason = decide_first({"seen_artist": BETTER, "new_artist": WORSE}, {}).reason
    assert "better for seen artists: " in reason
    assert "seen artists +0.020" in reason
    assert "unseen artists -0.020" in reason


def test_without_validation_tracks_nothing_is_promoted() -> None:
    """The reason names the missing validation tracks."""
    decision = decide_first({"seen_artist": None, "new_artist": None}, {})
    assert decision.status == "rejected"
    assert "fewer than two artists" in decision.reason
    assert challenged(None, None) == "rejected"


def test_better_in_one_and_not_worse_in_the_other() -> None:
    """This replaces the champion."""
    assert challenged(BETTER, EQUAL) == "champion"
    assert challenged(EQUAL, BETTER) == "champion"
    assert challenged(BETTER, WORSE) == "rejected"


def test_an_equal_needs_more_tracks_or_more_genres() -> None:
    """5% more rows, or a genre the champion does not have."""
    assert challenged(EQUAL, EQUAL) == "rejected"
    assert challenged(EQUAL, EQUAL, rows=1049) == "rejected"
    assert challenged(EQUAL, EQUAL, rows=1050) == "champion"
    assert challenged(EQUAL, EQUAL, new_genres=1) == "champion"


def test_possibly_worse_is_rejected_with_its_reason() -> None:
    """A lower bound at -0.005 or below is too low, however many rows there are."""
    edge = interval(0.0, -0.005, 0.005)
    decision = decide_against_champion(
        {"seen_artist": EQUAL, "new_artist": edge},
        champion_id=7,
        rows=5000,
        champion_rows=1000,
        new_genres=3,
    )
    assert decision.status == "rejected"
    assert "model 7" in decision.reason
    assert "unseen artists" in decision.reason


def test_a_wider_licence_replaces_no_narrower_one() -> None:
    """However good the candidate is; the reason says how it is promoted all the same."""
    better = decide_first({"new_artist": BETTER}, {})
    licences = {"champion_id": 7, "licence": "any", "champion_licence": "open"}
    kept = keep_narrower_licence(better, **licences)
    assert kept.status == "rejected"
    assert better.reason in kept.reason
    assert "model 7 with --licence open" in kept.reason
    worse = decide_first({"new_artist": WORSE}, {})
    assert keep_narrower_licence(worse, **licences) == worse

"""Who becomes champion. Decided on validation tracks alone; the test sides are only reported."""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Final

from classifier.records import Comparison, PromotionDecision

TOLERANCE: Final = 0.005
"""A lower bound of the difference above minus this counts as "not worse"."""
MIN_DATA_GROWTH: Final = 1.05
"""Trained on so many times the rows, an equal model is still the better one to have."""

RegimeComparisons = Mapping[str, Comparison | None]
"""Per regime; None where there were too few validation tracks to tell."""


def decide_first(
    against_baseline: RegimeComparisons, against_chance: RegimeComparisons
) -> PromotionDecision:
    """Decide on a candidate that meets no champion.

    In one regime it must beat the larger of two: always naming the commonest genre, and guessing
    among all (where the commonest genre is rare, a model worse than a guess beats the former).
    """
    told = {
        regime: min(
            ((found, "the majority baseline"), (against_chance.get(regime), "guessing")),
            key=lambda rival: inf if rival[0] is None else rival[0].difference,
        )
        for regime, found in against_baseline.items()
        if found is not None
    }
    known = {regime: (found, rival) for regime, (found, rival) in told.items() if found}
    if not known:
        return PromotionDecision(
            "rejected", "There are too few validation tracks to tell what it can."
        )
    shown = "; ".join(
        f"{_named(regime)} {_signed(found)}, against {rival}"
        for regime, (found, rival) in known.items()
    )
    beaten = [_named(regime) for regime, (found, _) in known.items() if found.interval.low > 0]
    if beaten:
        return PromotionDecision(
            "champion", f"First of its task; better for {_and(beaten)}: {shown}."
        )
    return PromotionDecision(
        "rejected", f"Not better than naming one genre, or guessing: {shown}."
    )


def decide_against_champion(
    against_champion: RegimeComparisons,
    *,
    champion_id: int,
    rows: int,
    champion_rows: int,
    new_genres: int,
) -> PromotionDecision:
    """Decide on a candidate against the champion, both on the same validation tracks.

    It must not be worse in either regime, and better in one, or know more: at least 5% more
    rows, or genres the champion has not.
    """
    told = {regime: found for regime, found in against_champion.items() if found is not None}
    if not told:
        return PromotionDecision(
            "rejected", "There are too few validation tracks to compare it on."
        )
    for regime, found in told.items():
        if found.interval.low <= -TOLERANCE:
            return PromotionDecision(
                "rejected",
                f"May be worse than model {champion_id} for {_named(regime)}: {_signed(found)}.",
            )
    for regime, found in told.items():
        if found.interval.low > 0:
            return PromotionDecision(
                "champion",
                f"Better than model {champion_id} for {_named(regime)}: {_all(told)}.",
            )
    if new_genres:
        return PromotionDecision(
            "champion", f"Not worse than model {champion_id}, and knows {new_genres} more genres."
        )
    if rows >= champion_rows * MIN_DATA_GROWTH:
        return PromotionDecision(
            "champion",
            f"Not worse than model {champion_id}, and learned from {rows:,} tracks "
            f"instead of {champion_rows:,}.",
        )
    return PromotionDecision(
        "rejected",
        f"Neither better than model {champion_id} nor trained on at least 5% more tracks.",
    )


def _named(regime: str) -> str:
    return {"seen_artist": "artists it knows", "new_artist": "new artists"}.get(regime, regime)


def _and(names: Sequence[str]) -> str:
    return " and ".join(names)


def _all(told: Mapping[str, Comparison]) -> str:
    return "; ".join(f"{_named(regime)} {_signed(found)}" for regime, found in told.items())


def _signed(found: Comparison) -> str:
    interval = found.interval
    return (
        f"{found.difference:+.3f} accuracy, 95% interval {interval.low:+.3f} to "
        f"{interval.high:+.3f} on {found.n:,} validation tracks"
    )

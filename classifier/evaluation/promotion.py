"""Promotion: whether a candidate model becomes champion.

Decided on validation tracks alone; the test sides are only reported.
"""

from collections.abc import Mapping
from typing import Final

from classifier.model_records import REGIME_TITLES, Comparison, PromotionDecision
from genrebase.counts import counted

TOLERANCE: Final = 0.005
"""A lower bound of the difference above minus this is "not worse"."""
MIN_DATA_GROWTH: Final = 1.05
"""Trained on so many times the rows, an equal model is preferred."""
_NO_INTERVAL: Final = (
    "The validation tracks are of fewer than two artists, so its accuracy has no confidence "
    "interval"
)

RegimeComparisons = Mapping[str, Comparison | None]
"""Per regime; None where the validation tracks are of fewer than two artists."""


def decide_first(
    against_baseline: RegimeComparisons, against_chance: RegimeComparisons
) -> PromotionDecision:
    """Decide on a candidate without a champion.

    In one regime it must beat the stronger of two baselines: always predicting the majority class,
    and guessing uniformly (where the majority class is rare, a model worse than a guess beats the
    former).
    """
    measured: dict[str, tuple[Comparison, str]] = {}
    for regime, baseline in against_baseline.items():
        if baseline is not None:
            rivals = [(baseline, "the majority baseline")]
            if (chance := against_chance.get(regime)) is not None:
                rivals.append((chance, "a random guess"))
            measured[regime] = min(rivals, key=lambda rival: rival[0].difference)
    if not measured:
        return PromotionDecision("rejected", f"{_NO_INTERVAL}.")
    summary = "; ".join(
        f"{REGIME_TITLES[regime]} {_difference(comparison)}, against {rival}"
        for regime, (comparison, rival) in measured.items()
    )
    beaten = [
        REGIME_TITLES[regime] for regime, (one, _) in measured.items() if one.interval.low > 0
    ]
    if beaten:
        reason = f"No champion to compare with; better for {' and '.join(beaten)}: {summary}."
        return PromotionDecision("champion", reason)
    reason = f"Not better than the majority baseline or a random guess: {summary}."
    return PromotionDecision("rejected", reason)


def decide_against_champion(
    against_champion: RegimeComparisons,
    *,
    champion_id: int,
    rows: int,
    champion_rows: int,
    new_genres: int,
) -> PromotionDecision:
    """Decide on a candidate against the champion, both on the same validation tracks.

    It must not be worse in either regime, and better in one, or cover more: at least 5% more rows,
    or genres the champion does not have.
    """
    measured = {
        regime: comparison
        for regime, comparison in against_champion.items()
        if comparison is not None
    }
    if not measured:
        reason = f"{_NO_INTERVAL}, so it cannot be compared with the champion."
        return PromotionDecision("rejected", reason)
    summaries = {
        regime: f"{REGIME_TITLES[regime]} {_difference(comparison)}"
        for regime, comparison in measured.items()
    }
    for regime, comparison in measured.items():
        if comparison.interval.low <= -TOLERANCE:
            worse = "Worse" if comparison.interval.high < 0 else "May be worse"
            reason = f"{worse} than model {champion_id} for {REGIME_TITLES[regime]}"
            return PromotionDecision("rejected", f"{reason}: {_difference(comparison)}.")
    for regime, comparison in measured.items():
        if comparison.interval.low > 0:
            reason = f"Better than model {champion_id} for {REGIME_TITLES[regime]}"
            return PromotionDecision("champion", f"{reason}: {'; '.join(summaries.values())}.")
    equal = f"Not worse than model {champion_id}, and"
    if new_genres:
        return PromotionDecision("champion", f"{equal} covers {new_genres} more genres.")
    if rows >= champion_rows * MIN_DATA_GROWTH:
        reason = f"{equal} trained on {counted(rows, 'track')} instead of {champion_rows:,}."
        return PromotionDecision("champion", reason)
    reason = f"Neither better than model {champion_id} nor trained on at least 5% more tracks."
    return PromotionDecision("rejected", reason)


def keep_narrower_licence(
    decision: PromotionDecision, *, champion_id: int, licence: str, champion_licence: str
) -> PromotionDecision:
    """Reject a candidate that was trained under a wider licence than the champion.

    `licence` and `champion_licence` are values of `--licence`, the candidate's being the wider.
    """
    if decision.status != "champion":
        return decision
    reason = (
        f"{decision.reason} But it was trained with --licence {licence}, model {champion_id} with "
        f"--licence {champion_licence}: only `classifier promote` replaces a model by one that "
        "was trained on labels under more licences."
    )
    return PromotionDecision("rejected", reason)


def _difference(comparison: Comparison) -> str:
    interval = comparison.interval
    return (
        f"{comparison.difference:+.3f} accuracy, 95% interval {interval.low:+.3f} to "
        f"{interval.high:+.3f} on {counted(comparison.n, 'validation track')}"
    )
